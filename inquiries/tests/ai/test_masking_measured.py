"""Precision and recall of the masking over cases written for it: `masking_cases.json`, one case a line."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from inquiries.ai.masking.masker import find
from inquiries.ai.masking.spans import Kind

CASES = json.loads(Path(__file__).with_name("masking_cases.json").read_text(encoding="utf-8"))
# Numbers of orders stay in their own request, so that nothing finds them there.
KINDS = tuple(kind for kind in Kind if kind is not Kind.NUMERO)
OVERALL_PRECISION = 0.995
OVERALL_RECALL = 0.99
# One slip in the smallest kind (19 values) costs 5 points.
KIND_FLOOR = 0.94


class Figures(NamedTuple):
    """Values that were rightly found, wrongly found and missed, each counted by kind."""

    right: Counter
    wrong: Counter
    missed: Counter
    slips: list

    def precision(self, *kinds: str) -> float:
        return _share(self.right, self.wrong, kinds)

    def recall(self, *kinds: str) -> float:
        return _share(self.right, self.missed, kinds)


def measure(cases: list = CASES) -> Figures:
    figures = Figures(Counter(), Counter(), Counter(), [])
    for case in cases:
        text = case["text"]
        spans = find(text, case.get("name", ""), case.get("email", ""))
        found = Counter((span.kind.value, text[span.start : span.end]) for span in spans)
        expected = Counter((value["kind"], value["value"]) for value in case["expected"])
        for counter, values in (
            (figures.right, found & expected),
            (figures.wrong, found - expected),
            (figures.missed, expected - found),
        ):
            for (kind, _), number in values.items():
                counter[kind] += number
        if found != expected:
            figures.slips.append((text, sorted(found - expected), sorted(expected - found)))
    return figures


def report(figures: Figures) -> str:
    """Return the figures as a table, and each slip: text, wrongly found, missed."""
    lines = [f"{'kind':<10} {'precision':>9} {'recall':>7} {'values':>7}"]
    for name, kinds in [(kind.value, (kind.value,)) for kind in KINDS] + [("overall", KINDS)]:
        values = sum(figures.right[kind] + figures.missed[kind] for kind in kinds)
        lines.append(f"{name:<10} {figures.precision(*kinds):>9.3f} {figures.recall(*kinds):>7.3f} {values:>7}")
    return "\n".join([*lines, *map(repr, figures.slips)])


def _share(right: Counter, other: Counter, kinds: tuple) -> float:
    hits = sum(right[kind] for kind in kinds)
    return hits / max(1, hits + sum(other[kind] for kind in kinds))


@pytest.fixture(scope="module")
def figures() -> Figures:
    return measure()


def test_the_set_is_large_and_holds_near_misses() -> None:
    assert len(CASES) >= 240
    assert sum(not case["expected"] for case in CASES) >= 90
    assert {value["kind"] for case in CASES for value in case["expected"]} == set(KINDS)


def test_each_expected_value_stands_in_its_text() -> None:
    assert [case for case in CASES if any(value["value"] not in case["text"] for value in case["expected"])] == []


def test_overall_precision_and_recall_stay(figures: Figures) -> None:
    assert figures.precision(*KINDS) >= OVERALL_PRECISION, report(figures)
    assert figures.recall(*KINDS) >= OVERALL_RECALL, report(figures)


@pytest.mark.parametrize("kind", KINDS)
def test_precision_and_recall_of_each_kind_stay(figures: Figures, kind: Kind) -> None:
    assert figures.precision(kind) >= KIND_FLOOR, report(figures)
    assert figures.recall(kind) >= KIND_FLOOR, report(figures)


def test_measuring_counts_what_is_wrong_and_what_is_missed() -> None:
    case = {"text": "Mi DNI es 12345678Z", "expected": [{"kind": "telefono", "value": "612 345 678"}]}

    figures = measure([case])

    assert (figures.precision("documento"), figures.recall("telefono")) == (0, 0)
    assert "12345678Z" in report(figures)
