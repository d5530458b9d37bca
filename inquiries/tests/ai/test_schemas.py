"""What is believed of an answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from inquiries.ai.schemas import (
    MAX_REASON,
    MAX_REPLY,
    Answer,
    Completion,
    clean_text,
    match_name,
    unwrap,
)

GOOD = {
    "category": "Ventas",
    "sentiment": "Neutral",
    "language": "es",
    "confidence": 0.5,
    "reply": "Hola",
    "reason": "Pregunta un precio.",
}


def answer(**changes):
    return Answer.model_validate_json(json.dumps({**GOOD, **changes}))


@pytest.mark.parametrize(
    "changes",
    [
        {"sentiment": "Furioso"},
        {"sentiment": 3},
        {"sentiment": None},
        {"category": None},
        {"category": ["Ventas"]},
        {"confidence": "0.9"},
        {"confidence": True},
        {"confidence": None},
        {"language": 1},
        {"reply": ""},
        {"reply": " \n\t"},
        {"reply": "\x00\x07"},
        {"reply": "x" * (MAX_REPLY + 1)},
        {"reply": None},
        {"reason": None},
    ],
)
def test_refused(changes):
    with pytest.raises(ValidationError):
        answer(**changes)


@pytest.mark.parametrize("missing", GOOD)
def test_every_field_is_needed(missing):
    rest = {name: value for name, value in GOOD.items() if name != missing}
    with pytest.raises(ValidationError):
        Answer.model_validate_json(json.dumps(rest))


@pytest.mark.parametrize(
    ("given_language", "code"),
    [
        ("es", "es"),
        ("ES", "es"),
        ("es-MX", "es"),
        ("pt_BR", "pt"),
        ("Español", "es"),
        ("Spanish (Mexico)", "es"),
        ("eng", "en"),
        ("Klingon", ""),
        ("", ""),
    ],
)
def test_language(given_language, code):
    assert answer(language=given_language).language == code


@pytest.mark.parametrize(("claimed", "kept"), [(0.4, 0.4), (1, 1.0), (85, 1.0), (-2, 0.0), (1e400, 1.0)])
def test_confidence_is_clamped(claimed, kept):
    assert answer(confidence=claimed).confidence == kept


def test_confidence_that_is_no_number_is_none_at_all():
    assert answer(confidence=float("nan")).confidence == 0.0


@pytest.mark.parametrize("written", ["negativo", "NEGATIVO", " Negativo. "])
def test_sentiment_is_matched(written):
    assert answer(sentiment=written).sentiment == "Negativo"


def test_reply_loses_control_characters_and_keeps_lines():
    assert answer(reply=" Hola\x00\x1b Ana:\r\n\tgracias\x85 \n").reply == "Hola Ana:\n\tgracias"


def test_reason_is_one_bounded_line():
    reason = answer(reason="a\nb " + "c" * 1000).reason
    assert reason.startswith("a b c")
    assert len(reason) == MAX_REASON


def test_unknown_keys_are_dropped():
    assert answer(extra=1) == answer()


def test_errors_do_not_quote_the_answer():
    with pytest.raises(ValidationError) as caught:
        answer(sentiment="palabras del cliente")
    assert "palabras" not in str(caught.value)


@given(st.text())
def test_clean_text_can_be_stored_anywhere(text):
    clean = clean_text(text)
    clean.encode()
    assert "\x00" not in clean
    assert clean_text(clean) == clean


@pytest.mark.parametrize("raw", ["a\ud800b", "a\x00b", "a\x7fb", "a\x9fb"])
def test_clean_text_drops(raw):
    assert clean_text(raw) == "ab"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Soporte Técnico", "Soporte Técnico"),
        ("soporte  tecnico", "Soporte Técnico"),
        ("«SOPORTE-TÉCNICO»", "Soporte Técnico"),
        ("Soporte", None),
        ("", None),
        ("!!!", None),
        ("Envíos", "Envíos"),
        ("Envios", "Envios"),
        ("ENVIOS", None),
    ],
)
def test_match_name(written, name):
    assert match_name(written, ["Soporte Técnico", "Envíos", "Envios", "Envios", "¿?"]) == name


@pytest.mark.parametrize(
    "content",
    [
        '{"a": 1}',
        '```json\n{"a": 1}\n```',
        '```\n{"a": 1}```',
        '  ```JSON\r\n{"a": 1}\r\n```  ',
        '<think>\n{"b": 2}\n</think>\n\n```json\n{"a": 1}\n```',
    ],
)
def test_unwrap(content):
    assert json.loads(unwrap(content)) == {"a": 1}


def test_unwrap_leaves_fences_inside_strings():
    content = json.dumps({"reply": "```json\nx\n```"})
    assert unwrap(content) == content


@pytest.mark.parametrize("usage", [None, [], "x", {}, {"prompt_tokens": "9"}, {"prompt_tokens": -4}])
def test_odd_usage_is_zero_tokens(usage):
    body = {"choices": [{"message": {"content": "x"}}], "usage": usage}
    assert Completion.model_validate_json(json.dumps(body)).tokens("prompt_tokens") == 0
