"""Protects: the t of every step is uniform, keyed by seed and step alone, and spread over [0, 1] where asked for."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.paths.draws import draws


@given(st.integers(), st.integers(1, 9), st.integers(0, 10**6), st.integers(1, 20))
def test_they_depend_on_the_step_alone(seed, strata, first, count):
    """However many are asked for at once, and from wherever on."""
    together = draws(seed, strata)(first, count)
    np.testing.assert_array_equal(together, [draws(seed, strata)(step, 1)[0] for step in range(first, first + count)])
    assert ((together > 0) & (together < 1)).all()


@pytest.mark.parametrize("strata", [1, 8])
def test_they_are_uniform_and_those_of_another_seed_are_others(strata):
    t = draws(0, strata)(0, 4000)
    assert scipy.stats.kstest(t, "uniform").pvalue > 0.01
    assert scipy.stats.kstest(t[::strata], "uniform").pvalue > 0.01  # the first of each block by itself
    other = draws(1, strata)(0, 4000)
    assert abs(np.corrcoef(t, other)[0, 1]) < 0.05


def test_independent_ones_are_not_correlated_from_step_to_step():
    t = draws(0)(0, 4000)
    assert abs(np.corrcoef(t[1:], t[:-1])[0, 1]) < 0.05


@given(st.integers(0, 100), st.integers(2, 9))
def test_every_block_has_one_in_each_stratum(seed, strata):
    blocks = draws(seed, strata)(0, 5 * strata).reshape(5, strata)
    np.testing.assert_array_equal(np.sort(np.floor(blocks * strata), axis=1), np.tile(np.arange(strata), (5, 1)))


def test_the_order_of_the_strata_changes():
    orders = np.floor(draws(0, 8)(0, 80) * 8).reshape(10, 8)
    assert len(np.unique(orders, axis=0)) == 10
