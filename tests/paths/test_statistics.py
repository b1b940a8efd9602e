"""Protects: barrier and largest rise, against their definitions written out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.paths import statistics

LOSSES = st.lists(st.floats(0, 10), min_size=2, max_size=20).map(np.array)


@given(LOSSES)
def test_largest_rise_is_the_largest_of_all_pairs(losses):
    t = np.linspace(0, 1, len(losses))
    rise = statistics.largest_rise(t, losses)
    assert rise.height == max(losses[j] - losses[i] for j in range(len(t)) for i in range(j + 1))
    ends = [losses[np.flatnonzero(t == value)[0]] for value in (rise.start, rise.end)]
    assert rise.start <= rise.end
    assert ends[1] - ends[0] == rise.height


@given(LOSSES)
def test_barrier_is_the_maximum_above_the_higher_end(losses):
    t = np.linspace(0, 1, len(losses))
    barrier = statistics.barrier(t, losses)
    assert barrier.height == losses.max() - max(losses[0], losses[-1])
    assert barrier.start == (0 if losses[0] >= losses[-1] else 1)
    assert losses[np.flatnonzero(t == barrier.end)[0]] == losses.max()


def test_a_descent_has_neither():
    t, losses = np.array([0.0, 0.5, 1.0]), np.array([3.0, 2.0, 1.0])
    assert statistics.largest_rise(t, losses).height == 0
    assert statistics.barrier(t, losses).height == 0


def test_a_dip_has_a_rise_but_no_barrier():
    t, losses = np.array([0.0, 0.5, 1.0]), np.array([3.0, 0.5, 1.0])
    assert statistics.largest_rise(t, losses) == statistics.Climb(0.5, 0.5, 1.0)
    assert statistics.barrier(t, losses).height == 0
