"""The harness of `make bench`; what it measures is no test."""

from __future__ import annotations

import json

import pytest

from bench.figures import Figure, as_json, as_table


@pytest.mark.parametrize(
    ("value", "floor", "goal", "verdict"),
    [
        (0.5, 0.3, 0.45, "goal"),
        (0.4, 0.3, 0.45, "floor"),
        (0.2, 0.3, 0.45, "missed"),
        (4.0, 5.0, 3.0, "floor"),
        (3.0, 5.0, 3.0, "goal"),
        (6.0, 5.0, 3.0, "missed"),
        (6.0, None, None, ""),
    ],
)
def test_a_figure_is_judged_by_its_bounds_whichever_way_is_better(value, floor, goal, verdict):
    assert Figure("name", value, "x", floor, goal).verdict == verdict


def test_the_table_is_aligned_and_leaves_out_bounds_that_are_not_set():
    table = as_table([Figure("intake, SQLite", 0.317, "x", 0.3, 0.45), Figure("rows", 120, "/s")])
    assert table.splitlines() == [
        "what            measured  floor   goal",
        "intake, SQLite     0.32x  0.30x  0.45x  floor",
        "rows              120 /s",
    ]


def test_the_json_holds_the_verdict():
    (row,) = json.loads(as_json([Figure("rows", 1.5, "ms", 2.0, 1.0)]))
    assert row == {"name": "rows", "value": 1.5, "unit": "ms", "floor": 2.0, "goal": 1.0, "verdict": "floor"}
