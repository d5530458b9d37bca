from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inquiries.ai.prefilter import Prefilter, needed_words
from inquiries.ai.suspicion import _readings, _views
from inquiries.ai.suspicion_patterns import PATTERNS

CASES = [Path(__file__).with_name(name) for name in ("attacks.json", "innocent.json")]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("hola", {"hola"}),
        ("hola|adios", {"hola", "adios"}),
        (r"\b(?:muestra|muestre)(?:me)? la clave", {" la clave"}),
        ("(?:abc)?defg", {"defg"}),
        ("(?:abc){2,3}", {"abc"}),
        ("abcx*def", {"abc"}),
        ("hola|[0-9]+", set()),  # the second branch demands no word
        ("ab|cde", set()),  # too short to tell anything
        ("[a-z]+", set()),
        ("(?!hola)x", set()),
        ("(?i:hola)", set()),
        ("(hola)|(?i:adios)", set()),
    ],
)
def test_one_of_the_words_stands_in_whatever_matches(pattern, words):
    assert needed_words(re.compile(pattern)) == words


def test_a_pattern_that_ignores_case_demands_nothing():
    assert needed_words(re.compile("hola", re.IGNORECASE)) == frozenset()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_on_every_known_text_it_says_what_the_patterns_say(path):
    quick = Prefilter(PATTERNS)
    texts = [text for text in _strings(json.loads(path.read_text())) if text]
    views = {view for text in texts for reading in _readings(text) for view in _views(reading)}
    assert len(views) > 100
    for view in views:
        assert quick.matches(view) == any(pattern.search(view) for pattern in PATTERNS), view


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for part in parts for text in _strings(part)]


@pytest.mark.parametrize("pattern", PATTERNS, ids=range(len(PATTERNS)))
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_a_pattern_matches_holds_one_of_its_words(pattern, data):
    words = needed_words(pattern)
    text = data.draw(st.from_regex(pattern))
    assert not words or any(word in text for word in words)
