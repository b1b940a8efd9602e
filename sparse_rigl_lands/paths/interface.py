"""The path between any two points of any network on any data, for programs: no configuration and no files."""

import functools
from collections.abc import Sequence
from typing import get_args

import tensorflow as tf
import tf_keras

from sparse_rigl_lands import checks
from sparse_rigl_lands.data.dataset import padded_batches
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.curves import Curve, Line, places
from sparse_rigl_lands.paths.evaluated_path import EvaluatedPath
from sparse_rigl_lands.paths.evaluator import BatchNorm, PathEvaluator, StatisticsOfPlaces
from sparse_rigl_lands.paths.masks import MaskRule
from sparse_rigl_lands.paths.partial_sums import added_up
from sparse_rigl_lands.paths.recalibration import statistics_of
from sparse_rigl_lands.paths.requirements import check_dtype, check_statistics
from sparse_rigl_lands.paths.weight_path import WeightPath
from sparse_rigl_lands.points.point import Point
from sparse_rigl_lands.training.objective import Objective


def evaluate_path(
    network: tf_keras.Model,
    start: Point,
    end: Point,
    examples: tf.data.Dataset,
    num_points: int = 51,
    batch_norm: BatchNorm = "batch",
    batch_size: int = 128,
    mask: MaskRule = "auto",
    objective: Objective | None = None,
    recalibration_examples: int = 4096,
    strategy: tf.distribute.Strategy | None = None,
    curve: Curve | None = None,
    control_points: Sequence[Point] = (),
) -> EvaluatedPath:
    """Evaluates a line or curve between two points of any network on any data, without a file.

    Args:
      network: a functional ``tf_keras`` model from images to logits, of layers that ``CurveNetwork``
        understands.
      start: the point at t = 0, such as ``point_of(network, origin)``.
      end: the point at t = 1.
      examples: (image, label int), one by one; the same ones, in one order, whenever it is read.
      num_points: K, how many values of t are spread evenly over [0, 1], the ends included.
      batch_norm: what BatchNorm does along the path, see ``preparation.prepare_path``.
      batch_size: examples per replica and batch: those that share batch statistics.
      mask: which weights exist along the path, see ``path_mask``.
      objective: for the smoothing; None is plain cross-entropy.
      recalibration_examples: of how many examples, the first ones, recalibrated statistics are.
      strategy: in whose replicas to run; None is TensorFlow's current one.
      curve: between the points; None is the straight line.
      control_points: those between the ends, see ``WeightPath.between``.

    Returns:
      The losses at every t and at the ends, with what can be judged from them.

    Raises:
      InputError: the points or the images do not fit the network, a setting is unknown, or there are no examples.
      DivergedError: a loss is not finite.
    """
    strategy = strategy or tf.distribute.get_strategy()
    checks.whole_number("evaluate_path.num_points", num_points, least=2)
    checks.whole_number("evaluate_path.batch_size", batch_size, least=1)
    checks.whole_number("evaluate_path.recalibration_examples", recalibration_examples, least=1)
    checks.choice("evaluate_path.batch_norm", batch_norm, get_args(BatchNorm))
    check_dtype(examples, network)
    t = places(0.0, 1.0, num_points)
    check_statistics(batch_norm, [start, *control_points, end])
    path = WeightPath.between(network, start, end, curve or Line(), mask, control_points)
    evaluator = PathEvaluator(network, path, t, objective or Objective(), strategy)
    global_batch = batch_size * strategy.num_replicas_in_sync
    statistics: StatisticsOfPlaces
    if batch_norm == "recalibrated":
        first = functools.partial(padded_batches, examples.take(recalibration_examples), global_batch)
        statistics = statistics_of(added_up(evaluator.recalibration()(first)))
    else:
        statistics = batch_norm
    every = functools.partial(padded_batches, examples, global_batch)
    sums = added_up(evaluator.losses(statistics)(every))
    if not sums:
        raise InputError("there are no examples to evaluate the path on")
    return evaluator.path_of(sums)
