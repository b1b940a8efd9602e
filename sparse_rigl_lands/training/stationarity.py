"""How far a point is from being stationary: the gradient norm of the objective, and its noise."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.replicas import BatchesOfHost, distributed
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.training.objective import Objective


@dataclasses.dataclass(frozen=True)
class GradientNorm:
    """The Euclidean norm of a gradient estimated from R independent samples of the training stream.

    The expectation of norm^2 is that of the true gradient plus noise^2: where the two are alike, the
    point cannot be told from a stationary one.

    Args:
      norm: of the mean g of the samples' gradients.
      noise: the norm that sampling alone gives, sqrt(sum_r ||g_r - g||^2 / (R (R - 1))).
    """

    norm: float
    noise: float


def gradient_norms_of_network(
    model: tf_keras.Model,
    objective: Objective,
    mask: Mask,
    samples: Sequence[BatchesOfHost],
    batches: int,
    strategy: tf.distribute.Strategy,
) -> tuple[GradientNorm, GradientNorm]:
    """The gradient of the full objective, as training has it, within a sparse subspace and in all dimensions.

    The full objective is the smoothed cross-entropy under batch statistics, and the L2 term. The
    model's moving statistics change.

    Args:
      model: the plain network, its variables made under ``strategy``, masked weights zero.
      objective: whose gradient is taken.
      mask: its live weights, with all weights that are no kernels, span the sparse subspace.
      samples: R >= 2 streams of ``Dataset.training_batches``, each under a seed of its own: the batches
        of one stream are not independent, since an epoch shows every image once. Batches are as large
        as in training, and divide among the replicas.
      batches: how many of each stream are read.
      strategy: in whose replicas to run.

    Returns:
      The norm in the sparse subspace, and that in the dense space.
    """
    weights = variants.named_variables(model).weights
    replicas = strategy.num_replicas_in_sync

    def replica_gradient(images: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return share_of_gradient(objective, weights, lambda: model(images, training=True), labels, replicas)

    @tf.function
    def sample_gradient(iterator: Iterator) -> dict[str, tf.Tensor]:
        total = {name: tf.zeros(weight.shape) for name, weight in weights.items()}
        for _ in tf.range(batches):
            per_replica = strategy.run(replica_gradient, args=next(iterator))
            gradient = {name: strategy.reduce("SUM", part, axis=None) for name, part in per_replica.items()}
            total = {name: total[name] + gradient[name] for name in weights}
        return {name: gradient / batches for name, gradient in total.items()}

    gradients = (sample_gradient(iter(distributed(strategy, sample))) for sample in samples)
    sparse, dense = norms_of_samples(({n: g.numpy() for n, g in each.items()} for each in gradients), mask).tolist()
    return GradientNorm(*sparse), GradientNorm(*dense)


def share_of_gradient(
    objective: Objective,
    weights: Mapping[str, tf.Tensor],
    logits: Callable[[], tf.Tensor],
    labels: tf.Tensor,
    replicas: int,
) -> dict[str, tf.Tensor]:
    """A replica's share of the gradient of the full objective: they sum to that of the mean over the whole batch.

    Args:
      objective: whose gradient is taken.
      weights: with respect to which, by name; tensors or variables, masked ones zero.
      logits: computes those of the replica's examples from the weights, [n, classes].
      labels: of these examples, int [n].
      replicas: among how many the batch is divided, evenly.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(weights)
        losses = objective.smoothed_cross_entropy(labels, logits())
        loss = (tf.reduce_mean(losses) + objective.l2(weights)) / replicas
    return tape.gradient(loss, dict(weights))


def norms_of_samples(gradients: Iterable[Mapping[str, np.ndarray]], mask: Mask) -> np.ndarray:
    """The norm and the noise of ``GradientNorm``, summed up in float64.

    Args:
      gradients: of R >= 2 independent samples, each one's by the names of the weights.
      mask: its live weights, with all weights that it does not name, span the sparse subspace.

    Returns:
      float64 [2, 2]: within the sparse subspace and in all dimensions, the norm of the mean and the noise.
    """
    total: dict[str, np.ndarray] = {}
    of_samples, count = np.zeros(2), 0
    for gradient in gradients:
        total = {name: total.get(name, 0.0) + part.astype("float64") for name, part in gradient.items()}
        of_samples += _squared_norms(gradient, mask)
        count += 1
    of_mean = _squared_norms(total, mask) / count**2
    noise = np.maximum(of_samples - count * of_mean, 0.0) / (count * (count - 1))
    return np.sqrt([of_mean, noise]).T


def _squared_norms(gradient: Mapping[str, np.ndarray], mask: Mask) -> np.ndarray:
    """Of the components in the sparse subspace, and of all: float64 [2]."""
    squares = {name: part.astype("float64") ** 2 for name, part in gradient.items()}
    sparse = sum(float(square[mask.arrays.get(name, ...)].sum()) for name, square in squares.items())
    return np.array([sparse, sum(float(square.sum()) for square in squares.values())])
