from __future__ import annotations

import numpy as np
import pytest

from inquiries.ai import measures
from inquiries.ai.measures import NO_ANSWER, Bin, ClassScore

# Two of three A are found, one B of two; "C" is only ever predicted.
GOLD = ["A", "A", "A", "B", "B"]
PREDICTED = ["A", "A", "B", "B", "C"]


def slow_macro_f1(gold, predicted):
    """The definition, spelled out."""
    scores = []
    for name in set(gold):
        hits = sum(want == got == name for want, got in zip(gold, predicted, strict=True))
        scores.append(2 * hits / (gold.count(name) + predicted.count(name)))
    return sum(scores) / len(scores)


def test_accuracy_is_the_share_of_right_answers():
    assert measures.accuracy(GOLD, PREDICTED) == pytest.approx(3 / 5)


def test_classes_have_precision_recall_and_f1():
    assert measures.class_scores(GOLD, PREDICTED) == {
        "A": ClassScore(1.0, pytest.approx(2 / 3), pytest.approx(4 / 5), 3),
        "B": ClassScore(0.5, 0.5, 0.5, 2),
    }


def test_a_class_that_is_never_predicted_has_no_precision_to_speak_of():
    assert measures.class_scores(["A"], ["B"]) == {"A": ClassScore(0.0, 0.0, 0.0, 1)}


def test_macro_f1_averages_over_the_gold_classes():
    assert measures.macro_f1(GOLD, PREDICTED) == pytest.approx((4 / 5 + 1 / 2) / 2)


def test_a_missing_answer_lowers_recall_and_no_precision():
    scores = measures.class_scores(["A", "A", "B"], ["A", NO_ANSWER, "B"])
    assert (scores["A"].precision, scores["A"].recall) == (1.0, 0.5)
    assert scores["B"] == ClassScore(1.0, 1.0, 1.0, 1)


def test_confusion_counts_each_pair():
    assert measures.confusion(GOLD, PREDICTED) == {"A": {"A": 2, "B": 1}, "B": {"B": 1, "C": 1}}


def test_the_interval_is_that_of_drawing_messages_again():
    rng = np.random.default_rng(7)
    gold = rng.choice(["A", "B", "C"], 120, p=[0.5, 0.4, 0.1]).tolist()
    predicted = [want if rng.random() < 0.7 else str(rng.choice(["A", "B", "C", "D"])) for want in gold]
    means = []
    for _ in range(2000):
        drawn = rng.integers(0, len(gold), len(gold))
        means.append(slow_macro_f1([gold[i] for i in drawn], [predicted[i] for i in drawn]))
    low, high = measures.macro_f1_interval(gold, predicted)
    assert low < measures.macro_f1(gold, predicted) < high
    assert [low, high] == pytest.approx(np.percentile(means, [2.5, 97.5]).tolist(), abs=0.02)


def test_the_interval_is_the_same_each_time():
    assert measures.macro_f1_interval(GOLD, PREDICTED) == measures.macro_f1_interval(GOLD, PREDICTED)


def test_a_perfect_engine_leaves_no_doubt_even_where_a_class_is_rare():
    gold = ["A"] * 30 + ["B"]
    assert measures.macro_f1_interval(gold, gold) == (1.0, 1.0)


def test_calibration_error_is_the_mean_gap_over_the_bins():
    # Bin (0.8, 0.9]: claims 0.85, half right, gap 0.35. Bin (0.1, 0.2]: claims 0.2, none right, gap 0.2.
    confidences, right = [0.82, 0.88, 0.2, 0.2], [True, False, False, False]
    assert measures.calibration_error(confidences, right) == pytest.approx(0.5 * 0.35 + 0.5 * 0.2)


def test_honest_confidence_has_no_calibration_error():
    assert measures.calibration_error([0.75] * 4, [True, True, True, False]) == pytest.approx(0.0)


def test_bins_are_half_open_and_cover_everything():
    bins = measures.reliability([0.0, 0.1, 0.3, 0.31, 0.7, 1.0], [False, True, True, False, True, True])
    assert [entry.count for entry in bins] == [2, 0, 1, 1, 0, 0, 1, 0, 0, 1]
    assert bins[0] == Bin(0.0, 0.1, 2, pytest.approx(0.05), 0.5)
    assert bins[1] == Bin(0.1, 0.2, 0, None, None)
    assert (bins[-1].low, bins[-1].high) == (0.9, 1.0)


def test_no_answers_make_ten_empty_bins():
    assert [entry.count for entry in measures.reliability([], [])] == [0] * 10


@pytest.mark.parametrize(
    "measure",
    [
        measures.accuracy,
        measures.class_scores,
        measures.macro_f1,
        measures.macro_f1_interval,
        measures.confusion,
        measures.calibration_error,
    ],
)
def test_nothing_and_halves_cannot_be_measured(measure):
    with pytest.raises(ValueError, match="nothing to measure"):
        measure([], [])
    with pytest.raises(ValueError, match="counterpart"):
        measure(["A"], [])
