"""Lengths and norms along a curve, from the inner products of its control points.

With the Gram matrix G_ij = <theta_i, theta_j>, the squared norm of w(t) is c(t)' G c(t): whatever the
number of values of t, the weights are read once.
"""

import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np
import scipy.integrate

from sparse_rigl_lands.paths.curves import Curve
from sparse_rigl_lands.points.point import Point


def gram_matrix(points: Sequence[Point], names: Iterable[str]) -> np.ndarray:
    """Inner products of points over some of their weights.

    Args:
      points: P of them.
      names: the weights that count.

    Returns:
      float64 [P, P].
    """
    gram = np.zeros((len(points), len(points)))
    for name in names:
        rows = np.stack([point.weights[name].ravel().astype("float64") for point in points])
        gram += rows @ rows.T
    return gram


def squared_norms(coefficients: np.ndarray, gram: np.ndarray) -> np.ndarray:
    """||sum_i c_i theta_i||^2 of every row of coefficients: [..., P], [P, P] -> [...]."""
    return np.einsum("...i,ij,...j", coefficients, gram, coefficients)


def length(curve: Curve, gram: np.ndarray) -> float:
    """The Euclidean length of a curve, the integral of ||w'(t)|| over [0, 1]."""

    def speed(t: float) -> float:
        squared = float(squared_norms(curve.derivative(np.array(t)), gram))
        return math.sqrt(max(squared, 0.0))  # rounding may leave a small negative

    smooth = itertools.pairwise([0.0, *curve.breaks, 1.0])
    return sum(float(scipy.integrate.quad(speed, first, last)[0]) for first, last in smooth)
