"""Protects: the t of every step is uniform, independent, and keyed by seed and step alone."""

import numpy as np
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.paths.draws import uniform


@given(st.integers(), st.integers(0, 10**6), st.integers(1, 20))
def test_they_depend_on_the_step_alone(seed, first, count):
    """However many are asked for at once, and from wherever on."""
    together = uniform(seed)(first, count)
    np.testing.assert_array_equal(together, [uniform(seed)(step, 1)[0] for step in range(first, first + count)])
    assert ((together > 0) & (together < 1)).all()


def test_they_are_uniform_and_independent_of_each_other_and_of_another_seeds():
    t = uniform(0)(0, 4000)
    assert scipy.stats.kstest(t, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(t[1:], t[:-1])[0, 1]) < 0.05
    assert abs(np.corrcoef(t, uniform(1)(0, 4000))[0, 1]) < 0.05
