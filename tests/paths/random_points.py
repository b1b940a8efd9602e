"""Points at which every weight and statistic counts, and points between two of them by NumPy."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tf_keras

from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin, Point


def random_point(network: tf_keras.Model, seed: int) -> Point:
    """An initialization with noise: at initializations alone, residual branches may be off."""
    random = np.random.default_rng(seed)
    point = initializations.dense(network, Origin("small", "dense", seed, 0))
    weights = {name: value + random.normal(scale=0.1, size=value.shape) for name, value in point.weights.items()}
    statistics = {name: value + random.uniform(0.5, 1, size=value.shape) for name, value in point.statistics.items()}
    return dataclasses.replace(point, weights=_float32(weights), statistics=_float32(statistics))


def between(ends: Sequence[Point], t: float) -> Point:
    """(1 - t) start + t end, weights and statistics, without a mask."""
    start, end = ends

    def combined(group: str) -> dict[str, np.ndarray]:
        of_start, of_end = getattr(start, group), getattr(end, group)
        return _float32({name: (1 - t) * of_start[name].astype("float64") + t * of_end[name] for name in of_start})

    return dataclasses.replace(start, weights=combined("weights"), statistics=combined("statistics"))


def _float32(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.asarray(value, "float32") for name, value in values.items()}
