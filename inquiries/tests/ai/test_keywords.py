from __future__ import annotations

import pytest

from inquiries.ai.keywords import Keywords, haystack


@pytest.mark.parametrize(
    ("keyword", "text", "count"),
    [
        ("factur", "Necesito la FACTURACIÓN", 1),
        ("Facturación", "la facturacion de marzo", 1),
        ("factur", "la manufactura", 0),
        ("no anda", "che, no, anda a saber", 1),
        ("no anda", "no me anda", 0),
        ("no anda", "ya no andaba bien", 1),
        ("iva", "el IVA está mal", 1),
        ("iva", "quiero ir al ivan", 0),
        ("niño", "ropa de NIÑOS", 1),
        ("", "cualquier cosa", 0),
        ("  ¿? ", "cualquier cosa ¿?", 0),
        ("c++", "programo en c y java", 1),
    ],
)
def test_keywords_begin_words(keyword: str, text: str, count: int) -> None:
    assert Keywords([keyword]).count(haystack(text)) == count


def test_a_keyword_counts_once_however_it_is_spelled() -> None:
    assert Keywords(["Factura", "FACTURA", "fáctura"]).count(haystack("factura factura")) == 1


def test_matches_are_spelled_as_in_the_text() -> None:
    keywords = Keywords(["factur", "no anda"])
    assert keywords.matches("La App no ANDABA al pedir 1½ FACTURACIÓN") == ["FACTURACIÓN", "no ANDABA"]
