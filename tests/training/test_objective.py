"""Protects: the loss that is minimised and reported, against NumPy."""

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.training.objective import Objective, decayed


@given(st.floats(0, 0.9), st.integers(0, 1000))
def test_cross_entropies_are_numpys(smoothing, seed):
    random = np.random.default_rng(seed)
    logits = random.normal(scale=5, size=(6, 4)).astype("float32")
    labels = random.integers(4, size=6, dtype="int32")
    weights = np.array([1, 1, 0, 1, 1, 0], "float32")
    log_p = scipy.special.log_softmax(logits.astype("float64"), axis=1)
    targets = (1 - smoothing) * np.eye(4)[labels] + smoothing / 4
    smoothed = -(targets * log_p).sum(axis=1)
    plain = -log_p[np.arange(6), labels]
    right = logits.argmax(axis=1) == labels
    expected = [4, plain @ weights, plain**2 @ weights, smoothed @ weights, right @ weights]
    found = Objective(label_smoothing=smoothing).sums(labels, logits, weights)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    poisoned = np.where(weights[:, None] == 0, np.nan, logits)  # whatever padding gives counts for nothing
    np.testing.assert_array_equal(Objective(label_smoothing=smoothing).sums(labels, poisoned, weights), found)


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
    [{"weight_decay": -1e-4}, {"weight_decay": float("nan")}, {"label_smoothing": 1.0}, {"label_smoothing": -0.1}],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        Objective(**settings)
