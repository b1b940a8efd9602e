"""Protects: the count of kept weights, and which sparsity every kernel is given."""

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.sparsity.distributions import kept_weights, uniform

SHAPES = {"stem/conv/kernel": (3, 3, 1, 16), "block/conv/kernel": (3, 3, 16, 32), "head/dense/kernel": (64, 10)}


@given(st.integers(1, 3_000_000), st.floats(0, 0.999))
def test_kept_weights_is_tfmots_count(size, sparsity):
    """tfmot's formula, evaluated by TensorFlow as in PruneLowMagnitude."""
    expected = tf.round(tf.cast(size, tf.float32) * (1 - tf.constant(sparsity, tf.float32)))
    assert kept_weights(size, sparsity) == int(expected)


def test_caps_are_upper_limits():
    caps = {"stem/conv/kernel": 0.0, "head/dense/kernel": 0.8}
    assert list(uniform(SHAPES, 0.99, caps).values()) == [0.0, 0.99, 0.8]
    assert list(uniform(SHAPES, 0.5, caps).values()) == [0.0, 0.5, 0.5]
    assert list(uniform(SHAPES, 0.5)) == list(SHAPES)


@pytest.mark.parametrize("sparsity", [-0.1, 1.0, 1.5, float("nan")])
def test_sparsity_outside_its_range_is_refused(sparsity):
    with pytest.raises(InputError, match=r"a sparsity lies in \[0, 1\)"):
        uniform(SHAPES, sparsity)


def test_cap_of_an_unknown_kernel_names_close_ones():
    with pytest.raises(InputError, match="head/dense/kernel"):
        uniform(SHAPES, 0.5, {"head/dens/kernel": 0.1})


def test_kernel_without_any_weight_is_refused_by_name():
    with pytest.raises(InputError, match="none of the 144 weights of stem/conv/kernel"):
        uniform(SHAPES, 0.998)
