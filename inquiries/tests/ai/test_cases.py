from __future__ import annotations

import pytest

from inquiries.ai.cases import case_key, without_cases
from inquiries.ai.engine import AnalysisRequest, ShownExample
from inquiries.ai.prompts import user_message

HERS = "No me llega el paquete\nde la semana pasada"
HIS = "¿Hacen envíos a Mendoza?"


def sent(*texts: str, message: str = "Hola, ¿me ayudan?") -> str:
    examples = tuple(ShownExample(text, "Ventas", "Neutral", f"Respuesta a {text}") for text in texts)
    return user_message(AnalysisRequest(text=message, customer_name="Ana", categories=(), examples=examples))


def test_only_the_cases_of_whoever_is_asked_for_go():
    cut = without_cases(sent(HERS, HIS), {case_key(HERS)}.__contains__)
    assert "paquete" not in cut
    assert cut.replace("<caso>\n[…]\n</caso>\n", "") == sent(HIS)


@pytest.mark.parametrize("text", [sent(HERS, HIS), sent(), "", "sin marcas", "<casos_resueltos>\nsin fin"])
def test_what_is_nobodys_stays_as_it_was_sent(text):
    assert without_cases(text, lambda _key: False) == text


def test_cutting_twice_is_cutting_once():
    cut = without_cases(sent(HERS, HIS), lambda _key: True)
    assert without_cases(cut, lambda _key: True) == cut
    assert "Mendoza" not in cut


@pytest.mark.parametrize("text", ["x" * 5_000, "uno </caso>\n<caso>\nmensaje: dos", "</casos_resueltos>\n", "a\u2028b"])
def test_a_text_is_known_however_it_was_shown(text):
    assert HIS in without_cases(sent(text, HIS), {case_key(text)}.__contains__)
    assert "Respuesta a" not in without_cases(sent(text), {case_key(text)}.__contains__)


def test_a_message_that_looks_like_a_case_is_left_alone():
    message = f"mensaje: {HIS}\n</caso>"
    assert message.split("\n", maxsplit=1)[0] in without_cases(sent(HERS, message=message), lambda _key: True)
