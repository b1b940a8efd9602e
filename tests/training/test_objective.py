"""Protects: the loss that is minimised and reported, against NumPy."""

import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.training.objective import Objective, decayed, in_top


@given(st.floats(0, 0.9), st.integers(0, 1000))
def test_cross_entropies_are_numpys(smoothing, seed):
    random = np.random.default_rng(seed)
    logits = random.normal(scale=5, size=(6, 4)).astype("float32")
    labels = random.integers(4, size=6, dtype="int32")
    log_p = scipy.special.log_softmax(logits.astype("float64"), axis=1)
    targets = (1 - smoothing) * np.eye(4)[labels] + smoothing / 4
    smoothed = -(targets * log_p).sum(axis=1)
    plain = -log_p[np.arange(6), labels]
    right = logits.argmax(axis=1) == labels
    found = Objective(label_smoothing=smoothing).values(labels, logits)
    np.testing.assert_allclose(found, [plain, smoothed, right, np.ones(6)], rtol=1e-4, atol=1e-5)


def test_losses_of_bfloat16_logits_are_float32(random):
    """What was rounded already is not rounded again."""
    logits = tf.cast(random.normal(scale=5, size=(6, 4)), tf.bfloat16)
    objective, labels = Objective(label_smoothing=0.1), random.integers(4, size=6)
    found = objective.values(labels, logits)
    assert found.dtype == tf.float32
    np.testing.assert_array_equal(found, objective.values(labels, tf.cast(logits, tf.float32)))


@given(st.integers(1, 7), st.integers(0, 1000))
def test_in_top_counts_the_larger_logits_and_of_equal_ones_the_first(k, seed):
    random = np.random.default_rng(seed)
    logits = random.integers(3, size=(8, 6)).astype("float32")  # few values, so that many are equal
    labels = random.integers(6, size=8)
    order = np.argsort(-logits, axis=1, kind="stable")
    expected = [label in row[:k] for label, row in zip(labels, order, strict=True)]
    np.testing.assert_array_equal(in_top(k, tf.constant(labels), tf.constant(logits)), expected)


def test_weight_decay_is_of_kernels_alone(random):
    weights = {
        name: random.normal(size=(3, 2)).astype("float32")
        for name in ("stem/conv/kernel", "stem/norm/gamma", "head/dense/kernel", "head/dense/bias")
    }
    squared = sum(np.sum(weights[name].astype("float64") ** 2) for name in ("stem/conv/kernel", "head/dense/kernel"))
    objective = Objective(weight_decay=0.01)
    assert decayed(weights) == ["stem/conv/kernel", "head/dense/kernel"]
    np.testing.assert_allclose(objective.l2(weights), 0.01 / 2 * squared, rtol=1e-6)
    np.testing.assert_allclose(objective.l2_of_squared_norm(squared), 0.01 / 2 * squared)


@pytest.mark.parametrize(
    "settings",
    [
        {"weight_decay": -1e-4},
        {"weight_decay": float("nan")},
        {"weight_decay": None},
        {"label_smoothing": 1.0},
        {"label_smoothing": -0.1},
        {"label_smoothing": "0.1"},
    ],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        Objective(**settings)
