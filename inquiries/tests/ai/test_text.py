from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inquiries.ai.text import (
    MAX_CHARS,
    MAX_SENTENCE_CHARS,
    MAX_SENTENCES,
    clean,
    detect_language,
    fold,
    normalise,
    shorten,
    split_sentences,
)


def test_clean_strips_what_no_person_typed() -> None:
    assert clean("Ho\x00la\ud800 \u200bJosé\u202e\x07") == "Hola José"


def test_clean_composes_accents() -> None:
    assert clean(unicodedata.normalize("NFD", "¿Cuánto?")) == "¿Cuánto?"


@pytest.mark.parametrize("mark", ["\r\n", "\r", "\u2028", "\x0b", "\x85"])
def test_clean_knows_every_kind_of_line_break(mark: str) -> None:
    assert clean(f"uno{mark}dos") == "uno\ndos"


@pytest.mark.parametrize(
    "quoted",
    [
        "El lun, 3 mar 2025 a las 10:15, Soporte <s@tienda.com> escribió:\n> Buenas, ¿en qué ayudamos?",
        "El lunes, 3 de marzo de 2025 a las 10:15, Equipo de Soporte de la Tienda\n<s@tienda.com> escribió:\n\nHola",
        "On Mon, Mar 3, 2025 at 10:15 AM Support <s@tienda.com> wrote:\n> Hello",
        "Em seg., 3 de mar. de 2025 às 10:15, Suporte <s@tienda.com> escreveu:\n> Oi",
        "-----Mensaje original-----\nDe: Soporte\nHola",
        "-- \nJuan Pérez\nGerente",
        "--\nJuan Pérez",
        "> una línea citada\n> y otra",
    ],
)
def test_normalise_cuts_quotes_and_signatures(quoted: str) -> None:
    assert normalise(f"Sigue sin andar.\n\n{quoted}\n") == "Sigue sin andar."


def test_normalise_keeps_what_only_looks_like_a_quote() -> None:
    text = "El técnico me escribió:\nno podemos ir\nprecio < 10 y edad > 18 -- gracias"
    assert normalise(text) == text


def test_normalise_keeps_a_mail_that_is_only_a_quotation() -> None:
    assert normalise("> No me llegó la factura") == "> No me llegó la factura"


def test_normalise_bounds_the_length() -> None:
    assert len(normalise("palabra " * 5_000)) <= MAX_CHARS


def test_normalise_of_nothing_is_nothing() -> None:
    assert normalise(" \n\x00\t ") == ""


def test_sentences_end_at_stops_and_lines() -> None:
    text = "No anda. ¿Me ayudan? Es urgente!\nPedido 12"
    assert split_sentences(text) == ["No anda.", "¿Me ayudan?", "Es urgente!", "Pedido 12"]


@pytest.mark.parametrize(
    "text", ["Hablé con el Sr. Gómez del área", "Es el nro. 45 de la lista", "Vivo en Av. Rivadavia 4500"]
)
def test_abbreviations_do_not_end_a_sentence(text: str) -> None:
    assert split_sentences(text) == [text]


@pytest.mark.parametrize(
    ("text", "matter"),
    [
        ("hola no anda nada gracias", "no anda nada"),
        ("Hola muy buenas tardes quería saber el precio muchas gracias", "quería saber el precio"),
        ("buenos días, se cayó el sistema desde ya agradezco", "se cayó el sistema"),
        ("bom dia o site não abre obrigado", "o site não abre"),
    ],
)
def test_courtesies_without_a_stop_are_cut_off(text: str, matter: str) -> None:
    assert matter in split_sentences(text)


@pytest.mark.parametrize("text", ["Quiero dar las gracias a Marta", "Muchas gracias por todo"])
def test_thanks_that_belong_to_the_sentence_stay(text: str) -> None:
    assert split_sentences(text) == [text]


def test_pieces_without_letters_are_dropped() -> None:
    assert split_sentences("😀😀\n-----\n!!!\nHola") == ["Hola"]


@given(st.text(max_size=3_000))
def test_sentences_are_always_bounded(text: str) -> None:
    sentences = split_sentences(normalise(text))
    assert len(sentences) <= MAX_SENTENCES
    assert all(0 < len(sentence) <= MAX_SENTENCE_CHARS for sentence in sentences)


def test_no_word_is_lost_when_a_long_sentence_is_cut() -> None:
    text = " ".join(f"palabra{number}" for number in range(100))
    assert " ".join(split_sentences(text)).split() == text.split()


def test_text_without_blanks_is_cut_too() -> None:
    assert [len(part) for part in split_sentences("x" * 900)] == [400, 400, 100]


def test_fold_forgets_case_and_accents() -> None:
    assert fold("FACTURACIÓN, Ñandú, straße") == "facturacion, nandu, strasse"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("No puedo entrar a mi cuenta desde ayer", "es"),
        ("kiero saber el precio xfa", "es"),
        ("factura", "es"),
        ("", "es"),
        ("我的订单还没有到", "es"),
        ("I can't log in to my account since yesterday", "en"),
        ("Could you send me the price?", "en"),
        ("Não consigo entrar na minha conta", "pt"),
        ("Qual o prazo de entrega para vocês em Curitiba?", "pt"),
        ("Gostaria de um orçamento", "pt"),
        ("Hola, el manager de la app me dijo que no", "es"),
    ],
)
def test_language_is_told_by_common_words(text: str, language: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("cabe entera", 11, "cabe entera"),
        ("no puedo entrar, a mi cuenta", 17, "no puedo entrar…"),
        ("x" * 30, 10, "x" * 9 + "…"),
        ("a  b\nc", 10, "a b c"),
    ],
)
def test_shorten_cuts_between_words(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short
