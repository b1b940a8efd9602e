"""Evaluation of a network: means over every example of a stream, summed exactly."""

import dataclasses
import math

import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import DivergedError
from sparse_rigl_lands.replicas import BatchesOfHost, ReplicaFunction
from sparse_rigl_lands.training.objective import Objective


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Means over examples.

    Args:
      count: examples.
      cross_entropy: plain, in nats.
      cross_entropy_error: its standard error over the examples as independent draws of the data's
        distribution, in nats. It says nothing of other seeds of training.
      smoothed_cross_entropy: against the objective's smoothed labels, in nats.
      accuracy: top-1, in [0, 1].
      top5: top-5 accuracy, in [0, 1].
    """

    count: int
    cross_entropy: float
    cross_entropy_error: float
    smoothed_cross_entropy: float
    accuracy: float
    top5: float


def evaluate(
    model: tf_keras.Model, objective: Objective, batches: BatchesOfHost, strategy: tf.distribute.Strategy
) -> Evaluation:
    """Evaluates a network as a checkpoint describes it: in inference mode, with its stored statistics.

    Args:
      model: any variant, its variables made under ``strategy``.
      objective: for the smoothing.
      batches: (images, labels, weights) of ``Dataset.evaluation_batches``.
      strategy: in whose replicas to run.

    Raises:
      DivergedError: the loss is not finite.
    """

    def values(images: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return objective.values(labels, model(images, training=False)), weights

    count, sums, squares = 0, np.zeros(4), 0.0
    for of_examples, weights in ReplicaFunction(values, strategy, "stack").over(batches):
        live = np.moveaxis(of_examples, 1, -1)[weights > 0].astype("float64")  # [examples, 4]
        count, sums, squares = count + len(live), sums + live.sum(axis=0), squares + np.sum(live[:, 0] ** 2)
    cross_entropy, smoothed, accuracy, top5 = (float(mean) for mean in sums / count)
    if not math.isfinite(cross_entropy + smoothed):
        raise DivergedError(f"the loss is {cross_entropy} in inference mode, with the stored statistics")
    variance = max(squares / count - cross_entropy**2, 0.0)  # of a single example
    return Evaluation(count, cross_entropy, math.sqrt(variance / max(count - 1, 1)), smoothed, accuracy, top5)
