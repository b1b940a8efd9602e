"""Curves in weight space as pure mathematics: from t to the coefficients of the control points.

A curve of P control points theta_i is w(t) = sum_i c_i(t) theta_i. Nothing here knows of a network.
"""

import abc

import gin
import numpy as np


def places(first: float, last: float, count: int) -> np.ndarray:
    """Values of t spread evenly, the first and the last included: float64 [count].

    They are rounded to 12 decimals, so that 0, 0.3 and 1 are just these.
    """
    return np.round(np.linspace(first, last, count), 12)


class Curve(abc.ABC):
    """A curve through the space that its control points span."""

    name: str

    @property
    @abc.abstractmethod
    def num_control_points(self) -> int:
        """P, the two ends included; the first is w(0), the last w(1)."""

    @abc.abstractmethod
    def coefficients(self, t: np.ndarray) -> np.ndarray:
        """c(t): float64 [...] -> [..., P]. They sum to one at every t."""

    @abc.abstractmethod
    def derivative(self, t: np.ndarray) -> np.ndarray:
        """dc/dt: float64 [...] -> [..., P]. They sum to zero at every t."""


@gin.configurable(module="sparse_rigl_lands")
class Line(Curve):
    """w(t) = (1 - t) theta_0 + t theta_1, the paper's equation 1."""

    name = "line"

    @property
    def num_control_points(self) -> int:
        return 2

    def coefficients(self, t: np.ndarray) -> np.ndarray:
        t = np.asarray(t, "float64")
        return np.stack([1 - t, t], axis=-1)

    def derivative(self, t: np.ndarray) -> np.ndarray:
        ones = np.ones_like(np.asarray(t, "float64"))
        return np.stack([-ones, ones], axis=-1)
