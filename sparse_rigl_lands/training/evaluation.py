"""Evaluation: exact sums over every example of a stream, and the means that they give."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import DivergedError
from sparse_rigl_lands.training.objective import Objective

# (images, labels, weights, whether some of the examples are padding) -> the sums of one replica
ReplicaSums = Callable[[tf.Tensor, tf.Tensor, tf.Tensor, bool], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Means over the same examples, of one network or of K of them.

    Args:
      count: examples.
      cross_entropy: plain, in nats, float64 [] or [K].
      cross_entropy_error: its standard error over the examples as independent draws of the data's
        distribution, in nats, float64 [] or [K]. It says nothing of other seeds of training, and is too
        small where examples share a batch's statistics.
      smoothed_cross_entropy: against the objective's smoothed labels, in nats, float64 [] or [K].
      accuracy: top-1, in [0, 1], float64 [] or [K].
    """

    count: int
    cross_entropy: Any
    cross_entropy_error: Any
    smoothed_cross_entropy: Any
    accuracy: Any


def accumulate(
    replica_sums: ReplicaSums,
    batches: tf.data.Dataset,
    strategy: tf.distribute.Strategy,
    on_batch: Callable[[int], None] = lambda examples: None,
) -> Evaluation:
    """Adds up what every replica finds on every batch, in float64.

    Args:
      replica_sums: returns float32 [..., 5] as ``Objective.sums`` does; compiled here.
      batches: (images, labels, weights) of ``Dataset.evaluation_batches``; the global batch is
        divided among the replicas in order.
      strategy: in whose replicas to run.
      on_batch: called after every batch with the number of its examples.
    """

    @tf.function
    def batch_sums(batch: tuple[tf.Tensor, tf.Tensor, tf.Tensor], padded: bool) -> tf.Tensor:
        return strategy.reduce("SUM", strategy.run(replica_sums, args=(*batch, padded)), axis=None)

    total = np.zeros(())
    for batch in strategy.experimental_distribute_dataset(batches):
        # Padding is in the last batch alone, so this makes two traces at the most.
        padded = any(not np.all(weights) for weights in strategy.experimental_local_results(batch[2]))
        sums = batch_sums(batch, padded).numpy().astype("float64")
        total = total + sums
        on_batch(int(sums.flat[0]))
    count = int(total.flat[0])
    _, cross_entropy, squares, smoothed, accuracy = np.moveaxis(total / count, -1, 0)
    variance = np.maximum(squares - cross_entropy**2, 0.0)  # of a single example
    return Evaluation(count, cross_entropy, np.sqrt(variance / max(count - 1, 1)), smoothed, accuracy)


def evaluate(
    model: tf_keras.Model, objective: Objective, batches: tf.data.Dataset, strategy: tf.distribute.Strategy
) -> Evaluation:
    """Evaluates a network as a checkpoint describes it: in inference mode, with its stored statistics.

    Args:
      model: any variant, its variables made under ``strategy``.
      objective: for the smoothing.
      batches, strategy: see ``accumulate``.

    Raises:
      DivergedError: the loss is not finite.
    """

    def replica_sums(images: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor, padded: bool) -> tf.Tensor:
        return objective.sums(labels, model(images, training=False), weights)

    evaluation = accumulate(replica_sums, batches, strategy)
    if not np.isfinite(evaluation.cross_entropy + evaluation.smoothed_cross_entropy):
        raise DivergedError(f"the loss is {evaluation.cross_entropy} in inference mode, with the stored statistics")
    return evaluation
