"""A whole path, as its evaluator takes it, and point by point, as a user would without it.

The time of the others does not depend on the point, so they are given fewer points.
"""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from benchmarks import measure
from benchmarks.path_speed import Call, Ends
from sparse_rigl_lands.paths.curves import Line
from sparse_rigl_lands.paths.evaluator import PathEvaluator
from sparse_rigl_lands.paths.partial_sums import added_up
from sparse_rigl_lands.paths.weight_path import WeightPath
from sparse_rigl_lands.points import point as points
from sparse_rigl_lands.points.point import Point
from sparse_rigl_lands.replicas import BatchesOfHost
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.training.objective import Objective

POINTS = 51
POINTS_OF_OTHERS = 3


def by_evaluator(network: tf_keras.Model, ends: Ends, batches: BatchesOfHost, strategy: tf.distribute.Strategy) -> Call:
    """The cross-entropy at every point, [points], as the evaluator finds it; the ends by themselves come on top."""
    t = np.linspace(0.0, 1.0, POINTS)
    path = WeightPath.between(network, *ends, Line())
    evaluator = PathEvaluator(network, path, t, Objective(), strategy)
    losses = evaluator.losses("stored")
    return lambda: evaluator.path_of(added_up(losses(batches))).losses.cross_entropy


def each_point(model: tf_keras.Model, ends: Ends, loss: Callable[[], float]) -> Call:
    """A loss after the weights and statistics of a point were assigned, for some points: [points of others]."""

    def weights_of(end: Point) -> list[np.ndarray]:
        points.assign(model, end)
        return model.get_weights()

    start, end = map(weights_of, ends)

    def losses() -> np.ndarray:
        values = []
        for t in np.linspace(0.0, 1.0, POINTS_OF_OTHERS).tolist():
            model.set_weights([(1 - t) * first + t * last for first, last in zip(start, end, strict=True)])
            values.append(loss())
        return np.array(values)

    return losses


def by_keras(network: tf_keras.Model, ends: Ends, examples: tf.data.Dataset, batch_size: int) -> Call:
    """The loss at some points by ``model.evaluate``."""
    model = variants.clone(network)
    model.compile(loss=tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    batches = examples.batch(batch_size, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
    return each_point(model, ends, lambda: model.evaluate(batches, verbose=0))


def seconds_of_a_point(paths: Mapping[str, Call], others: Mapping[str, Call], rounds: int) -> dict[str, float]:
    """Times calls that take turns.

    Args:
      paths: by name, which find all points.
      others: by name, which find some.
      rounds: timed calls of each.

    Returns:
      Name to the seconds of a point, those of the median call.
    """
    seconds = measure.interleaved_medians({**paths, **others}, rounds, untimed=1)
    return {name: value / (POINTS if name in paths else POINTS_OF_OTHERS) for name, value in seconds.items()}
