"""Protects: a path as a value: its ends, its mask, its control points, and what is refused."""

import dataclasses

import numpy as np
import pytest

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.curves import Bezier, Line
from sparse_rigl_lands.paths.weight_path import WeightPath
from sparse_rigl_lands.sparsity import variants
from tests.random_points import random_mask, random_point


@pytest.fixture
def points(network):
    return [random_point(network, seed) for seed in range(4)]


@pytest.fixture
def mask(network):
    return random_mask(network, 0.5)


def test_the_ends_are_put_under_the_rules_mask_and_kept_as_they_are_beside_it(network, points, mask):
    start, end = points[0], points[1].under(mask)
    path = WeightPath.between(network, start, end, Bezier(2), through=[points[2]])
    assert (path.mask, path.rule) == (mask, "end")
    assert (path.start, path.end) == (start, end)
    assert [p.digest() for p in path.control_points] == [p.digest() for p in (start.under(mask), points[2], end)]
    unmasked = WeightPath.between(network, start, end, Line(), "none")
    assert [p.digest() for p in unmasked.control_points] == [
        start.digest(), dataclasses.replace(end, mask=unmasked.mask).digest()
    ]  # fmt: skip


def test_other_control_points_between_the_same_ends(network, points):
    path = WeightPath.between(network, *points[:2], Bezier(3))
    other = path.through(points[2:])
    expected = [points[0], points[2], points[3], points[1]]
    assert [point.digest() for point in other.control_points] == [point.digest() for point in expected]
    assert other.inner == points[2:]
    assert len(path.inner) == 2


def test_squared_norms_and_length_are_those_of_the_weights_on_the_curve(network, points):
    path = WeightPath.between(network, points[0], points[1], Bezier(3), through=points[2:])
    order = [points[0], points[2], points[3], points[1]]

    def flat(t, names):
        c = path.curve.coefficients(np.array(t))
        return sum(
            ci * np.concatenate([p.weights[n].ravel() for n in names]).astype("float64")
            for ci, p in zip(c, order, strict=True)
        )

    kernels = list(variants.kernel_shapes(network))
    found = path.squared_norms(np.array([0.0, 0.3, 1.0]), kernels)
    np.testing.assert_allclose(found, [np.sum(flat(t, kernels) ** 2) for t in (0.0, 0.3, 1.0)], rtol=1e-6)
    corners = np.stack([flat(t, points[0].weights) for t in np.linspace(0, 1, 501)])
    assert path.length() == pytest.approx(np.linalg.norm(np.diff(corners, axis=0), axis=1).sum(), rel=1e-4)


def test_a_point_of_another_network_is_named(network, points):
    other = dataclasses.replace(points[2], weights={**points[2].weights, "stem/conv/kernel": np.zeros(3, "float32")})
    for arguments, name in (
        ((other, points[1], Bezier(2)), "start"),
        ((points[0], other, Bezier(2)), "end"),
        ((*points[:2], Bezier(2), "auto", [other]), "control point 1"),
    ):
        with pytest.raises(InputError, match=f"the {name}: .* is of another network: stem/conv/kernel has shape"):
            WeightPath.between(network, *arguments)


def test_too_many_control_points_give_no_curve(network, points):
    with pytest.raises(InputError, match="a quadratic Bezier curve has 3 control points, .* 4 do not give one"):
        WeightPath.between(network, *points[:2], Bezier(2), through=points[2:])
