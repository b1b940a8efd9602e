"""Curves in weight space as pure mathematics: from t to the coefficients of the control points.

A curve of P control points theta_i is w(t) = sum_i c_i(t) theta_i. Nothing here knows of a network.
"""

import abc

import gin
import numpy as np
import scipy.special

from sparse_rigl_lands import checks
from sparse_rigl_lands.errors import InputError


def places(first: float, last: float, count: int) -> np.ndarray:
    """Values of t spread evenly, the first and the last included: float64 [count].

    They are rounded to 12 decimals, so that 0, 0.3 and 1 are just these.
    """
    return np.round(np.linspace(first, last, count), 12)


class Curve(abc.ABC):
    """A curve through the space that its control points span."""

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """In one word, for names of files: ``"line"``, ``"cubic"``, ``"chain3"``."""

    @property
    @abc.abstractmethod
    def title(self) -> str:
        """In words: ``"cubic Bezier curve"``."""

    @property
    @abc.abstractmethod
    def num_control_points(self) -> int:
        """P, the two ends included; the first is w(0), the last w(1)."""

    @property
    def breaks(self) -> np.ndarray:
        """Where in (0, 1) the derivative jumps, ascending: float64 [...]."""
        return np.empty(0)

    @abc.abstractmethod
    def coefficients(self, t: np.ndarray) -> np.ndarray:
        """c(t): float64 [...] -> [..., P]. They sum to one at every t."""

    @abc.abstractmethod
    def derivative(self, t: np.ndarray) -> np.ndarray:
        """dc/dt: float64 [...] -> [..., P]. They sum to zero at every t."""

    @abc.abstractmethod
    def refinement(self, num_control_points: int) -> np.ndarray:
        """The control points that give a curve of the same kind with fewer of them once more.

        From two control points, any curve is the straight segment at constant speed.

        Args:
          num_control_points: Q of the other curve, from 2 to P.

        Returns:
          float64 [P, Q]: every control point here as a combination of those of the other.

        Raises:
          InputError: no choice of control points here gives every such curve.
        """

    def check_refinement(self, num_control_points: int) -> None:
        """Refuses what ``refinement`` cannot be asked for: fewer than two control points, or more than here."""
        if not 2 <= num_control_points <= self.num_control_points:
            raise InputError(
                f"a {self.title} has {self.num_control_points} control points, its two ends included; "
                f"{num_control_points} do not give one"
            )


@gin.configurable(module="sparse_rigl_lands")
class Bezier(Curve):
    """w(t) = sum_i C(n, i) (1 - t)^(n - i) t^i theta_i, in the Bernstein basis of degree n.

    Args:
      degree: n, one less than the number of control points.

    Raises:
      InputError: the degree is not a whole number of at least 1.
    """

    def __init__(self, degree: int):
        checks.whole_number("Bezier.degree", degree, least=1)
        self.degree = degree

    @property
    def name(self) -> str:
        return {2: "quadratic", 3: "cubic"}.get(self.degree, f"bezier{self.degree}")

    @property
    def title(self) -> str:
        return f"{self.name} Bezier curve" if self.degree in (2, 3) else f"Bezier curve of degree {self.degree}"

    @property
    def num_control_points(self) -> int:
        return self.degree + 1

    def coefficients(self, t: np.ndarray) -> np.ndarray:
        return _bernstein(self.degree, t)

    def derivative(self, t: np.ndarray) -> np.ndarray:
        """n (b_{i-1}(t) - b_i(t)) in the basis b of degree n - 1 (Farin 2002, Curves and Surfaces for CAGD, 5.3)."""
        lower = _bernstein(self.degree - 1, t)
        beside = np.zeros_like(lower[..., :1])
        return self.degree * (np.concatenate([beside, lower], -1) - np.concatenate([lower, beside], -1))

    def refinement(self, num_control_points: int) -> np.ndarray:
        """Degree elevation: theta_i of degree n is i/n theta_{i-1} + (1 - i/n) theta_i of degree n - 1 (Farin, 6.1)."""
        self.check_refinement(num_control_points)
        matrix = np.eye(num_control_points)
        for degree in range(num_control_points, self.num_control_points):
            i = np.arange(degree + 1)[:, np.newaxis] / degree
            beside = np.zeros_like(matrix[:1])
            matrix = i * np.concatenate([beside, matrix]) + (1 - i) * np.concatenate([matrix, beside])
        return matrix


@gin.configurable(module="sparse_rigl_lands")
class Line(Bezier):
    """w(t) = (1 - t) theta_0 + t theta_1, the paper's equation 1."""

    def __init__(self) -> None:
        super().__init__(degree=1)

    @property
    def name(self) -> str:
        return "line"

    @property
    def title(self) -> str:
        return "line"


@gin.configurable(module="sparse_rigl_lands")
class PolygonalChain(Curve):
    """Straight segments from each control point to the next, one for every equal part of [0, 1].

    Outside of [0, 1] its first and its last segment go on. At a bend the derivative is that of the
    segment to come (Garipov et al. 2018, arXiv 1802.10026, section 3.3).

    Args:
      bends: the number of control points between the two ends.

    Raises:
      InputError: it is not a whole number of at least 1.
    """

    def __init__(self, bends: int):
        checks.whole_number("PolygonalChain.bends", bends, least=1)
        self.bends = bends

    @property
    def name(self) -> str:
        return f"chain{self.bends + 1}"

    @property
    def title(self) -> str:
        return f"polygonal chain of {self.bends + 1} segments"

    @property
    def num_control_points(self) -> int:
        return self.bends + 2

    @property
    def breaks(self) -> np.ndarray:
        return np.arange(1, self.bends + 1) / (self.bends + 1)

    def coefficients(self, t: np.ndarray) -> np.ndarray:
        segment, along = self._place(t)
        return _one_hot(segment, self) * (1 - along) + _one_hot(segment + 1, self) * along

    def derivative(self, t: np.ndarray) -> np.ndarray:
        segment, _ = self._place(t)
        return (self.bends + 1) * (_one_hot(segment + 1, self) - _one_hot(segment, self))

    def refinement(self, num_control_points: int) -> np.ndarray:
        """Its control points lie on the other chain, which has a bend wherever this one may have one."""
        self.check_refinement(num_control_points)
        segments = num_control_points - 1
        if (self.bends + 1) % segments:
            raise InputError(f"a {self.title} cannot take the bends of one of {segments}: they lie within its segments")
        segment, along = np.divmod(np.arange(self.num_control_points) * segments, self.bends + 1)
        along = along[:, np.newaxis] / (self.bends + 1)
        i = np.arange(num_control_points)
        return (segment[:, np.newaxis] == i) * (1 - along) + (segment[:, np.newaxis] + 1 == i) * along

    def _place(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The segment that t lies on, int [...], and how far along it, [..., 1]."""
        scaled = np.asarray(t, "float64") * (self.bends + 1)
        segment = np.clip(np.floor(scaled), 0, self.bends).astype(int)
        return segment, (scaled - segment)[..., np.newaxis]


def _bernstein(degree: int, t: np.ndarray) -> np.ndarray:
    """The Bernstein polynomials C(n, i) (1 - t)^(n - i) t^i of a degree: [...] -> [..., n + 1]."""
    t = np.asarray(t, "float64")[..., np.newaxis]
    i = np.arange(degree + 1)
    return scipy.special.binom(degree, i) * (1 - t) ** (degree - i) * t**i


def _one_hot(index: np.ndarray, curve: Curve) -> np.ndarray:
    return (np.asarray(index)[..., np.newaxis] == np.arange(curve.num_control_points)).astype("float64")
