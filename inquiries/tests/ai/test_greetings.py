from __future__ import annotations

import pytest

from inquiries.ai.masking.greetings import hide_greeted


@pytest.mark.parametrize(
    ("answer", "hidden"),
    [
        ("Hola Ana María: ya está listo.", "Hola [nombre]: ya está listo."),
        ("¡Hola, Luis! Gracias.", "¡Hola, [nombre]! Gracias."),
        ("Estimada Sra. Pérez Gómez,\n\nle escribimos", "Estimada Sra. [nombre],\n\nle escribimos"),
        ("Buenos días Íñigo. Su pedido", "Buenos días [nombre]. Su pedido"),
        ("Olá João,", "Olá [nombre],"),
        ("Dear Ms. Smith,", "Dear Ms. [nombre],"),
        ("Hola [nombre]: ya está.", "Hola [nombre]: ya está."),
        ("Hola: ya está.", "Hola: ya está."),
        ("Hola a todos, gracias", "Hola a todos, gracias"),
        ("Hola, gracias por escribirnos.", "Hola, gracias por escribirnos."),
        ("Le escribe Ana María: hola", "Le escribe Ana María: hola"),
        ("", ""),
    ],
)
def test_the_name_of_an_opening_greeting_is_hidden(answer: str, hidden: str) -> None:
    assert hide_greeted(answer) == hidden
