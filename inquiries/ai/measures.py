"""How good answers are: accuracy, F1 with an interval, confusion, and whether a confidence means what it says.

Labels are words, one gold and one predicted for each message. A prediction that never came is NO_ANSWER: it
is wrong whatever the gold label is, and counts against no class's precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NO_ANSWER = ""
BINS = 10
RESAMPLES = 1_000

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class: `precision`, `recall` and `f1` in 0..1 (0 where undefined), `support` gold labels of it."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose confidence lies in (low, high]: how many, their mean confidence, the share that was right.

    An empty bin has neither mean nor share.
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


def accuracy(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """Return the share of right answers, 0..1; raise ValueError on empty or mismatched input."""
    _check(gold, predicted)
    return sum(want == got for want, got in zip(gold, predicted, strict=True)) / len(gold)


def class_scores(gold: Sequence[str], predicted: Sequence[str]) -> dict[str, ClassScore]:
    """Return the scores of each class that occurs in the gold labels, by name in sorted order.

    Raises ValueError on empty or mismatched input.
    """
    names, table = _table(gold, predicted)
    precision, recall, f1 = _scores(table)
    support = table.sum(axis=1)
    return {
        name: ClassScore(float(precision[row]), float(recall[row]), float(f1[row]), int(support[row]))
        for row, name in enumerate(names)
    }


def macro_f1(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """Return the unweighted mean F1, 0..1, over the classes that occur in the gold labels.

    A class that is only ever predicted has no F1 of its own; it lowers the recall of those it took from.
    Raises ValueError on empty or mismatched input.
    """
    _, table = _table(gold, predicted)
    return float(_scores(table)[2].mean())


def macro_f1_interval(
    gold: Sequence[str], predicted: Sequence[str], *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of `macro_f1` by the percentile bootstrap (Efron and Tibshirani 1993, ch. 13).

    Deterministic for a seed. Raises ValueError on empty or mismatched input.
    """
    _, table = _table(gold, predicted)
    # Drawing n messages with replacement is one multinomial draw of how many fall into each cell.
    total = int(table.sum())
    draws = np.random.default_rng(seed).multinomial(total, table.ravel() / total, size=resamples)
    tables = draws.reshape(resamples, *table.shape)
    f1 = _scores(tables)[2]
    # A rare class may be missing from a draw, which then says nothing about it.
    occurs = tables.sum(axis=2) > 0
    means = (f1 * occurs).sum(axis=1) / occurs.sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def confusion(gold: Sequence[str], predicted: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return how often each gold label got each prediction, {gold: {predicted: count}}, zeros left out.

    Names are sorted; raises ValueError on empty or mismatched input.
    """
    _check(gold, predicted)
    found: dict[str, dict[str, int]] = {name: {} for name in sorted(set(gold))}
    for want, got in sorted(zip(gold, predicted, strict=True)):
        found[want][got] = found[want].get(got, 0) + 1
    return found


def reliability(confidences: Sequence[float], right: Sequence[bool], *, bins: int = BINS) -> list[Bin]:
    """Return `bins` bins of equal width over 0..1, as a reliability diagram draws them.

    Confidences lie in 0..1, and 0 itself falls into the first bin. Raises ValueError on mismatched input.
    """
    _check_lengths(confidences, right)
    claimed, was_right = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)
    # Divided, not summed up: 3 / 10 is the very float that a confidence of 0.3 is.
    edges = np.arange(bins + 1) / bins
    place = np.digitize(claimed, edges[1:-1], right=True)
    return [
        _bin(float(edges[index]), float(edges[index + 1]), claimed[place == index], was_right[place == index])
        for index in range(bins)
    ]


def calibration_error(confidences: Sequence[float], right: Sequence[bool], *, bins: int = BINS) -> float:
    """Return the expected calibration error, 0..1: the mean gap between confidence and accuracy over the bins.

    ECE = sum over bins of count/n * |accuracy - mean confidence| (Guo et al. 2017, "On Calibration of Modern
    Neural Networks", eq. 5). Raises ValueError on empty or mismatched input.
    """
    _check(confidences, right)
    filled = (entry for entry in reliability(confidences, right, bins=bins) if entry.count)
    return sum(entry.count * abs((entry.accuracy or 0.0) - (entry.confidence or 0.0)) for entry in filled) / len(right)


def _bin(low: float, high: float, claimed: Floats, was_right: Floats) -> Bin:
    if not len(claimed):
        return Bin(low, high, 0, None, None)
    return Bin(low, high, len(claimed), float(claimed.mean()), float(was_right.mean()))


def _table(gold: Sequence[str], predicted: Sequence[str]) -> tuple[list[str], Counts]:
    """Return the k sorted gold classes and counts (k, k + 1); the last column holds all other predictions."""
    _check(gold, predicted)
    names = sorted(set(gold))
    place = {name: index for index, name in enumerate(names)}
    rows = [place[name] for name in gold]
    columns = [place.get(name, len(names)) for name in predicted]
    table = np.zeros((len(names), len(names) + 1), dtype=np.int64)
    np.add.at(table, (rows, columns), 1)
    return names, table


def _scores(tables: Counts) -> tuple[Floats, Floats, Floats]:
    """Return precision, recall and F1, each (..., k), of counts (..., k, k + 1)."""
    hits = np.diagonal(tables, axis1=-2, axis2=-1)
    support = tables.sum(axis=-1)
    claimed = tables[..., :-1].sum(axis=-2)
    precision, recall = hits / np.maximum(claimed, 1), hits / np.maximum(support, 1)
    return precision, recall, 2 * hits / np.maximum(claimed + support, 1)


def _check(first: Sequence[object], second: Sequence[object]) -> None:
    _check_lengths(first, second)
    if not len(first):
        raise ValueError("there is nothing to measure")


def _check_lengths(first: Sequence[object], second: Sequence[object]) -> None:
    if len(first) != len(second):
        raise ValueError(f"{len(first)} entries meet {len(second)}: each needs its counterpart")
