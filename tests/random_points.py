"""Points at which every weight and statistic counts, random masks, and points that are combined from them by NumPy."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity import random_masks, variants
from sparse_rigl_lands.sparsity.mask import Mask


def random_mask(network: tf_keras.Model, sparsity: float, seed: int = 0) -> Mask:
    """Of this sparsity in every kernel."""
    shapes = variants.kernel_shapes(network)
    return random_masks.random(shapes, dict.fromkeys(shapes, sparsity), seed, "test")


def random_point(network: tf_keras.Model, seed: int) -> Point:
    """An initialization with noise: at initializations alone, residual branches may be off."""
    random = np.random.default_rng(seed)
    point = initializations.dense(network, Origin("small", "dense", seed, 0))
    weights = {name: value + random.normal(scale=0.1, size=value.shape) for name, value in point.weights.items()}
    statistics = {name: value + random.uniform(0.5, 1, size=value.shape) for name, value in point.statistics.items()}
    return dataclasses.replace(point, weights=float32(weights), statistics=float32(statistics))


def random_sparse_point(network: tf_keras.Model, seed: int, sparsity: float) -> Point:
    """Nothing of it is as at an initialization, and activations keep their scale in spite of its mask.

    The mask is the same for every seed: one that leaves no channel so small a variance that float32 sees much of its
    rounding.
    """
    random = np.random.default_rng(seed)
    draw = {
        "kernel": lambda shape: random.normal(scale=(2 / (1 - sparsity) / math.prod(shape[:-1])) ** 0.5, size=shape),
        "bias": lambda shape: random.normal(scale=0.3, size=shape),
        "gamma": lambda shape: random.uniform(0.5, 1.5, size=shape),
        "beta": lambda shape: random.normal(scale=0.3, size=shape),
        "moving_mean": lambda shape: random.normal(scale=0.3, size=shape),
        "moving_variance": lambda shape: random.uniform(0.5, 2.0, size=shape),
    }

    def drawn(variables: Mapping[str, tf.Variable]) -> dict[str, np.ndarray]:
        return float32({name: draw[name.rpartition("/")[2]](variable.shape) for name, variable in variables.items()})

    named = variants.named_variables(network)
    return Point(
        weights=drawn(named.weights),
        mask=random_mask(network, sparsity, seed=2),
        statistics=drawn(named.statistics),
        origin=Origin("digits", "random", seed, 0),
    )


def combined(points: Sequence[Point], coefficients: Sequence[float]) -> Point:
    """sum_i c_i theta_i in float64, weights and statistics, without a mask."""

    def combine(group: str) -> dict[str, np.ndarray]:
        values = [getattr(point, group) for point in points]
        return {
            name: np.tensordot(coefficients, [each[name].astype("float64") for each in values], 1) for name in values[0]
        }

    return Point(float32(combine("weights")), Mask({}), float32(combine("statistics")), points[0].origin)


def between(ends: Sequence[Point], t: float) -> Point:
    return combined(ends, (1 - t, t))


def float32(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.asarray(value, "float32") for name, value in values.items()}
