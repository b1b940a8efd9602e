"""Protects: what a mask does to weights, and how two masks are joined."""

import numpy as np
import pytest

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.sparsity.mask import Mask


def test_masked_entries_are_exactly_zero_and_the_others_untouched(random):
    weights = {"a": random.normal(size=(4, 5)).astype("float32"), "b": -np.ones(3, "float32")}
    live = random.random((4, 5)) < 0.5
    applied = Mask({"a": live}).apply(weights)
    np.testing.assert_array_equal(applied["a"][live], weights["a"][live])
    assert not applied["a"][~live].any()
    assert not np.signbit(applied["a"][~live]).any()  # no -0.0
    assert applied["b"] is weights["b"]


def test_sparsity():
    assert Mask({"a": np.array([True, False, False, False])}).sparsity("a") == 0.75


def test_union_is_live_where_either_is_and_dense_where_one_is_silent():
    first = Mask({"a": np.array([True, False]), "only in first": np.array([False])})
    second = Mask({"a": np.array([False, False])})
    assert first.union(second) == Mask({"a": np.array([True, False])})
    assert first.union(Mask({})) == Mask({})


def test_equality_is_of_values():
    assert Mask({"a": np.array([False])}) == Mask({"a": np.array([False])})
    assert Mask({"a": np.array([True, False])}) != Mask({"a": np.array([False, True])})
    assert Mask({"a": np.array([False])}) != Mask({})


def test_a_kernel_without_zeros_is_dense_however_it_is_written():
    assert Mask({"a": np.array([True])}) == Mask({})
    assert Mask({"a": np.array([True])}).sparsity("a") == 0


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"b": np.array([False])}, "b, which is not among the weights"),
        ({"a": np.array([False])}, r"mask of a has shape \(1,\), the weight \(2,\)"),
    ],
)
def test_mask_of_other_weights_is_refused(arrays, message):
    with pytest.raises(InputError, match=message):
        Mask(arrays).apply({"a": np.zeros(2, "float32")})


def test_mask_must_be_boolean():
    with pytest.raises(InputError, match="dtype float64; it must be bool"):
        Mask({"a": np.zeros(2)})
