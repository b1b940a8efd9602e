"""BatchNorm's statistics estimated anew at every place of a path, in one pass over the images for all."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from sparse_rigl_lands.paths.curve_network import CurveNetwork


def moment_sums(
    network: CurveNetwork, coefficients: np.ndarray
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], dict[str, tf.Tensor]]:
    """What a replica computes of its examples: the moments of every BatchNorm's inputs at all places.

    Args:
      network: its control points may be assigned later.
      coefficients: [K, P].

    Returns:
      A function from images, labels and weights, as that of ``evaluator.path_values``, to sums over the
      batch's n examples: ``"count"`` n, float32 [1]; and under the names of the moving statistics n times
      the batch's mean and n times its mean square, float32 [K, channels].
    """
    places = tf.constant(coefficients, tf.float32)

    def sums(images: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> dict[str, tf.Tensor]:
        count = tf.reduce_sum(weights)

        def at(place: tf.Tensor) -> dict[str, tf.Tensor]:
            moments = network.batch_moments(images, place, weights)
            return {name: count * _uncentred(name, moments) for name in network.statistics}

        signature = {name: tf.TensorSpec(shape, tf.float32) for name, shape in network.statistics.items()}
        along = tf.map_fn(at, places, parallel_iterations=1, fn_output_signature=signature)
        return {"count": count[tf.newaxis], **along}

    return sums


def _uncentred(name: str, moments: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """A mean, or a variance plus the squared mean: what can be averaged over batches."""
    if name.endswith("/moving_mean"):
        return moments[name]
    return moments[name] + tf.square(moments[_mean_of(name)])


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
