from __future__ import annotations

import pytest

from inquiries.ai.engine import SENTIMENTS, ErrorKind
from inquiries.states import MOVES, AIReason, Sentiment, Status, can_move

ALLOWED = {
    ("new", "open"),
    ("new", "answered"),
    ("open", "answered"),
    ("answered", "open"),
    ("closed", "open"),
    ("new", "closed"),
    ("open", "closed"),
    ("answered", "closed"),
    ("new", "spam"),
    ("open", "spam"),
    ("answered", "spam"),
    ("closed", "spam"),
    ("spam", "open"),
}


@pytest.mark.parametrize("old", Status.values)
@pytest.mark.parametrize("new", Status.values)
def test_only_the_designed_moves_exist(old, new):
    assert can_move(old, new) is ((old, new) in ALLOWED)


def test_every_status_has_a_way_out():
    assert all(MOVES[status] for status in Status)


def test_engines_and_tables_speak_of_the_same_sentiments():
    assert tuple(Sentiment.values) == SENTIMENTS


def test_every_kind_of_engine_error_has_words():
    assert {kind.value for kind in ErrorKind} <= set(AIReason.values)
