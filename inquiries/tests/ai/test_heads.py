from __future__ import annotations

import numpy as np
import pytest

from inquiries.ai.heads import Vectors, softmax, train_head


def clouds(centres: int, each: int, spread: float = 0.3, size: int = 16) -> tuple[Vectors, list[int]]:
    """Return `each` noisy copies of `centres` orthogonal points, with their labels."""
    noise = np.random.default_rng(7)
    labels = [label for label in range(centres) for _ in range(each)]
    points = np.eye(centres, size)[labels] + spread * noise.standard_normal((len(labels), size))
    return points.astype(np.float32), labels


def test_softmax_survives_huge_scores() -> None:
    rows = softmax(np.asarray([[1e5, 0.0], [-1e5, -1e5]], dtype=np.float32))
    assert np.allclose(rows, [[1.0, 0.0], [0.5, 0.5]])


def test_head_learns_separable_classes() -> None:
    vectors, labels = clouds(4, 20)
    head = train_head(vectors, labels, 4, l2=0.03)
    assert (head.probabilities(vectors).argmax(axis=1) == labels).mean() >= 0.95


def test_probabilities_are_rows_that_sum_to_one() -> None:
    vectors, labels = clouds(3, 5)
    rows = train_head(vectors, labels, 3, l2=0.03).probabilities(vectors)
    assert rows.shape == (15, 3)
    assert np.allclose(rows.sum(axis=1), 1.0, atol=1e-5)


def test_training_is_deterministic() -> None:
    vectors, labels = clouds(3, 10)
    first, second = (train_head(vectors, labels, 3, l2=0.03) for _ in range(2))
    assert np.array_equal(first.weights, second.weights)
    assert np.array_equal(first.bias, second.bias)


def test_descent_reaches_the_minimum() -> None:
    """At the minimum the gradient of the class-balanced loss vanishes, whatever the method was."""
    vectors, labels = clouds(2, 15)
    head = train_head(vectors, labels, 2, l2=0.1)
    inputs = (vectors - head.mean) / head.scale
    error = (head.probabilities(vectors) - np.eye(2)[labels]) / len(labels)
    assert np.abs(inputs.T @ error + 0.1 * head.weights).max() < 1e-3


def test_more_regularisation_gives_smaller_weights() -> None:
    vectors, labels = clouds(3, 10)
    loose, tight = (train_head(vectors, labels, 3, l2=l2) for l2 in (0.001, 1.0))
    assert np.linalg.norm(tight.weights) < np.linalg.norm(loose.weights) / 2


def test_a_class_with_few_examples_is_still_found() -> None:
    vectors, labels = clouds(3, 40, spread=0.2)
    few = [*range(80), *range(80, 85)]
    head = train_head(vectors[few], [labels[index] for index in few], 3, l2=0.03)
    assert (head.probabilities(vectors[85:]).argmax(axis=1) == 2).mean() >= 0.8


def test_a_class_without_examples_stays_improbable() -> None:
    vectors, labels = clouds(2, 20)
    assert train_head(vectors, labels, 3, l2=0.03).probabilities(vectors)[:, 2].max() < 0.2


def test_identical_vectors_give_finite_numbers() -> None:
    vectors = np.ones((4, 8), dtype=np.float32)
    rows = train_head(vectors, [0, 0, 1, 1], 2, l2=0.03).probabilities(vectors)
    assert np.allclose(rows, 0.5, atol=1e-3)


def test_weights_count_like_copies() -> None:
    vectors, labels = clouds(2, 6)
    copied = train_head(np.concatenate([vectors, vectors[:1]]), [*labels, labels[0]], 2, l2=0.1)
    weighted = train_head(vectors, labels, 2, l2=0.1, weights=[2.0] + [1.0] * 11)
    # The mean is taken off beforehand, and of that the copy is a part; the opinions are nearly the same.
    assert np.allclose(copied.probabilities(vectors), weighted.probabilities(vectors), atol=0.02)
    plain = train_head(vectors, labels, 2, l2=0.1)
    assert weighted.probabilities(vectors[:1])[0, labels[0]] > plain.probabilities(vectors[:1])[0, labels[0]]


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_unusable_weights_are_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="positive weights"):
        train_head(np.ones((2, 4), dtype=np.float32), [0, 1], 2, l2=0.03, weights=[1.0, weight])


@pytest.mark.parametrize(("count", "labels"), [(0, []), (2, [0]), (1, [0, 1])])
def test_unusable_input_is_refused(count: int, labels: list[int]) -> None:
    with pytest.raises(ValueError, match="one label and one weight per vector"):
        train_head(np.ones((count, 4), dtype=np.float32), labels, 2, l2=0.03)
