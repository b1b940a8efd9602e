"""A path: a curve through points of weight space, before anything is known of the loss along it."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths import control_points, geometry
from sparse_rigl_lands.paths.curves import Curve
from sparse_rigl_lands.paths.masks import MaskRule, path_mask
from sparse_rigl_lands.points.point import Point, check_fit
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask


@dataclasses.dataclass(frozen=True, eq=False)
class WeightPath:
    """A curve between two points.

    Args:
      start: the point at t = 0, under its own mask.
      end: the point at t = 1, under its own mask.
      curve: the curve.
      control_points: P of them; the first and the last are the two ends under the path's mask.
      mask: the path's.
      rule: how it was chosen, for the record, see ``path_mask``.
    """

    start: Point
    end: Point
    curve: Curve
    control_points: Sequence[Point]
    mask: Mask
    rule: str

    @classmethod
    def between(
        cls,
        network: tf_keras.Model,
        start: Point,
        end: Point,
        curve: Curve,
        rule: MaskRule = "auto",
        through: Sequence[Point] = (),
    ) -> "WeightPath":
        """The curve between two points.

        Args:
          network: whose weight space it is.
          start: the point at t = 0.
          end: the point at t = 1.
          curve: the curve.
          rule: how to choose the mask that both ends are put under.
          through: the control points between the ends, which are not masked. Where there are fewer than
            the curve has, it is the same curve as that of these; without any, the straight segment.

        Raises:
          InputError: a point is of another network, the rule is unknown, or no choice of control points
            gives the curve.
        """
        inner = {f"control point {i}": point for i, point in enumerate(through, start=1)}
        named = variants.named_variables(network)
        for name, point in {"start": start, "end": end, **inner}.items():
            try:
                check_fit(point, {**named.weights, **named.statistics})
            except InputError as error:
                raise InputError(f"the {name}: {error}") from error
        mask, rule_used = path_mask(start, end, rule)
        points = control_points.on_curve(curve, [start.under(mask), *through, end.under(mask)])
        return cls(start, end, curve, points, mask, rule_used)

    @property
    def inner(self) -> Sequence[Point]:
        """The control points between the ends."""
        return self.control_points[1:-1]

    def through(self, inner: Sequence[Point]) -> "WeightPath":
        """The path between the same ends with other control points between them."""
        first, *_, last = self.control_points
        return dataclasses.replace(self, control_points=[first, *inner, last])

    def squared_norms(self, t: np.ndarray, names: Iterable[str]) -> np.ndarray:
        """||w(t)||^2 over some of the weights: float64 [K] -> [K]."""
        return geometry.squared_norms(self.curve.coefficients(t), geometry.gram_matrix(self.control_points, names))

    def length(self) -> float:
        """The Euclidean length, over all weights."""
        return geometry.length(self.curve, geometry.gram_matrix(self.control_points, self.start.weights))
