"""The norm of the objective's gradient along a path, within the sparse subspace and in all dimensions."""

from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf

from sparse_rigl_lands.paths.evaluator import PathEvaluator, StatisticsOfPlaces
from sparse_rigl_lands.paths.partial_sums import Increments
from sparse_rigl_lands.paths.weights_on_curve import Statistics
from sparse_rigl_lands.replicas import BatchesOfHost, ReplicaFunction, distributed
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.training.stationarity import norms_and_noise


def gradient_norms(evaluator: PathEvaluator, statistics: StatisticsOfPlaces, batches: BatchesOfHost) -> Increments:
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
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            losses = objective.smoothed_cross_entropy(labels, network(images, place, by, weights=weights))
            # The batch is divided evenly, so the replicas' shares sum to the mean over all of it.
            loss = (tf.reduce_mean(losses) + objective.l2(weights)) / replicas
        return tape.gradient(loss, weights)

    function = ReplicaFunction(gradients, strategy, "sum")

    def increments(first: int) -> Iterator[dict[str, np.ndarray]]:
        kept = list(distributed(strategy, batches))
        for k in range(first, len(coefficients)):
            place = tf.constant(coefficients[k], tf.float32)
            of_place = {name: tf.constant(table[k], tf.float32) for name, table in tables.items()}
            total: dict[str, np.ndarray] = {}
            of_samples = np.zeros(2)
            for images, labels, _ in kept:
                found = {name: g.numpy() for name, g in function.of_batch((images, labels, place, of_place)).items()}
                total = {name: total.get(name, 0.0) + g.astype("float64") for name, g in found.items()}
                of_samples += _squared_norms(found, mask)
            rows = np.zeros((len(coefficients), 2, 2))
            rows[k] = norms_and_noise(of_samples, _squared_norms(total, mask), len(kept)).T
            yield {"gradients": rows}

    return increments


def _squared_norms(gradients: Mapping[str, np.ndarray], mask: Mask) -> np.ndarray:
    """Of the components in the sparse subspace, and of all: float64 [2]."""
    squares = {name: gradient.astype("float64") ** 2 for name, gradient in gradients.items()}
    sparse = sum(float(square[mask.arrays.get(name, ...)].sum()) for name, square in squares.items())
    return np.array([sparse, sum(float(square.sum()) for square in squares.values())])
