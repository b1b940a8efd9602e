"""Protects: the mathematics of curves."""

import numpy as np
import pytest
import scipy.interpolate
import scipy.special
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.curves import Bezier, Line, PolygonalChain, places

TIMES = st.lists(st.floats(0, 1), min_size=1, max_size=10).map(np.array)
ANYWHERE = st.lists(st.floats(-1, 2), min_size=1, max_size=10).map(np.array)
BEZIERS = st.integers(1, 8).map(Bezier)
CHAINS = st.integers(1, 8).map(PolygonalChain)
CURVES = st.one_of(st.just(Line()), BEZIERS, CHAINS)


@given(ANYWHERE)
def test_line_is_the_papers_equation(t):
    np.testing.assert_array_equal(Line().coefficients(t), np.stack([1 - t, t], axis=1))


@given(BEZIERS, TIMES.map(lambda t: t.round(9)))  # SciPy fails on the smallest of all numbers
def test_bezier_coefficients_are_binomial_probabilities(curve, t):
    expected = scipy.stats.binom.pmf(np.arange(curve.degree + 1), curve.degree, t[:, None])
    np.testing.assert_allclose(curve.coefficients(t), expected, atol=1e-12)


def test_quadratic_and_cubic_as_they_are_written():
    t = np.linspace(-0.5, 1.5, 9)
    u = 1 - t
    np.testing.assert_allclose(Bezier(2).coefficients(t), np.stack([u**2, 2 * u * t, t**2], 1), atol=1e-15)
    np.testing.assert_allclose(
        Bezier(3).coefficients(t), np.stack([u**3, 3 * u**2 * t, 3 * u * t**2, t**3], 1), atol=1e-15
    )


@given(BEZIERS, ANYWHERE)
def test_bezier_curve_and_its_derivative_are_scipys_polynomial(curve, t):
    control_points = np.random.default_rng(0).normal(size=(curve.num_control_points, 3))
    polynomial = scipy.interpolate.BPoly(control_points[:, None], [0, 1])
    np.testing.assert_allclose(curve.coefficients(t) @ control_points, polynomial(t), rtol=1e-9, atol=1e-9)
    derivative = polynomial.derivative()(t)
    np.testing.assert_allclose(curve.derivative(t) @ control_points, derivative, rtol=1e-9, atol=1e-8)


@given(CHAINS, TIMES)
def test_chain_is_linear_between_its_control_points(curve, t):
    control_points = np.random.default_rng(0).normal(size=curve.num_control_points)
    expected = np.interp(t, np.linspace(0, 1, curve.num_control_points), control_points)
    np.testing.assert_allclose(curve.coefficients(t) @ control_points, expected, atol=1e-12)


def test_chain_goes_on_outside():
    """0, 1 and 5 at t = 0, 1/2 and 1: slopes 2 and 8."""
    chain, control_points = PolygonalChain(1), np.array([0.0, 1.0, 5.0])
    np.testing.assert_allclose(chain.coefficients(np.array([-1.0, 2.0])) @ control_points, [-2, 13])
    slopes = chain.derivative(np.array([-1.0, 0.0, 0.49, 0.5, 1.0, 2.0])) @ control_points
    np.testing.assert_allclose(slopes, [2, 2, 2, 8, 8, 8])


@given(CURVES, ANYWHERE)
def test_coefficients_sum_to_one_and_derivatives_to_zero(curve, t):
    np.testing.assert_allclose(curve.coefficients(t).sum(axis=-1), 1, atol=1e-8)
    np.testing.assert_allclose(curve.derivative(t).sum(axis=-1), 0, atol=1e-8)


@given(CURVES, TIMES)
def test_within_the_hull_of_its_control_points(curve, t):
    assert (curve.coefficients(t) >= 0).all()


@given(CURVES)
def test_starts_and_ends_exactly_at_its_control_points(curve):
    coefficients = curve.coefficients(np.array([0.0, 1.0]))
    np.testing.assert_array_equal(coefficients, np.eye(curve.num_control_points)[[0, -1]])


@given(CURVES, st.floats(0.01, 0.99))
def test_derivative_is_the_finite_difference(curve, t):
    step = 1e-5
    if isinstance(curve, PolygonalChain):  # away from its bends
        t = (np.floor(t * (curve.bends + 1)) + 0.5) / (curve.bends + 1)
    difference = (curve.coefficients(np.array(t + step)) - curve.coefficients(np.array(t - step))) / (2 * step)
    np.testing.assert_allclose(curve.derivative(np.array(t)), difference, atol=1e-6)


@given(st.integers(1, 5), st.integers(0, 4), ANYWHERE)
def test_an_elevated_bezier_curve_is_the_same_curve(degree, more, t):
    matrix = Bezier(degree + more).refinement(degree + 1)
    np.testing.assert_allclose(
        Bezier(degree + more).coefficients(t) @ matrix, Bezier(degree).coefficients(t), atol=1e-6, rtol=1e-8
    )


@given(st.integers(1, 4), st.integers(2, 3), ANYWHERE)
def test_a_refined_chain_is_the_same_chain(segments, times, t):
    finer = PolygonalChain(segments * times - 1)
    coarse = PolygonalChain(segments - 1) if segments > 1 else Line()
    matrix = finer.refinement(segments + 1)
    np.testing.assert_allclose(finer.coefficients(t) @ matrix, coarse.coefficients(t), atol=1e-10)


@given(CURVES)
def test_from_two_control_points_it_is_the_straight_segment(curve):
    i = np.linspace(0, 1, curve.num_control_points)
    np.testing.assert_allclose(curve.refinement(2), np.stack([1 - i, i], axis=1), atol=1e-12)
    np.testing.assert_array_equal(curve.refinement(curve.num_control_points), np.eye(curve.num_control_points))


@pytest.mark.parametrize(
    ("curve", "given", "message"),
    [
        (Bezier(2), 4, "a quadratic Bezier curve has 3 control points, its two ends included; 4 do not give one"),
        (Bezier(3), 1, "1 do not give one"),
        (PolygonalChain(2), 3, "a polygonal chain of 3 segments cannot take the bends of one of 2"),
    ],
)
def test_control_points_that_give_no_such_curve(curve, given, message):
    with pytest.raises(InputError, match=message):
        curve.refinement(given)


@pytest.mark.parametrize("value", [0, -1, 2.0, True, "2"])
def test_counts_are_whole_and_positive(value):
    with pytest.raises(InputError, match="Bezier.degree is .*; it must be a whole number of at least 1"):
        Bezier(value)
    with pytest.raises(InputError, match="PolygonalChain.bends is .*; it must be a whole number of at least 1"):
        PolygonalChain(value)


def test_places_are_round_numbers():
    np.testing.assert_array_equal(places(-0.1, 1.1, 13), [-0.1, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1])
    np.testing.assert_allclose(places(0, 1, 51), np.linspace(0, 1, 51), atol=1e-12)


def test_names_in_one_word_and_in_words():
    curves = [Line(), Bezier(2), Bezier(3), Bezier(5), PolygonalChain(2)]
    assert [curve.name for curve in curves] == ["line", "quadratic", "cubic", "bezier5", "chain3"]
    assert [curve.title for curve in curves] == [
        "line",
        "quadratic Bezier curve",
        "cubic Bezier curve",
        "Bezier curve of degree 5",
        "polygonal chain of 3 segments",
    ]
