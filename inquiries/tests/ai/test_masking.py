from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inquiries.ai.masking import Masked, anonymise, leftover_marks, mask
from inquiries.ai.masking.masker import find
from inquiries.ai.masking.spans import Kind, Span, resolve

TEXT = (
    "Soy María López, DNI 12345678Z, tel. 612 345 678 y maria@correo.es. "
    "Cobraron en la 4111 1111 1111 1111; devuelvan al IBAN ES9121000418450200051332. "
    "Vivo en Calle Mayor 5. Pedido 123456789. Gracias, maría"
)
VALUES = (
    "María López",
    "12345678Z",
    "612 345 678",
    "maria@correo.es",
    "4111 1111 1111 1111",
    "ES9121000418450200051332",
    "Calle Mayor 5",
)
CASES = json.loads(Path(__file__).with_name("masking_cases.json").read_text(encoding="utf-8"))


def masked() -> Masked:
    return mask(TEXT, "María López", "maria@correo.es")


def test_every_kind_gets_its_placeholder() -> None:
    assert masked().text == (
        "Soy [NOMBRE_1], DNI [DOCUMENTO_1], tel. [TELEFONO_1] y [CORREO_1]. "
        "Cobraron en la [TARJETA_1]; devuelvan al IBAN [CUENTA_1]. "
        "Vivo en [DIRECCION_1]. Pedido 123456789. Gracias, [NOMBRE_2]"
    )


def test_counts_say_how_many_of_each_kind_were_replaced() -> None:
    assert masked().counts == {
        **dict.fromkeys(("documento", "telefono", "correo", "tarjeta", "cuenta", "direccion"), 1),
        "nombre": 2,
    }


def test_the_same_value_gets_the_same_placeholder() -> None:
    assert mask("a@b.com o c@d.com, mejor a@b.com").text == "[CORREO_1] o [CORREO_2], mejor [CORREO_1]"


def test_a_value_found_once_is_masked_wherever_it_stands() -> None:
    assert mask("DNI 30123456. Repito: 30123456").text == "DNI [DOCUMENTO_1]. Repito: [DOCUMENTO_1]"


def test_the_customers_name_is_always_the_first_even_if_the_text_lacks_it() -> None:
    result = mask("Me llamo Ana Torres", "Luis Paz")
    assert (result.customer_name, result.text) == ("[NOMBRE_1]", "Me llamo [NOMBRE_2]")
    assert result.restore("Hola [NOMBRE_1]").text == "Hola Luis Paz"


@pytest.mark.parametrize("name", ["", "   ", "Cliente", "usuario", "12345", "de la"])
def test_what_is_no_name_is_not_sent_as_one(name: str) -> None:
    result = mask("el cliente usuario de la tienda", name)
    assert (result.customer_name, result.text) == ("", "el cliente usuario de la tienda")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PEÑA compró", "[NOMBRE_2] compró"),
        ("la pena máxima", "la pena máxima"),
        ("soy rosa peña", "soy [NOMBRE_2]"),
        ("el color rosa", "el color rosa"),
        ("Rosa, la de ayer", "[NOMBRE_2], la de ayer"),
        ("Rosario y Rosana", "Rosario y Rosana"),
        ("user rosa_92", "user rosa_92"),
    ],
)
def test_a_part_of_the_name_that_is_an_everyday_word_needs_a_capital(text: str, expected: str) -> None:
    assert mask(text, "Rosa Peña").text == expected


def test_the_customers_name_is_found_without_accents_and_decomposed() -> None:
    assert mask("jose\u0301 y JOSE", "José").text == "[NOMBRE_2] y [NOMBRE_3]"


def test_an_unusual_address_of_the_customer_is_masked_too() -> None:
    assert mask("escriban a Root@Intranet", email="root@intranet").text == "escriban a [CORREO_1]"


def test_values_are_not_shown() -> None:
    shown = repr(masked()) + repr(masked().restore(masked().text))
    assert [value for value in VALUES if value in shown] == []


def test_restoring_gives_the_text_back() -> None:
    assert masked().restore(masked().text).text == TEXT


@pytest.mark.parametrize(
    "written",
    [
        *("[TELEFONO_1]", "[telefono_1]", "[TELÉFONO_1]", "[Tele\u0301fono_1]", "[ TELEFONO_1 ]", "[TELEFONO _ 1]"),
        *("[TELEFONO 1]", "[TELEFONO-1]", r"[TELEFONO\_1]", "[TELEFONO_01]", "[PHONE_1]", "[telefone_1]"),
    ],
)
def test_restoring_forgives_what_a_model_does_to_a_placeholder(written: str) -> None:
    assert masked().restore(f"Llamaremos al {written}.").text == "Llamaremos al 612 345 678."


@pytest.mark.parametrize("written", ["TELEFONO_1", "(TELEFONO_1)", "[TELEFONO_1", "[1]", "[nota 1]", "[ERROR_404]"])
def test_restoring_guesses_nothing_else(written: str) -> None:
    restored = masked().restore(f"Vea {written} hoy")
    assert (restored.text, restored.unknown) == (f"Vea {written} hoy", ())


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Hola [NOMBRE_9], gracias", "Hola, gracias"),
        ("Le escribimos al [CORREO_9].", "Le escribimos."),
        ("Escriba a su [CORREO_9] hoy", "Escriba a su hoy"),
        ("Llame al [TELEFONO_8] ahora", "Llame al ahora"),
        ("[NOMBRE_9] gracias", "gracias"),
        ("Hola\n[NOMBRE_9] gracias", "Hola\ngracias"),
        ("Estimada [nombre]:\nGracias", "Estimada:\nGracias"),
        ("Enviado ([CORREO_7]) ayer", "Enviado () ayer"),
        ("[CORREO_7] [CORREO_8]", ""),
        ("", ""),
    ],
)
def test_unknown_marks_are_cut_without_doubled_blanks(reply: str, expected: str) -> None:
    restored = masked().restore(reply)
    assert restored.text == expected
    assert restored.unknown == leftover_marks(reply)


def test_a_restored_value_is_not_read_as_a_mark_again() -> None:
    result = Masked("", "", {"[NOMBRE_1]": "[CORREO_1]", "[CORREO_1]": "x@y.com"}, {})
    assert result.restore("[NOMBRE_1]").text == "[CORREO_1]"


@pytest.mark.parametrize("mark", ["[CORREO_1]", "[correo_1]", "[ Nombre 2 ]", "[TELÉFONO_7]", "[nombre]", "[EMAIL_1]"])
def test_a_mark_that_the_customer_wrote_loses_its_square_brackets(mark: str) -> None:
    result = mask(f"Digan {mark} y a@b.com", f"Ana {mark}")
    written = f"Digan ({mark[1:-1]}) y "
    assert leftover_marks(result.text.replace("[CORREO_1]", "").replace("[NOMBRE_1]", "")) == ()
    assert result.restore(result.text).text == f"{written}a@b.com"
    assert leftover_marks(result.restore("[NOMBRE_1]").text) == ()


def test_anonymising_leaves_generic_marks_that_nothing_undoes() -> None:
    assert anonymise(TEXT, "María López") == (
        "Soy [nombre], DNI [documento], tel. [teléfono] y [correo]. "
        "Cobraron en la [tarjeta]; devuelvan al IBAN [cuenta]. "
        "Vivo en [dirección]. Pedido [número]. Gracias, [nombre]"
    )


@pytest.mark.parametrize(
    ("text", "reused"),
    [
        ("Su pedido 4455667 ya salió.", "Su pedido [número] ya salió."),
        ("Pedido #4455667, factura A-0001-00012345", "Pedido #[número], factura [número]"),
        ("Guía MX12345678; caso 2024/00123.", "Guía [número]; caso [número]."),
        ("Cuesta 125000 pesos, $125000 o 12345,50 y 1.250.000", "Cuesta 125000 pesos, $125000 o 12345,50 y 1.250.000"),
        ("El 15/03/2024 o el 2024-03-15, a las 10:30", "El 15/03/2024 o el 2024-03-15, a las 10:30"),
        ("Vea https://ejemplo.com/ayuda/12345?a=67890", "Vea https://ejemplo.com/ayuda/12345?a=67890"),
        ("Plan 2024 para 1500 usuarios", "Plan 2024 para 1500 usuarios"),
    ],
)
def test_an_orders_number_is_not_reused(text: str, reused: str) -> None:
    assert anonymise(text) == reused


def test_an_orders_number_is_left_to_its_own_request() -> None:
    assert mask("Pedido 4455667").text == "Pedido 4455667"


def test_a_number_that_is_not_filled_in_is_noticed() -> None:
    assert leftover_marks("Su pedido [número] ya salió.") == ("[número]",)


def test_anonymising_makes_placeholders_generic() -> None:
    assert anonymise("Hola [NOMBRE_1], al [ telefono_2 ]") == "Hola [nombre], al [teléfono]"


def test_leftover_marks_are_listed_as_they_are_written() -> None:
    assert leftover_marks("a [CORREO_1] b [Teléfono] c [nota] d (NOMBRE_1)") == ("[CORREO_1]", "[Teléfono]")


def test_overlapping_finds_become_one_of_the_longest_ones_kind() -> None:
    spans = [Span(0, 4, Kind.NOMBRE), Span(2, 9, Kind.CORREO), Span(8, 10, Kind.TELEFONO), Span(12, 13, Kind.CUENTA)]
    expected = [Span(0, 10, Kind.CORREO), Span(12, 13, Kind.CUENTA)]
    assert resolve(spans) == resolve(reversed(spans)) == expected


def test_equally_long_finds_go_to_the_kind_named_first() -> None:
    spans = [Span(0, 4, Kind.TELEFONO), Span(0, 4, Kind.DOCUMENTO)]
    assert resolve(spans) == resolve(reversed(spans)) == [Span(0, 4, Kind.DOCUMENTO)]


def test_past_the_bound_of_lookups_what_looks_like_a_phone_is_hidden_unasked() -> None:
    text = ", ".join(f"tel. {600_000_000 + 137 * number}" for number in range(400))
    assert mask(text).counts == {"telefono": 400}


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "1",
            "1 ",
            "12-",
            "1.",
            "[",
            "[[CORREO_",
            "(1)",
            "a@",
            "a.",
            "x (at) ",
            "A",
            "Ab ",
            "calle A ",
            "ES91 ",
            "DNI ",
        ),
        *(" ", "\n", "+", "me llamo ", "saludos ", "e\u0301", "_", "Calle 4 # 1-", "soy Ab ", "12 12345 ", "@"),
    ],
)
def test_pathological_texts_hold_nothing_and_stay(unit: str) -> None:
    text = (unit * 10_000)[:10_000]
    result = mask(text, "María López", "m@l.es")
    assert (result.text, result.counts) == (text, {})


def test_a_value_at_the_end_of_a_pathological_text_is_found() -> None:
    assert mask("1 " * 5_000 + "y mi DNI es 12345678Z").text.endswith("y mi DNI es [DOCUMENTO_1]")


_LOOK_ALIKE = re.compile(r"[\[\]]")
_pieces = st.one_of(
    st.sampled_from([case["text"] for case in CASES]),
    st.sampled_from([*VALUES, "maría", "López", "11 5566-7788", "pedido 600123456", "tel.", "\n", " y "]),
    st.text(max_size=20),
)
_texts = st.lists(_pieces, max_size=6).map("".join)


@settings(max_examples=150, deadline=None)
@given(text=_texts, name=st.one_of(st.sampled_from(["María López", "Rosa Mar", ""]), st.text(max_size=15)))
def test_masked_text_restores_exactly_and_holds_no_value(text: str, name: str) -> None:
    text = _LOOK_ALIKE.sub("", text)
    result = mask(text, name)
    restored = result.restore(result.text)
    assert (restored.text, restored.unknown) == (text, ())
    without_marks = re.sub(r"\[[A-Z]+_\d+\]", "\0", result.text)
    found = {text[span.start : span.end] for span in find(text, name)}
    assert [value for value in found if _stands(value, without_marks)] == []


@settings(max_examples=100, deadline=None)
@given(text=_texts)
def test_anonymised_text_holds_no_value(text: str) -> None:
    anonymous = re.sub(r"\[[a-zéó]+\]", "\0", anonymise(text, "María López"))
    found = {text[span.start : span.end] for span in find(text, "María López")}
    assert [value for value in found if _stands(value, anonymous)] == []


@pytest.mark.parametrize("case", [case for case in CASES if case["expected"]], ids=lambda case: case["text"][:30])
def test_no_expected_value_leaves_the_machine(case: dict) -> None:
    sent = mask(case["text"], case.get("name", ""), case.get("email", ""))
    reused = anonymise(case["text"], case.get("name", ""), case.get("email", ""))
    for value in (value["value"] for value in case["expected"]):
        assert not _stands(value, sent.text)
        assert not _stands(value, reused)


def _stands(value: str, text: str) -> bool:
    """Tell whether the value stands in the text as a word of its own: "Ana" in "semana" gives nobody away."""
    return bool(re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text))
