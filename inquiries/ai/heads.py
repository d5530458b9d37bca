"""A softmax classifier over sentence vectors, in numpy: trains in milliseconds and repeatably."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

_STEPS = 200
_MOMENTUM = 0.9
_EPSILON = 1e-6


@dataclass(frozen=True, slots=True)
class SoftmaxHead:
    """Multinomial logistic regression: `weights` (d, k), `bias` (k,), `mean` and `scale` (d,); float32."""

    weights: Vectors
    bias: Vectors
    mean: Vectors
    scale: Vectors

    def probabilities(self, vectors: Vectors) -> Vectors:
        """Return (n, k) rows that sum to 1 for `vectors` (n, d)."""
        return softmax(((vectors - self.mean) / self.scale) @ self.weights + self.bias)


def softmax(scores: npt.NDArray[np.floating[Any]]) -> Vectors:
    """Return row-wise exp(s) / sum(exp(s)) of (n, k) scores, with the row's maximum taken off first."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)


def train_head(
    vectors: Vectors,
    labels: Sequence[int],
    classes: int,
    *,
    l2: float,
    weights: Sequence[float] | None = None,
    steps: int = _STEPS,
) -> SoftmaxHead:
    """Fit a head for the labels 0..classes-1 to `vectors` (n, d); a class without examples stays improbable.

    `weights` (n,) > 0 say for how many examples each one counts; one each when not given. Minimises the
    class-balanced cross-entropy plus l2/2 * |weights|² by Nesterov's accelerated gradient in the form of Sutskever
    et al. 2013 (momentum 0.9). The step is 1 / (the loss's Lipschitz bound), so no learning rate is left to choose.
    Deterministic: starts at zero, draws nothing. Raises ValueError on empty or mismatched input and on weights
    that are not positive.
    """
    targets = np.asarray(labels, dtype=np.int64)
    counts = np.ones(len(targets), dtype=np.float32) if weights is None else np.asarray(weights, dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) == 0 or not len(vectors) == len(targets) == len(counts):
        raise ValueError("train_head needs one label and one weight per vector and at least one vector")
    if not (np.isfinite(counts) & (counts > 0.0)).all():
        raise ValueError("train_head needs positive weights")
    mean, scale = _standard(vectors)
    inputs = (vectors - mean) / scale
    share = _balance(targets, counts, classes)
    return SoftmaxHead(*_descend(inputs, _one_hot(targets, classes), share, l2, steps), mean, scale)


def _standard(vectors: Vectors) -> tuple[Vectors, Vectors]:
    """Return each feature's mean (d,) and one common scale (d,): the root of the mean variance.

    A scale per feature would blow up directions in which a handful of examples happen to agree.
    """
    mean = vectors.mean(axis=0)
    spread = float(np.sqrt(vectors.var(axis=0).mean())) + _EPSILON
    return mean, np.full_like(mean, max(spread, 1e-3))


def _one_hot(targets: npt.NDArray[np.int64], classes: int) -> Vectors:
    return np.eye(classes, dtype=np.float32)[targets]


def _balance(targets: npt.NDArray[np.int64], counts: Vectors, classes: int) -> Vectors:
    """Return the examples' shares (n, 1) that sum to 1: every class weighs the same, or the few are drowned."""
    masses = np.bincount(targets, weights=counts, minlength=classes).astype(np.float32)
    lifted = counts / masses[targets]
    return np.asarray(lifted / lifted.sum(), dtype=np.float32)[:, None]


def _descend(inputs: Vectors, wanted: Vectors, share: Vectors, l2: float, steps: int) -> tuple[Vectors, Vectors]:
    """Run the descent on inputs (n, d), one-hot targets (n, k) and example weights (n, 1)."""
    # The softmax Hessian is at most 1/2 of the inputs' weighted second moment (Böhning 1992), plus l2.
    widest = float((np.einsum("ij,ij->i", inputs, inputs)[:, None] * share).sum())
    rate = 1.0 / (0.5 * (_power_bound(inputs, share, widest) + 1.0) + l2)
    weights = np.zeros((inputs.shape[1], wanted.shape[1]), dtype=np.float32)
    bias = np.zeros(wanted.shape[1], dtype=np.float32)
    pull, push = np.zeros_like(weights), np.zeros_like(bias)
    for _ in range(steps):
        ahead, ahead_bias = weights + _MOMENTUM * pull, bias + _MOMENTUM * push
        error = (softmax(inputs @ ahead + ahead_bias) - wanted) * share
        # In place, because numpy would otherwise allocate four copies of the weights in every step.
        pull *= _MOMENTUM
        pull -= rate * (inputs.T @ error + l2 * ahead)
        push *= _MOMENTUM
        push -= rate * error.sum(axis=0)
        weights += pull
        bias += push
    return weights, bias


def _power_bound(inputs: Vectors, share: Vectors, ceiling: float) -> float:
    """Estimate the largest eigenvalue of inputsᵀ·diag(share)·inputs by power iteration, plus 10 %."""
    probe = np.full(inputs.shape[1], 1.0 / np.sqrt(inputs.shape[1]), dtype=np.float32)
    value = ceiling
    for _ in range(20):
        image = inputs.T @ (share[:, 0] * (inputs @ probe))
        value = float(np.linalg.norm(image))
        if value <= _EPSILON:
            return ceiling
        probe = np.asarray(image / value, dtype=np.float32)
    return min(1.1 * value, ceiling)
