"""BatchNorm's statistics estimated anew at every place of a path, in one pass over the images for all."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from sparse_rigl_lands.paths.curve_network import CurveNetwork


def batch_moments(
    network: CurveNetwork, coefficients: np.ndarray
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, dict[str, tf.Tensor]]]:
    """What a replica computes of its examples: the moments of every BatchNorm's inputs at all places.

    Args:
      network: its control points may be assigned later.
      coefficients: [K, P].

    Returns:
      A function from images, labels and weights, as that of ``evaluator.path_values``, to the number of
      examples, float32 [], and their mean and (biased) variance, float32 [K, channels] under the names of
      the moving statistics.
    """
    places = tf.constant(coefficients, tf.float32)

    def moments(images: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        if not network.statistics:  # a network without BatchNorm
            return tf.reduce_sum(weights), {}
        along = tf.map_fn(
            lambda place: network.batch_moments(images, place, weights),
            places,
            parallel_iterations=1,
            fn_output_signature={name: tf.TensorSpec(shape, tf.float32) for name, shape in network.statistics.items()},
        )
        return tf.reduce_sum(weights), along

    return moments


def moment_sums(counts: np.ndarray, moments: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Sums of one batch that can be added up over batches.

    Args:
      counts: the examples of every replica, [R].
      moments: means and variances by name, [R, K, channels].

    Returns:
      ``"count"``, float64 []; by name the count times the mean, or times the mean square: float64 [K, channels].
    """
    exact = {name: array.astype("float64") for name, array in moments.items()}
    uncentred = {
        name: array if name.endswith("/moving_mean") else array + exact[_mean_of(name)] ** 2
        for name, array in exact.items()
    }
    counts = counts.astype("float64")
    return {"count": counts.sum(), **{name: np.tensordot(counts, array, 1) for name, array in uncentred.items()}}


def statistics_of(sums: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The statistics of every place: mean and variance over all that the sums hold.

    The inputs of a BatchNorm are those that it has while the ones before it normalize by the batch. The
    variance is that around the mean of all batches, not the mean of the batches' variances.

    Args:
      sums: those of ``moment_sums``, added up over batches.

    Returns:
      float64 [K, channels] under the names of the moving statistics.
    """
    averages = {name: array / sums["count"] for name, array in sums.items() if name != "count"}
    return {
        name: average if name.endswith("/moving_mean") else np.maximum(average - averages[_mean_of(name)] ** 2, 0.0)
        for name, average in averages.items()
    }


def _mean_of(variance: str) -> str:
    return variance.removesuffix("/moving_variance") + "/moving_mean"
