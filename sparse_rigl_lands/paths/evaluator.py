"""The loss along a path: one compiled function that reads a batch once and visits every place with it."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import DivergedError
from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.paths.evaluated_path import EvaluatedPath
from sparse_rigl_lands.paths.losses import PathLosses, Unit
from sparse_rigl_lands.paths.recalibration import batch_moments, moment_sums
from sparse_rigl_lands.paths.weight_path import WeightPath
from sparse_rigl_lands.paths.weights_on_curve import Statistics, StatisticsRule
from sparse_rigl_lands.replicas import BatchesOfHost, ReplicaFunction
from sparse_rigl_lands.training.objective import VALUES, Objective

BatchNorm = Literal["batch", "stored", "recalibrated"]
# How BatchNorm's statistics are found at every place alike, or those of all places, [K, channels] by name.
StatisticsOfPlaces = StatisticsRule | Mapping[str, np.ndarray]

# From global batches (images, labels, weights) to what each adds to sums, float64 arrays by name.
OfBatches = Callable[[BatchesOfHost], Iterator[Mapping[str, np.ndarray]]]

# The sums of a batch travel as arrays by name, so that they can be added up and saved without being understood.
_PATH, _ENDS = "path/", "ends/"


def unit_of(statistics: BatchNorm | StatisticsOfPlaces) -> Unit:
    """What is independent: examples that share a batch's statistics are not.

    Recalibrated statistics count as known: what their own estimation adds to the errors is left out.
    """
    return "batch" if isinstance(statistics, str) and statistics == "batch" else "example"


def path_values(
    network: CurveNetwork,
    coefficients: np.ndarray,
    statistics: StatisticsOfPlaces,
    objective: Objective,
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]:
    """What a replica computes of its examples: their losses at all places of a path.

    It loops over the places, so memory does not grow with K: it is that of the control points, one
    combined set of weights, and one batch's activations. It can be compiled by XLA.

    Args:
      network: its control points may be assigned later.
      coefficients: [K, P].
      statistics: what BatchNorm normalizes by: ``"batch"`` (each replica's batch by itself, so that R
        replicas on batches of R * n examples agree with one on batches of n), ``"stored"``, or the
        statistics of every place, [K, channels] by name, see ``recalibration``.
      objective: for the smoothing.

    Returns:
      A function from images [n, height, width, channels], labels int [n] and weights float32 [n], 1 for
      an example and 0 for padding, to float32 [K, 4, n], values in the order of ``objective.VALUES``.
    """
    places = tf.constant(coefficients, tf.float32)
    tables = {} if isinstance(statistics, str) else {n: tf.constant(s, tf.float32) for n, s in statistics.items()}

    def values(images: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        def along(example_weights: tf.Tensor | None) -> tf.Tensor:
            def at(place: tuple[tf.Tensor, dict[str, tf.Tensor]]) -> tf.Tensor:
                of_place: Statistics = statistics if isinstance(statistics, str) else place[1]
                return objective.values(labels, network(images, place[0], of_place, example_weights))

            signature = tf.TensorSpec([len(VALUES), images.shape[0]], tf.float32)
            return tf.map_fn(at, (places, tables), parallel_iterations=1, fn_output_signature=signature)

        if statistics != "batch":
            return along(None)
        # Without padding BatchNorm's fused kernel can be used, which knows no weights.
        return tf.cond(tf.reduce_all(weights > 0), lambda: along(None), lambda: along(weights))

    return values


class PathEvaluator:
    """Evaluates every place of a path on whatever batches it is given.

    Each end is also evaluated as its checkpoint describes it, under its own mask and stored statistics.

    Args:
      network: a plain functional model, in the precision to compute in.
      path: through its weight space.
      t: the places, float64 [K].
      objective: for the smoothing.
      strategy: in whose replicas to run.
      classes: the number of classes whose losses are told apart; 0 where none are.
    """

    def __init__(
        self,
        network: tf_keras.Model,
        path: WeightPath,
        t: np.ndarray,
        objective: Objective,
        strategy: tf.distribute.Strategy,
        classes: int = 0,
    ):
        self.path = path
        self.coefficients = path.curve.coefficients(t)
        self.t, self.objective, self.strategy, self._classes = t, objective, strategy, classes
        with strategy.scope():
            self.network = CurveNetwork(network, path.curve.num_control_points)
            self._ends = CurveNetwork(network, 2)
        self.network.assign(path.control_points)
        self._ends.assign([path.start, path.end])

    def recalibration(self) -> OfBatches:
        """What batches add to the sums that ``recalibration.statistics_of`` takes."""
        function = ReplicaFunction(batch_moments(self.network, self.coefficients), self.strategy, "stack")
        return lambda batches: itertools.starmap(moment_sums, function.over(batches))

    def losses(self, statistics: StatisticsOfPlaces) -> OfBatches:
        """What batches add to the sums that ``path_of`` takes.

        Args:
          statistics: what BatchNorm normalizes by along the path, see ``path_values``.

        Returns:
          A function whose iterators raise DivergedError where a loss is not finite.
        """
        along = path_values(self.network, self.coefficients, statistics, self.objective)
        at_ends = path_values(self._ends, np.eye(2), "stored", self.objective)

        def both(images: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, ...]:
            return along(images, labels, weights), at_ends(images, labels, weights), labels, weights

        function, unit = ReplicaFunction(both, self.strategy, "stack"), unit_of(statistics)

        def sums(batches: BatchesOfHost) -> Iterator[dict[str, np.ndarray]]:
            for path, ends, labels, weights in function.over(batches):
                of_path = PathLosses.of_batch(path, labels, weights, unit, self._classes)
                of_ends = PathLosses.of_batch(ends, labels, weights, "example")
                self._check_finite(of_path, of_ends)
                yield {f"{_PATH}{name}": array for name, array in of_path.arrays().items()} | {
                    f"{_ENDS}{name}": array for name, array in of_ends.arrays().items()
                }

        return sums

    def _check_finite(self, path: PathLosses, ends: PathLosses) -> None:
        for k in np.flatnonzero(~np.isfinite(path.sums).all(axis=1)):
            raise DivergedError(f"the loss is {path.cross_entropy[k]} at t = {self.t[k]:g}; no path was written")
        for k in np.flatnonzero(~np.isfinite(ends.sums).all(axis=1)):
            name = ("start", "end")[k]
            raise DivergedError(
                f"the loss is {ends.cross_entropy[k]} at the {name} under its own statistics and mask; "
                "no path was written"
            )

    def path_of(self, sums: Mapping[str, np.ndarray]) -> EvaluatedPath:
        """The path that the sums of ``losses`` give."""
        path, ends = (
            PathLosses(**{name.removeprefix(part): array for name, array in sums.items() if name.startswith(part)})
            for part in (_PATH, _ENDS)
        )
        return EvaluatedPath(self.t, path, ends, self.path.rule)
