"""Protects: what a mask does to weights, and how two masks are joined."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

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


def test_sparsity_of_all_counts_dense_kernels_too():
    shapes = {"a": (4,), "b": (2, 3)}
    mask = Mask({"a": np.array([True, False, False, False])})
    assert mask.sparsity_of_all(shapes) == 0.3
    assert mask.live_weights(shapes) == {"a": 1, "b": 6}
    assert mask.empty_kernels() == []
    assert Mask({"a": np.array([False]), "b": np.array([True, False])}).empty_kernels() == ["a"]


@given(st.integers(0, 2**12 - 1), st.integers(0, 2**12 - 1))
@example(0b111111_000011, 0b000001_111111)
@example(0, 0)
def test_overlap_is_the_jaccard_index_of_the_live_weights(first, second):
    """Against Python's sets; whole kernels, which masks do not name, are among the cases."""

    def live(bits):
        return {i for i in range(12) if bits >> i & 1}

    def mask(bits):
        array = np.array([i in live(bits) for i in range(12)])
        return Mask({"a": array[:6], "b": array[6:]})

    masked = {i for i in range(12) if not {6 * (i // 6) + j for j in range(6)} <= live(first) & live(second)}
    both, either = live(first) & live(second) & masked, (live(first) | live(second)) & masked
    assert mask(first).overlap(mask(second)) == (len(both) / len(either) if either else 1.0)
    assert mask(first).overlap(mask(second)) == mask(second).overlap(mask(first))
    assert mask(first).overlap(mask(first)) == 1


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
        ({"b": np.array([False])}, "of another network: it names b, which this one does not have"),
        ({"a": np.array([False])}, r"of another network: a has shape \(1,\), in this one \(2,\)"),
    ],
)
def test_mask_of_other_weights_is_refused(arrays, message):
    with pytest.raises(InputError, match=message):
        Mask(arrays).apply({"a": np.zeros(2, "float32")})


def test_what_is_not_zero_outside_is_counted_by_kernel():
    weights = {"a": np.array([1.0, 2.0, 0.0]), "b": np.array([0.0, 1.0]), "dense": np.ones(2)}
    mask = Mask({"a": np.array([True, False, False]), "b": np.array([False, True])})
    assert mask.nonzero_outside(weights) == {"a": 1}
    assert mask.nonzero_outside(mask.apply(weights)) == {}
    with pytest.raises(InputError, match="of another network: it names b"):
        mask.nonzero_outside({"a": weights["a"]})


def test_mask_must_be_boolean():
    with pytest.raises(InputError, match="dtype float64; it must be bool"):
        Mask({"a": np.zeros(2)})
