"""The norm of the objective's gradient along a path, within the sparse subspace and in all dimensions."""

from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf

from sparse_rigl_lands.paths.evaluator import PathEvaluator, StatisticsOfPlaces
from sparse_rigl_lands.paths.partial_sums import Increments
from sparse_rigl_lands.paths.weights_on_curve import Statistics
from sparse_rigl_lands.replicas import BatchesOfHost, ReplicaFunction, distributed
from sparse_rigl_lands.training.stationarity import norms_of_samples, share_of_gradient


def gradient_norms_on_path(
    evaluator: PathEvaluator, statistics: StatisticsOfPlaces, batches: BatchesOfHost
) -> Increments:
    """Estimates the gradient of the smoothed loss and the L2 term with respect to w(t), place by place.

    The batches are read once and kept in memory, with one gradient beside them. BatchNorm is as on the
    path; statistics that are not the batch's do not depend on the weights.

    Args:
      evaluator: of the path. The live weights of its mask, with all weights that are no kernels, span the
        sparse subspace.
      statistics: what BatchNorm normalizes by, see ``evaluator.path_values``.
      batches: at least two global batches (images, labels, weights) without padding: independent samples.

    Returns:
      A function from a place k to the increments of places k, k + 1, ...: ``"gradients"``, float64 [K, 2, 2],
      zero but for its place: of the sparse subspace and of all dimensions, the norm of the mean gradient
      and what sampling alone gives, see ``stationarity.GradientNorm``.
    """
    network, objective, strategy = evaluator.network, evaluator.objective, evaluator.strategy
    coefficients, mask = evaluator.coefficients, evaluator.path.mask
    tables = {} if isinstance(statistics, str) else statistics
    replicas = strategy.num_replicas_in_sync

    def gradients(
        images: tf.Tensor, labels: tf.Tensor, place: tf.Tensor, of_place: Mapping[str, tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        by: Statistics = statistics if isinstance(statistics, str) else of_place
        weights = network.weights(place)
        return share_of_gradient(
            objective, weights, lambda: network(images, place, by, weights=weights), labels, replicas
        )

    function = ReplicaFunction(gradients, strategy, "sum")

    def increments(first: int) -> Iterator[dict[str, np.ndarray]]:
        kept = list(distributed(strategy, batches))
        for k in range(first, len(coefficients)):
            place = tf.constant(coefficients[k], tf.float32)
            of_place = {name: tf.constant(table[k], tf.float32) for name, table in tables.items()}
            found = (function.of_batch((images, labels, place, of_place)) for images, labels, _ in kept)
            rows = np.zeros((len(coefficients), 2, 2))
            rows[k] = norms_of_samples(({name: g.numpy() for name, g in each.items()} for each in found), mask)
            yield {"gradients": rows}

    return increments
