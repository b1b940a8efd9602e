"""The control points of a curve, as points of weight space."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.curves import Curve
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity.mask import Mask


def on_curve(curve: Curve, points: Sequence[Point]) -> list[Point]:
    """The control points of a curve, where fewer may be known.

    Args:
      curve: of P control points.
      points: Q control points of a curve of the same kind, its ends included; with the two ends alone,
        the curve starts as the straight segment at constant speed.

    Returns:
      P points: those given where Q is P, and else those of the same curve, with the origin of the first.

    Raises:
      InputError: no choice of control points gives this curve, or the points are of different networks.
    """
    matrix = curve.refinement(len(points))
    if len(points) == curve.num_control_points:
        return list(points)
    inner = [_combination(points, row) for row in matrix[1:-1]]
    return [points[0], *inner, points[-1]]


def masked(points: Sequence[Point], mask: Mask) -> list[Point]:
    """The same points with the mask that their weights already obey.

    Raises:
      InputError: a point has a weight outside of the mask, or is of another network than the mask.
    """
    for i, point in enumerate(points, start=1):
        for name, count in mask.nonzero_outside(point.weights).items():
            raise InputError(f"control point {i} is not in the sparse subspace: {count:,} of {name} are outside")
    return [point.under(mask) for point in points]


def joined(points: Sequence[Point], origin: Origin) -> Point:
    """Several points as one of the product space: ``1/stem/conv/kernel``, ``2/stem/conv/kernel`` ..."""

    def together(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
        return {name_of(i, name): value for i, part in enumerate(parts, 1) for name, value in part.items()}

    return Point(
        weights=together([point.weights for point in points]),
        mask=Mask(together([point.mask.arrays for point in points])),
        statistics=together([point.statistics for point in points]),
        origin=origin,
    )


def parted(point: Point, count: int) -> list[Point]:
    """The points that ``joined`` made one; each one's method says which it is, as in ``cubic_dense_1``."""

    def part(values: Mapping[str, np.ndarray], i: int) -> dict[str, np.ndarray]:
        prefix = name_of(i, "")
        return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}

    return [
        Point(
            weights=part(point.weights, i),
            mask=Mask(part(point.mask.arrays, i)),
            statistics=part(point.statistics, i),
            origin=dataclasses.replace(point.origin, method=f"{point.origin.method}_{i}"),
        )
        for i in range(1, count + 1)
    ]


def name_of(i: int, name: str) -> str:
    """What a weight of the i-th inner control point, counted from 1, is called in the product space."""
    return f"{i}/{name}"


def _combination(points: Sequence[Point], coefficients: np.ndarray) -> Point:
    """sum_i c_i theta_i, in float64, of weights and moving statistics; no mask remains."""

    def combined(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
        def at(name: str) -> np.ndarray:
            terms = (c * part[name].astype("float64") for c, part in zip(coefficients, parts, strict=True))
            return sum(terms, np.zeros(())).astype("float32")

        return {name: at(name) for name in parts[0]}

    return Point(
        weights=combined([point.weights for point in points]),
        mask=Mask({}),
        statistics=combined([point.statistics for point in points]),
        origin=points[0].origin,
    )
