"""Protects: the mathematics of curves."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.paths.curves import Line, places

TIMES = st.lists(st.floats(0, 1), min_size=1, max_size=10).map(np.array)


@given(TIMES)
def test_line_is_the_papers_equation(t):
    coefficients = Line().coefficients(t)
    np.testing.assert_array_equal(coefficients, np.stack([1 - t, t], axis=1))
    np.testing.assert_allclose(coefficients.sum(axis=-1), 1)


def test_line_starts_and_ends_at_its_control_points():
    np.testing.assert_array_equal(Line().coefficients(np.array([0.0, 1.0])), np.eye(2))


@given(st.floats(0.01, 0.99))
def test_derivative_is_the_finite_difference(t):
    step = 1e-4
    difference = (Line().coefficients(np.array(t + step)) - Line().coefficients(np.array(t - step))) / (2 * step)
    np.testing.assert_allclose(Line().derivative(np.array(t)), difference, atol=1e-8)


def test_places_are_round_numbers():
    np.testing.assert_array_equal(places(-0.1, 1.1, 13), [-0.1, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1])
    np.testing.assert_allclose(places(0, 1, 51), np.linspace(0, 1, 51), atol=1e-12)
