"""The t of every step of a curve's fitting: one for all replicas, a pure function of seed and step."""

from typing import Literal, get_args

import numpy as np

from sparse_rigl_lands import seeds
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.curve_trainer import Draws

Sampling = Literal["independent", "antithetic", "stratified"]
_STRATA = 8


def draws(sampling: Sampling, seed: int) -> Draws:
    if sampling not in get_args(Sampling):
        raise InputError(f"Fitting.sampling is {sampling!r}; known are {', '.join(get_args(Sampling))}")

    def uniform(step: int) -> float:
        return (seeds.key(seed, f"fitting/t/{step}") + 0.5) / 2**31

    def t(step: int) -> float:
        if sampling == "independent":
            return uniform(step)
        if sampling == "antithetic":
            return uniform(step) if step % 2 == 0 else 1 - uniform(step - 1)
        block, i = divmod(step, _STRATA)
        order = np.argsort([seeds.key(seed, f"fitting/stratum/{block}/{j}") for j in range(_STRATA)])
        return (order[i] + uniform(step)) / _STRATA

    return lambda first, count: np.array([t(step) for step in range(first, first + count)])
