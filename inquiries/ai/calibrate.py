"""Make a confidence mean something: of the answers that claim 80 %, eight in ten are to be right.

Temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks") divides log odds by one
number; Platt 1999 ("Probabilistic Outputs for Support Vector Machines") adds a bias. Both keep the order of
the answers. What is fitted is the slope 1/T, in which the loss is convex, by Newton's method. A normal prior
around "as claimed" stands for what we believe before anybody has corrected anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FEWEST_PAIRS = 30
FEWEST_FOR_BIAS = 200
COOLEST, HOTTEST = 0.2, 20.0
SMALLEST = 1e-4  # a claim of exactly 0 or 1 has infinite log odds, and nobody is that sure

# Standard deviations of the priors on slope and bias. Thirty confident claims outweigh them by five to one,
# thirty lukewarm ones do not.
_SLOPE_SPREAD = 0.5
_BIAS_SPREAD = 1.0
_STEPS = 100
_CLOSE = 1e-12

# Takes parameters (m,); gives the loss, its gradient (m,) and its Hessian (m, m).
_Loss = Callable[[Floats], tuple[float, Floats, Floats]]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted correction of confidences; `pairs` is how many judged answers it was fitted on."""

    temperature: float
    bias: float
    pairs: int

    @property
    def is_identity(self) -> bool:
        """Tell whether confidences stay as they are claimed."""
        return self.temperature == 1.0 and self.bias == 0.0

    def apply(self, confidence: float) -> float:
        """Return sigmoid(logit(confidence) / T + bias), 0..1, for a claim in 0..1; rising in the claim."""
        if self.is_identity:
            return confidence
        claim = min(max(confidence, SMALLEST), 1.0 - SMALLEST)
        odds = math.log(claim / (1.0 - claim)) / self.temperature + self.bias
        return 0.5 * (1.0 + math.tanh(0.5 * odds))


def fit(pairs: Sequence[tuple[float, bool]]) -> Calibration:
    """Fit a calibration to pairs of (claimed confidence in 0..1, was it right).

    Below FEWEST_PAIRS it is the identity; from FEWEST_FOR_BIAS on a bias is fitted too. The temperature lies
    in COOLEST..HOTTEST. Deterministic. Raises ValueError for a claim that is no number.
    """
    if len(pairs) < FEWEST_PAIRS:
        return Calibration(1.0, 0.0, len(pairs))
    claims = np.clip(np.asarray([claim for claim, _ in pairs], dtype=np.float64), SMALLEST, 1.0 - SMALLEST)
    if not np.isfinite(claims).all():
        raise ValueError("a claimed confidence is no number")
    odds = np.log(claims / (1.0 - claims))
    right = np.asarray([was_right for _, was_right in pairs], dtype=np.float64)
    slope, bias = _fit_odds(odds, right, has_bias=len(pairs) >= FEWEST_FOR_BIAS)
    return Calibration(1.0 / slope, bias, len(pairs))


def fit_temperature(log_probabilities: npt.ArrayLike, labels: Sequence[int]) -> float:
    """Return the T for which softmax(log_probabilities / T) fits the labels best (Guo et al. 2017, eq. 9).

    `log_probabilities` (n, k) may be logits as well, `labels` are n columns of it. T lies in
    COOLEST..HOTTEST and is 1 without any row. Deterministic. Raises ValueError on mismatched input.
    """
    scores = np.asarray(log_probabilities, dtype=np.float64)
    targets = np.asarray(labels, dtype=np.int64)
    if not len(targets) and not scores.size:
        return 1.0
    if scores.ndim != 2 or len(scores) != len(targets):
        raise ValueError("fit_temperature needs one label for each row of (n, k) scores")
    # log(0) is no score that arithmetic survives.
    scores = np.maximum(scores - scores.max(axis=1, keepdims=True), math.log(SMALLEST) * 10)
    slope = _newton(_softmax_loss(scores, targets), np.ones(1))[0]
    return 1.0 / _bounded(float(slope))


def _fit_odds(odds: Floats, right: Floats, *, has_bias: bool) -> tuple[float, float]:
    """Return slope and bias for log odds (n,) and outcomes 0 or 1 (n,)."""
    ones = np.ones_like(odds)
    spreads = np.asarray([_SLOPE_SPREAD, _BIAS_SPREAD])
    centre = np.asarray([1.0, 0.0])
    used = slice(0, 2 if has_bias else 1)
    columns = np.stack([odds, ones], axis=1)[:, used]
    found = _newton(_sigmoid_loss(columns, 0.0 * odds, right, centre[used], spreads[used]), centre[used])
    slope = _bounded(float(found[0]))
    if not has_bias:
        return slope, 0.0
    if slope != found[0]:
        # The bias belonged to the slope that the bounds refused.
        found[1:] = _newton(_sigmoid_loss(columns[:, 1:], slope * odds, right, centre[1:], spreads[1:]), centre[1:])
    return slope, float(found[1])


def _bounded(slope: float) -> float:
    return min(max(slope, 1.0 / HOTTEST), 1.0 / COOLEST)


def _sigmoid_loss(columns: Floats, offset: Floats, right: Floats, centre: Floats, spreads: Floats) -> _Loss:
    """Return the negative log posterior of sigmoid(offset + columns @ parameters), columns (n, m)."""
    precision = 1.0 / spreads**2

    def loss(parameters: Floats) -> tuple[float, Floats, Floats]:
        odds = offset + columns @ parameters
        share = 0.5 * (1.0 + np.tanh(0.5 * odds))
        distance = parameters - centre
        value = np.logaddexp(0.0, odds).sum() - right @ odds + 0.5 * (precision * distance**2).sum()
        gradient = columns.T @ (share - right) + precision * distance
        hessian = (columns.T * (share * (1.0 - share))) @ columns + np.diag(precision)
        return float(value), gradient, hessian

    return loss


def _softmax_loss(scores: Floats, targets: npt.NDArray[np.int64]) -> _Loss:
    """Return the negative log posterior of softmax(slope * scores), scores (n, k) with row maxima of 0."""
    chosen = scores[np.arange(len(targets)), targets]
    precision = 1.0 / _SLOPE_SPREAD**2

    def loss(slope: Floats) -> tuple[float, Floats, Floats]:
        # A step on the way may well try a negative slope, and the largest score is then not the last word.
        highest = (slope[0] * scores).max(axis=1, keepdims=True)
        powers = np.exp(slope[0] * scores - highest)
        totals = powers.sum(axis=1)
        shares = powers / totals[:, None]
        mean = (shares * scores).sum(axis=1)
        spread = (shares * scores**2).sum(axis=1) - mean**2
        distance = slope - 1.0
        value = (np.log(totals) + highest[:, 0] - slope[0] * chosen).sum() + 0.5 * precision * (distance**2).sum()
        gradient = (mean - chosen).sum() + precision * distance
        return float(value), gradient, np.asarray([[spread.sum() + precision]])

    return loss


def _newton(loss: _Loss, start: Floats) -> Floats:
    """Minimise a strictly convex loss; steps are halved until they gain, so none overshoots."""
    point = start.astype(np.float64)
    value, gradient, hessian = loss(point)
    for _ in range(_STEPS):
        step = np.linalg.solve(hessian, gradient)
        # Twice what the step still promises to gain (Boyd and Vandenberghe 2004, 9.5.1).
        promise = float(gradient @ step)
        if promise < _CLOSE:
            break
        scale = 1.0
        while scale > _CLOSE and loss(point - scale * step)[0] > value - 0.1 * scale * promise:
            scale *= 0.5
        point = point - scale * step
        value, gradient, hessian = loss(point)
    return point
