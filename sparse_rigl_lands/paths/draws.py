"""The t of every step of a fit: a pure function of seed and step, and so the same on all replicas."""

from collections.abc import Callable

import numpy as np

from sparse_rigl_lands import seeds

# From a first step and a number of steps, counted from 0, to the t of each: float64 [count].
Draws = Callable[[int, int], np.ndarray]


def uniform(seed: int) -> Draws:
    """Independent t, uniform in (0, 1)."""

    def t(step: int) -> float:
        return (seeds.key(seed, f"fitting/t/{step}") + 0.5) / 2**31

    return lambda first, count: np.array([t(step) for step in range(first, first + count)])
