"""Protects: norms and lengths computed from inner products are those of the weights themselves."""

import numpy as np
import pytest

from sparse_rigl_lands.paths import geometry
from sparse_rigl_lands.paths.curves import Bezier, Line, PolygonalChain
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity.mask import Mask


def _points(random, count):
    weights = [{"a": random.normal(size=(3, 4)), "b": random.normal(size=5)} for _ in range(count)]
    return [
        Point({name: value.astype("float32") for name, value in w.items()}, Mask({}), {}, Origin("", "", 0, 0))
        for w in weights
    ]


def _flat(point, names=("a", "b")):
    return np.concatenate([point.weights[name].ravel().astype("float64") for name in names])


def test_squared_norms_along_a_line(random):
    start, end = _points(random, 2)
    coefficients = Line().coefficients(np.linspace(0, 1, 7))
    found = geometry.squared_norms(coefficients, geometry.gram_matrix([start, end], ["a"]))
    expected = [np.sum((c[0] * _flat(start, "a") + c[1] * _flat(end, "a")) ** 2) for c in coefficients]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_line_is_as_long_as_its_ends_are_apart(random):
    points = _points(random, 2)
    gram = geometry.gram_matrix(points, ["a", "b"])
    assert geometry.length(Line(), gram) == pytest.approx(np.linalg.norm(_flat(points[1]) - _flat(points[0])))
    assert geometry.length(Line(), geometry.gram_matrix([points[0]] * 2, ["a"])) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("bends", [1, 2, 6])
def test_length_of_a_chain_is_that_of_its_segments(random, bends):
    """Though its speed jumps at every bend."""
    points = _points(random, bends + 2)
    segments = np.linalg.norm(np.diff([_flat(point) for point in points], axis=0), axis=1)
    length = geometry.length(PolygonalChain(bends), geometry.gram_matrix(points, ["a", "b"]))
    assert length == pytest.approx(segments.sum(), rel=1e-9)


def test_length_of_a_bent_curve_is_that_of_a_fine_polygon(random):
    points = _points(random, 3)
    corners = Bezier(2).coefficients(np.linspace(0, 1, 2001)) @ np.stack([_flat(p) for p in points])
    polygon = np.linalg.norm(np.diff(corners, axis=0), axis=1).sum()
    assert geometry.length(Bezier(2), geometry.gram_matrix(points, ["a", "b"])) == pytest.approx(polygon, rel=1e-6)
