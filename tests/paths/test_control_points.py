"""Protects: the control points of a curve as points of weight space, and as one point of them all."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths import control_points
from sparse_rigl_lands.paths.curves import Bezier, Line, PolygonalChain
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity.mask import Mask

_LIVE = np.array([[True, False], [True, True]])


def _points(count, mask=None):
    random = np.random.default_rng(0)

    def point(seed):
        weights = {"a/kernel": random.normal(size=(2, 2)), "a/bias": random.normal(size=2)}
        weights = {name: value.astype("float32") for name, value in weights.items()}
        statistics = {"n/moving_mean": random.normal(size=2).astype("float32")}
        return Point(weights, mask or Mask({}), statistics, Origin("w", "dense", seed, 7))

    return [point(seed) for seed in range(count)]


def _at(curve, points, t, group, name):
    coefficients = curve.coefficients(np.array(t))
    return sum(c * getattr(p, group)[name] for c, p in zip(coefficients, points, strict=True))


@pytest.mark.parametrize("curve", [Line(), Bezier(2), Bezier(3), PolygonalChain(1)])
def test_between_two_points_alone_a_curve_starts_as_the_straight_segment(curve):
    ends = _points(2)
    points = control_points.on_curve(curve, ends)
    assert len(points) == curve.num_control_points
    assert (points[0], points[-1]) == tuple(ends)
    for t in (0.0, 0.2, 0.7, 1.0):
        for group, name in (("weights", "a/kernel"), ("weights", "a/bias"), ("statistics", "n/moving_mean")):
            expected = (1 - t) * getattr(ends[0], group)[name] + t * getattr(ends[1], group)[name]
            np.testing.assert_allclose(_at(curve, points, t, group, name), expected, atol=1e-6)


@pytest.mark.parametrize(("curve", "finer"), [(Bezier(2), Bezier(4)), (PolygonalChain(1), PolygonalChain(3))])
def test_a_curve_of_fewer_control_points_is_extended_without_a_change(curve, finer):
    points = _points(curve.num_control_points)
    more = control_points.on_curve(finer, points)
    for t in (0.1, 0.5, 0.8):
        found = _at(finer, more, t, "weights", "a/kernel")
        np.testing.assert_allclose(found, _at(curve, points, t, "weights", "a/kernel"), atol=1e-6)
    assert control_points.on_curve(curve, points) == points


def test_what_starts_on_a_segment_of_the_subspace_is_in_it():
    ends = _points(2, Mask({"a/kernel": _LIVE}))
    inner = control_points.on_curve(Bezier(3), ends)[1:-1]
    masked = control_points.masked(inner, ends[0].mask)
    for before, point in zip(inner, masked, strict=True):
        assert point.mask == ends[0].mask
        np.testing.assert_array_equal(point.weights["a/kernel"], before.weights["a/kernel"])
        assert point.weights["a/kernel"][0, 1] == 0


def test_a_point_outside_of_the_subspace_is_refused_rather_than_projected():
    with pytest.raises(InputError, match="control point 2 is not in the sparse subspace: 1 of a/kernel are outside"):
        control_points.masked([*_points(1, Mask({"a/kernel": _LIVE})), *_points(1)], Mask({"a/kernel": _LIVE}))


@given(st.integers(1, 12), st.booleans())
def test_joined_and_parted_again(count, sparse):
    points = _points(count, Mask({"a/kernel": _LIVE}) if sparse else None)
    origin = Origin("w", "cubic_sparse", 3, 100)
    together = control_points.joined(points, origin)
    assert together.origin == origin
    assert len(together.weights) == 2 * count
    again = control_points.parted(together, count)
    assert [point.digest() for point in again] == [point.digest() for point in points]
    assert [point.origin for point in again] == [
        dataclasses.replace(origin, method=f"cubic_sparse_{i}") for i in range(1, count + 1)
    ]
