"""The t of every step of a fit: a pure function of seed and step, and so the same on all replicas."""

from collections.abc import Callable

import numpy as np

from sparse_rigl_lands import seeds

# From a first step and a number of steps, counted from 0, to the t of each: float64 [count].
Draws = Callable[[int, int], np.ndarray]


def draws(seed: int, strata: int = 1) -> Draws:
    """The t of every step, each uniform in (0, 1).

    Args:
      seed: keys them.
      strata: with S > 1 the t of steps 0 to S - 1, S to 2 S - 1 ... fall one into each of S equal parts
        of [0, 1], in a random order: a step's t by itself is still uniform, but what momentum averages
        over consecutive steps varies less. With 1 all are independent.
    """

    def t(step: int) -> float:
        block, i = divmod(step, strata)
        order = np.random.default_rng(seeds.key(seed, f"fitting/strata/{block}")).permutation(strata)
        within = (seeds.key(seed, f"fitting/t/{step}") + 0.5) / 2**31
        return (order[i] + within) / strata

    return lambda first, count: np.array([t(step) for step in range(first, first + count)])
