"""The loss and accuracy of one network as a checkpoint describes it: with its stored statistics."""

import dataclasses

import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.training.objective import Objective


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Means over examples.

    Args:
      count: examples.
      cross_entropy: plain, in nats.
      smoothed_cross_entropy: against the objective's smoothed labels, in nats.
      accuracy: top-1, in [0, 1].
    """

    count: int
    cross_entropy: float
    smoothed_cross_entropy: float
    accuracy: float


def evaluate(
    model: tf_keras.Model, objective: Objective, batches: tf.data.Dataset, strategy: tf.distribute.Strategy
) -> Evaluation:
    """Evaluates a model in inference mode.

    Args:
      model: any variant, its variables made under ``strategy``.
      objective: for the smoothing.
      batches: (images, labels, weights) of ``Dataset.evaluation_batches``; the global batch is
        divided among the replicas.
      strategy: in whose replicas to run.
    """

    def replica_sums(images: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        return objective.sums(labels, model(images, training=False), weights)

    @tf.function
    def batch_sums(batch: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tf.Tensor:
        return strategy.reduce("SUM", strategy.run(replica_sums, args=batch), axis=None)

    sums = np.zeros(4)
    for batch in strategy.experimental_distribute_dataset(batches):
        sums += batch_sums(batch).numpy()
    count, cross_entropy, smoothed, right = sums
    return Evaluation(int(count), float(cross_entropy / count), float(smoothed / count), float(right / count))
