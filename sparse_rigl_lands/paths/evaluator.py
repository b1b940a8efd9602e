"""The loss along a path, in one pass over the data."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.training.objective import Objective


@dataclasses.dataclass(frozen=True)
class PathLosses:
    """Means over the same examples at each of K places on a path.

    Args:
      count: examples.
      cross_entropy: plain, in nats, float64 [K].
      smoothed_cross_entropy: against the objective's smoothed labels, in nats, float64 [K].
      accuracy: top-1, in [0, 1], float64 [K].
    """

    count: int
    cross_entropy: np.ndarray
    smoothed_cross_entropy: np.ndarray
    accuracy: np.ndarray


def evaluate(
    network: CurveNetwork,
    coefficients: np.ndarray,
    objective: Objective,
    batches: tf.data.Dataset,
    strategy: tf.distribute.Strategy,
    on_batch: Callable[[int], None] = lambda images: None,
) -> PathLosses:
    """Evaluates a path: every batch is read once and serves all K places before the next is read.

    One compiled function loops over the places, so memory does not grow with K: it is that of the
    control points, one combined set of weights, and one batch's activations.

    Args:
      network: made under ``strategy``, its control points assigned.
      coefficients: [K, P].
      objective: for the smoothing.
      batches: (images, labels, weights) of ``Dataset.evaluation_batches``. The global batch is
        divided among the replicas in order; with batch statistics, each replica's share is
        normalized by itself, so that R replicas on batches of R * n agree with one on batches of n.
      strategy: in whose replicas to run.
      on_batch: called after every batch with the number of its examples.
    """

    def replica_sums(images: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor, padded: bool) -> tf.Tensor:
        def sums_at(place: tf.Tensor) -> tf.Tensor:
            logits = network(images, place, weights if padded else None)
            return objective.sums(labels, logits, weights)

        places = tf.constant(coefficients, tf.float32)
        return tf.map_fn(sums_at, places, parallel_iterations=1, fn_output_signature=tf.TensorSpec([4], tf.float32))

    @tf.function
    def batch_sums(batch: tuple[tf.Tensor, tf.Tensor, tf.Tensor], padded: bool) -> tf.Tensor:
        per_replica = strategy.run(replica_sums, args=(*batch, padded))
        return strategy.reduce("SUM", per_replica, axis=None)

    sums = np.zeros((len(coefficients), 4))
    for batch in strategy.experimental_distribute_dataset(batches):
        # Padding is in the last batch alone; without it BatchNorm's fused kernel can be used.
        padded = any(not np.all(weights) for weights in strategy.experimental_local_results(batch[2]))
        batch_result = batch_sums(batch, padded).numpy().astype("float64")
        sums += batch_result
        on_batch(int(batch_result[0, 0]))
    count = sums[0, 0]
    return PathLosses(int(count), *(sums[:, 1:] / count).T)
