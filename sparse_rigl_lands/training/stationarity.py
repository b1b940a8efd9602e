"""How far a point is from being stationary: the gradient norm of the objective, and its noise."""

import dataclasses
from collections.abc import Iterator, Sequence

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


def gradient_norms(
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
    live = [tf.constant(mask.arrays.get(name, True)) for name in weights]

    def replica_gradients(images: tf.Tensor, labels: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            losses = objective.smoothed_cross_entropy(labels, model(images, training=True))
            # The batch is divided evenly, so the replicas' shares sum to the mean over all of it.
            loss = (tf.reduce_mean(losses) + objective.l2(weights)) / replicas
        return tape.gradient(loss, list(weights.values()))

    @tf.function
    def sample_gradient(iterator: Iterator) -> list[tf.Tensor]:
        total = [tf.zeros(weight.shape) for weight in weights.values()]
        for _ in tf.range(batches):
            per_replica = strategy.run(replica_gradients, args=next(iterator))
            gradients = [strategy.reduce("SUM", gradient, axis=None) for gradient in per_replica]
            total = [before + gradient for before, gradient in zip(total, gradients, strict=True)]
        return [gradient / batches for gradient in total]

    def squared_norms(gradients: Sequence[tf.Tensor]) -> np.ndarray:
        """Of the components in the sparse subspace, and of all: float64 [2]."""
        parts = [(tf.where(keep, g, 0.0), g) for keep, g in zip(live, gradients, strict=True)]
        return 2 * np.array([sum(float(tf.nn.l2_loss(g)) for g in side) for side in zip(*parts, strict=True)])

    total: list[tf.Tensor] = [tf.zeros(weight.shape) for weight in weights.values()]
    of_samples = np.zeros(2)
    for sample in samples:
        gradients = sample_gradient(iter(distributed(strategy, sample)))
        total = [before + gradient for before, gradient in zip(total, gradients, strict=True)]
        of_samples += squared_norms(gradients)
    norms, noises = norms_and_noise(of_samples, squared_norms(total), len(samples))
    sparse, dense = (GradientNorm(float(norm), float(noise)) for norm, noise in zip(norms, noises, strict=True))
    return sparse, dense


def norms_and_noise(of_samples: np.ndarray, of_total: np.ndarray, count: int) -> np.ndarray:
    """The norm and the noise of ``GradientNorm`` from squared norms.

    Args:
      of_samples: [...], the squared norms of the samples' gradients, summed over the samples.
      of_total: [...], the squared norms of the sum of their gradients.
      count: R >= 2, samples.

    Returns:
      [2, ...]: norm of the mean, and noise.
    """
    of_mean = of_total / count**2
    noise = np.maximum(of_samples - count * of_mean, 0.0) / (count * (count - 1))
    return np.sqrt([of_mean, noise])
