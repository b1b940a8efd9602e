"""Protects: exact counts, every place alike probable, and one seed, one mask."""

import math

import numpy as np
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.sparsity.random_masks import random, shuffled


@given(st.tuples(st.integers(1, 9), st.integers(1, 40)), st.floats(0, 1), st.integers(0, 100))
def test_exactly_floor_of_the_fraction_is_zero(shape, sparsity, seed):
    mask = random({"a": shape}, {"a": sparsity}, seed, "test")
    assert math.prod(shape) - mask.live_weights({"a": shape})["a"] == math.floor(sparsity * math.prod(shape))


def test_every_place_is_masked_alike_often():
    counts = sum(~random({"a": (4, 5)}, {"a": 0.3}, seed, "test").arrays["a"] for seed in range(2000))
    assert counts.sum() == 2000 * 6
    assert scipy.stats.chisquare(counts.ravel()).pvalue > 1e-3


def test_a_kernels_draw_is_keyed_by_seed_purpose_and_name():
    shapes = {"a": (30, 30), "b": (30, 30)}
    sparsities = dict.fromkeys(shapes, 0.5)
    mask = random(shapes, sparsities, 0, "test")
    assert mask == random(dict(reversed(shapes.items())), sparsities, 0, "test")
    assert np.array_equal(random({"a": (30, 30)}, {"a": 0.5}, 0, "test").arrays["a"], mask.arrays["a"])
    others = [random(shapes, sparsities, 1, "test").arrays["a"], random(shapes, sparsities, 0, "other").arrays["a"]]
    for other in (mask.arrays["b"], *others):
        assert 0.4 < np.mean(other != mask.arrays["a"]) < 0.6


def test_a_kernel_that_is_not_named_is_dense():
    assert random({"a": (4,), "b": (4,)}, {"a": 0.5}, 0, "test").arrays.keys() == {"a"}


def test_shuffling_keeps_the_counts_and_moves_the_places():
    live = np.zeros((20, 50), bool)
    live[:3] = True
    mask = Mask({"a": live, "b": np.arange(40) < 1})
    moved = shuffled(mask, 0, "test")
    assert [np.count_nonzero(moved.arrays[name]) for name in "ab"] == [150, 1]
    assert moved.overlap(mask) < 0.3
    assert moved == shuffled(mask, 0, "test")
    assert moved != shuffled(mask, 1, "test")
    rows = moved.arrays["a"].sum(axis=1)
    assert rows.max() < 25  # not whole rows
