"""The loss along a path, in one pass over the data."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.training.evaluation import Evaluation, accumulate
from sparse_rigl_lands.training.objective import SUMS, Objective


def evaluate(
    network: CurveNetwork,
    coefficients: np.ndarray,
    objective: Objective,
    batches: tf.data.Dataset,
    strategy: tf.distribute.Strategy,
    on_batch: Callable[[int], None] = lambda examples: None,
) -> Evaluation:
    """Evaluates a path: every batch is read once and serves all K places before the next is read.

    One compiled function loops over the places, so memory does not grow with K: it is that of the
    control points, one combined set of weights, and one batch's activations.

    Args:
      network: made under ``strategy``, its control points assigned.
      coefficients: [K, P].
      objective: for the smoothing.
      batches, strategy, on_batch: see ``accumulate``. With batch statistics each replica's share of
        a batch is normalized by itself, so that R replicas on batches of R * n examples agree with
        one on batches of n.

    Returns:
      The means at each of the K places.
    """

    def replica_sums(images: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor, padded: bool) -> tf.Tensor:
        def sums_at(place: tf.Tensor) -> tf.Tensor:
            # Without padding BatchNorm's fused kernel can be used.
            logits = network(images, place, weights if padded else None)
            return objective.sums(labels, logits, weights)

        places = tf.constant(coefficients, tf.float32)
        signature = tf.TensorSpec([len(SUMS)], tf.float32)
        return tf.map_fn(sums_at, places, parallel_iterations=1, fn_output_signature=signature)

    return accumulate(replica_sums, batches, strategy, on_batch)
