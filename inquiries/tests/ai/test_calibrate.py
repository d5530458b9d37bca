from __future__ import annotations

import numpy as np
import pytest

from inquiries.ai import calibrate, measures
from inquiries.ai.calibrate import Calibration


def pairs_of(temperature, bias, count, seed=3):
    """Claims of an engine whose log odds are `temperature` times too bold, and how each turned out."""
    rng = np.random.default_rng(seed)
    claims = rng.uniform(0.3, 0.99, count)
    truth = 1 / (1 + np.exp(-(np.log(claims / (1 - claims)) / temperature + bias)))
    return list(zip(claims.tolist(), (rng.random(count) < truth).tolist(), strict=True))


@pytest.mark.parametrize(("temperature", "bias"), [(1.0, 0.0), (2.5, 0.0), (0.5, 0.0), (3.0, -0.5)])
def test_the_temperature_and_bias_behind_the_pairs_are_found(temperature, bias):
    found = calibrate.fit(pairs_of(temperature, bias, 20_000))
    assert found.temperature == pytest.approx(temperature, rel=0.1)
    assert found.bias == pytest.approx(bias, abs=0.1)
    assert found.pairs == 20_000


def test_a_bold_engine_becomes_honest():
    pairs = pairs_of(3.0, 0.0, 3_000)
    claims, right = [claim for claim, _ in pairs], [was_right for _, was_right in pairs]
    found = calibrate.fit(pairs)
    assert measures.calibration_error(claims, right) > 0.1
    assert measures.calibration_error([found.apply(claim) for claim in claims], right) < 0.04


def test_a_handful_of_pairs_changes_nothing():
    found = calibrate.fit([(0.9, False)] * 29)
    assert found == Calibration(1.0, 0.0, 29)
    assert [found.apply(claim) for claim in (0.0, 0.3, 1.0)] == [0.0, 0.3, 1.0]


def test_a_bias_needs_more_pairs_than_a_temperature():
    assert calibrate.fit(pairs_of(2.0, -1.0, 199)).bias == 0.0
    assert calibrate.fit(pairs_of(2.0, -1.0, 200)).bias < 0.0


def test_thirty_lucky_answers_do_not_make_an_engine_sure():
    assert 0.7 < calibrate.fit([(0.7, True)] * 30).apply(0.7) < 0.9


def test_more_pairs_trust_the_data_more():
    few, many = (calibrate.fit(pairs_of(0.4, 0.0, count)).temperature for count in (40, 4_000))
    assert many < few < 1.0


@pytest.mark.parametrize("was_right", [True, False])
@pytest.mark.parametrize("claim", [0.0, 0.5, 1.0])
def test_one_sided_pairs_stay_within_bounds(claim, was_right):
    found = calibrate.fit([(claim, was_right)] * 500)
    assert calibrate.COOLEST <= found.temperature <= calibrate.HOTTEST
    assert abs(found.apply(claim) - was_right) < 0.05


def test_the_order_of_answers_is_kept():
    found = calibrate.fit(pairs_of(3.0, -0.5, 500))
    applied = [found.apply(claim) for claim in np.linspace(0.01, 0.99, 50)]
    assert applied == sorted(applied)
    assert len(set(applied)) == 50


def test_extreme_claims_stay_within_0_and_1():
    for found in (Calibration(0.2, 5.0, 500), Calibration(20.0, -5.0, 500)):
        assert 0.0 <= found.apply(0.0) < found.apply(1.0) <= 1.0


def test_apply_is_the_formula():
    # logit(0.8) = ln 4; half of it is ln 2; the sigmoid of ln 2 is 2/3.
    assert Calibration(2.0, 0.0, 50).apply(0.8) == pytest.approx(2 / 3)


def test_a_claim_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="no number"):
        calibrate.fit([(float("nan"), True)] * 40)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 5.0])
def test_the_temperature_behind_class_scores_is_found(temperature):
    rng = np.random.default_rng(5)
    truth = rng.normal(0.0, 2.0, (4_000, 5))
    shares = np.exp(truth) / np.exp(truth).sum(axis=1, keepdims=True)
    labels = [int(rng.choice(5, p=row)) for row in shares]
    assert calibrate.fit_temperature(np.log(shares) * temperature, labels) == pytest.approx(temperature, rel=0.1)
    # Logits differ from log probabilities by a constant for each row, which says nothing.
    logits = truth * temperature + rng.normal(0.0, 9.0, (4_000, 1))
    assert calibrate.fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.1)


def test_impossible_classes_that_happen_are_survived():
    scores = [[0.0, -np.inf]] * 100
    assert calibrate.fit_temperature(scores, [1] * 100) == calibrate.HOTTEST
    assert calibrate.fit_temperature(scores, [0] * 100) == pytest.approx(1.0)


def test_no_rows_leave_the_temperature_alone():
    assert calibrate.fit_temperature(np.zeros((0, 3)), []) == 1.0


def test_each_row_needs_its_label():
    with pytest.raises(ValueError, match="one label for each row"):
        calibrate.fit_temperature(np.zeros((2, 3)), [0])
