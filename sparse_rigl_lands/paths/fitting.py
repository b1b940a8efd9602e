"""The fitting of a curve between two points: how its inner control points are found."""

import dataclasses
import functools
from typing import Literal, get_args

import gin
import tensorflow as tf

from sparse_rigl_lands import checks, devices, distribution, files, seeds
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths import control_points
from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.paths.curve_trainer import CurveTrainer, uniform_t
from sparse_rigl_lands.paths.weight_path import WeightPath
from sparse_rigl_lands.points.point import Origin
from sparse_rigl_lands.replicas import hosts_of
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.training.loop import train_from_latest
from sparse_rigl_lands.training.recipe import Recipe
from sparse_rigl_lands.training.scaled_sgd import ScaledSGD
from sparse_rigl_lands.training.workload import Workload

Manifold = Literal["sparse", "dense"]


@gin.configurable(module="sparse_rigl_lands")
@dataclasses.dataclass(frozen=True)
class Fitting(Recipe):
    """How long, how fast and where a curve is fitted; the budget is ``steps`` of ``batch_size`` images.

    Args:
      manifold: where the inner control points may go: ``"sparse"``, the subspace of the path's mask, in
        which every point of the curve then lies; ``"dense"``, anywhere.

    Raises:
      InputError: an unknown manifold, or as ``Recipe``.
    """

    manifold: Manifold = "dense"

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.choice("Fitting.manifold", self.manifold, get_args(Manifold))


class CurveFit:
    """The fitting of the control points between the ends of a path; the ends do not move.

    Args:
      strategy: in whose replicas to run.
      workload: the images, the network and the objective.
      path: whose control points to start from.
      fitting: how.
      seed: keys the t of every step, and the order and augmentation of the images, apart from all else
        that it keys.

    Raises:
      InputError: there is nothing to fit, or no mask to stay within, or a control point to start from is
        outside of the manifold, or the batch cannot be divided among the replicas, or they do not compute
        in its precision, or the learning rate falls to zero.
    """

    def __init__(
        self, strategy: tf.distribute.Strategy, workload: Workload, path: WeightPath, fitting: Fitting, seed: int
    ):
        if fitting.manifold == "sparse" and not path.mask.arrays:
            raise InputError("Fitting.manifold is 'sparse', but the path has no mask that would make it a subspace")
        curve, mask = path.curve, path.mask if fitting.manifold == "sparse" else Mask({})
        devices.check_precision("Fitting.precision", fitting.precision)
        distribution.check_batch("Fitting.batch_size", fitting.batch_size, strategy)
        workload.dataset.check_batch_size(fitting.batch_size, hosts_of(strategy))
        if float(fitting.learning_rate(fitting.steps - 1)) <= 0:
            raise InputError(f"Fitting.learning_rate falls to zero before the last of {fitting.steps} steps")
        inner = control_points.masked(path.inner, mask)
        with strategy.scope():
            network = CurveNetwork(
                variants.with_precision(workload.network, fitting.precision), curve.num_control_points
            )
            optimizer = ScaledSGD(fitting.learning_rate, fitting.momentum, fitting.nesterov)
        network.assign(path.control_points)
        self._trainer = CurveTrainer(
            network, curve, mask, uniform_t(seed), workload.objective, optimizer, fitting.batch_size, strategy
        )
        origin = Origin(workload.name, f"{curve.name}_{fitting.manifold}", seed, global_step=0, fitted=True)
        self._initialization = control_points.joined(inner, origin)
        self._workload, self._path, self._fitting, self._seed = workload, path, fitting, seed

    def run(self, written: files.RunFiles) -> WeightPath:
        """Fits from the start, or from where an earlier process was stopped, to the same bits.

        Args:
          written: where checkpoints and metrics are written.

        Raises:
          InputError: the latest checkpoint is damaged, or of another curve.
          DivergedError: the loss was not finite.
        """
        dataset, fitting = self._workload.dataset, self._fitting
        # Other images than those of training with this seed, and composed otherwise than an evaluation's batches.
        images_seed = seeds.key(self._seed, "fitting/images")
        fitted, _ = train_from_latest(
            written,
            self._trainer,
            fitting,
            functools.partial(dataset.training_batches, fitting.batch_size, images_seed),
            self._initialization,
            f"fitting the {self._path.curve.title}, {fitting.manifold}",
        )
        return self._path.through(control_points.parted(fitted, len(self._path.inner)))
