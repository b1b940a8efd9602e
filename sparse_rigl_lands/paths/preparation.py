"""A path before it is evaluated: what was asked for, checked."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import gin
import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands import checks, devices, files
from sparse_rigl_lands.paths.curves import Curve, Line, places
from sparse_rigl_lands.paths.evaluator import BatchNorm, PathEvaluator, unit_of
from sparse_rigl_lands.paths.fitting import CurveFit, Fitting
from sparse_rigl_lands.paths.masks import MaskRule
from sparse_rigl_lands.paths.requirements import check_images, check_range, check_statistics, check_workloads
from sparse_rigl_lands.paths.sample import Sample
from sparse_rigl_lands.paths.weight_path import WeightPath
from sparse_rigl_lands.points import checkpoint as checkpoints
from sparse_rigl_lands.points.point import Point
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.training.workload import Workload

_FEWEST_UNITS = 8  # at the first look: with fewer, bounds are so wide that nothing is decided


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class PreparedPath:
    """A path whose settings were checked, and of which nothing is written yet.

    Args:
      written: where it will be written.
      strategy, workload, fitting, batch_norm, batch_size, augmented: see ``prepare_path``.
      confidence, tolerance, per_class, gradient_batches, precision, save_every, seed: see there as well.
      path: with the control points from which a fit starts, where there is one.
      network: the workload's, in that precision.
      t: the places, float64 [K].
      recalibration_images: at most as many as there are.
      looks: the numbers of images at which the verdict is looked at; the last is the most.
      settings: what is in force, by name.
      config: the operative gin configuration.
    """

    written: files.PathFiles
    strategy: tf.distribute.Strategy
    workload: Workload
    path: WeightPath
    fitting: Fitting | None
    network: tf_keras.Model
    t: np.ndarray
    batch_norm: BatchNorm
    batch_size: int
    recalibration_images: int
    looks: Sequence[int]
    augmented: bool
    confidence: float
    tolerance: float
    per_class: bool
    gradient_batches: int
    precision: str
    save_every: float
    seed: int
    settings: Mapping[str, Any]
    config: str

    @property
    def global_batch(self) -> int:
        """Images per batch of all replicas together."""
        return self.batch_size * self.strategy.num_replicas_in_sync

    def fit_or_evaluator(self) -> CurveFit | PathEvaluator:
        """What is needed first: the fit, or where there is none the evaluator.

        Both at once would take twice the memory, and one of them refuses all that can still be refused.

        Raises:
          InputError: the network, the curve or the fitting cannot work.
        """
        if self.fitting is None:
            return self.evaluator(self.path)
        return CurveFit(self.strategy, self.workload, self.path, self.fitting, self.seed)

    def evaluator(self, path: WeightPath) -> PathEvaluator:
        """The evaluator of the path, or of that through other control points."""
        classes = self.workload.dataset.num_classes if self.per_class else 0
        return PathEvaluator(self.network, path, self.t, self.workload.objective, self.strategy, classes)


# Gin knows it by what is done with it: interpolate.num_points, interpolate.curve.
@gin.configurable("interpolate", module="sparse_rigl_lands", denylist=["output_dir", "strategy", "start", "end"])
def prepare_path(
    output_dir: str | None,
    strategy: tf.distribute.Strategy,
    start: Point,
    end: Point,
    workload: Workload,
    curve: Curve | None = None,
    control_points: Sequence[str] = (),
    fitting: Fitting | None = None,
    num_points: int = 51,
    t_range: tuple[float, float] = (0.0, 1.0),
    extrapolate: bool = False,
    mask: MaskRule = "auto",
    batch_norm: BatchNorm = "batch",
    batch_size: int = 128,
    recalibration_images: int = 4096,
    sample: Sample | None = None,
    augmented: bool = True,
    confidence: float = 0.95,
    tolerance: float = 0.05,
    per_class: bool = False,
    gradient_batches: int = 0,
    precision: str = "float32",
    save_every: float = 60.0,
    seed: int = 0,
) -> PreparedPath:
    """Checks what may be refused of a path between two points, and writes nothing.

    Args:
      output_dir: where to write; None is ``runs/paths/<start>_to_<end>``, followed by what the curve is if
        it is not the line.
      strategy: in whose replicas to run.
      start: the point at t = 0.
      end: the point at t = 1.
      workload: the images, the network and the objective.
      curve: between the two points; None is the straight line.
      control_points: the checkpoints that the curve passes between its ends, or towards which it bends,
        each named by its prefix or its run's directory; a path's directory stands for all that it holds.
        A curve of a higher degree, or of more segments, than that of these is the same curve. Without
        any it is the straight segment.
      fitting: how the control points between the ends are fitted, from those given; None leaves them
        where they are.
      num_points: K, how many values of t are spread evenly over the range, its ends included.
      t_range: the first and the last t.
      extrapolate: whether the range may leave [0, 1].
      mask: which weights exist along the path, see ``path_mask``.
      batch_norm: what BatchNorm does along the path: ``"batch"``, statistics of each replica's batch, as
        in training; ``"stored"``, the control points' moving statistics, combined like the weights;
        ``"recalibrated"``, statistics estimated anew at every t.
      batch_size: images per replica and batch: those that share batch statistics.
      recalibration_images: over how many images, the first ones, recalibrated statistics are taken.
      sample: which images, and how many; None is ``Sample()``.
      augmented: whether the images are augmented as in training, once for all t.
      confidence: the probability with which all bounds hold together.
      tolerance: the height of a rise or barrier that does not count, in nats.
      per_class: whether the loss of each class is written too.
      gradient_batches: on how many global batches, the first ones, the gradient's norm is estimated at
        every t: none, or at least 2.
      precision: a Keras dtype policy.
      save_every: seconds between two savings of what was summed so far. Like every setting it belongs to
        the directory, though it changes nothing about the result.
      seed: keys the augmentation; and of a fit, by other keys, t and the images.

    Raises:
      InputError: the points do not fit each other or the workload, or a setting is out of range.
    """
    checks.kind("interpolate.workload", workload, Workload, "@Workload()")
    checks.kind("interpolate.curve", curve, Curve, "@Bezier()", others=(None,))
    checks.kind("interpolate.fitting", fitting, Fitting, "@Fitting()", others=(None,))
    checks.kind("interpolate.sample", sample, Sample, "@Sample()", others=(None,))
    checks.each("interpolate.control_points", control_points, checks.text)
    checks.whole_number("interpolate.num_points", num_points, least=2)
    checks.whole_number("interpolate.batch_size", batch_size, least=1)
    checks.whole_number("interpolate.recalibration_images", recalibration_images, least=1)
    checks.whole_number("interpolate.gradient_batches", gradient_batches, least=2, others=(0,))
    checks.whole_number("interpolate.seed", seed)
    checks.flag("interpolate.augmented", augmented)
    checks.flag("interpolate.extrapolate", extrapolate)
    checks.flag("interpolate.per_class", per_class)
    checks.number("interpolate.confidence", confidence, above=0, below=1)
    checks.number("interpolate.tolerance", tolerance, least=0)
    checks.number("interpolate.save_every", save_every, above=0)
    checks.choice("interpolate.batch_norm", batch_norm, get_args(BatchNorm))
    devices.check_precision("interpolate.precision", precision)
    check_range(t_range, extrapolate)
    curve, sample, through = curve or Line(), sample or Sample(), _load(control_points)
    check_workloads([start, *through, end])
    check_statistics(batch_norm, [start, *through, end], fitting)
    available = workload.dataset.num_examples("train")
    recalibration_images = min(recalibration_images, available)
    path = WeightPath.between(workload.network, start, end, curve, mask, through)
    t, network = places(*t_range, num_points), variants.with_precision(workload.network, precision)
    global_batch = batch_size * strategy.num_replicas_in_sync
    unit = unit_of(batch_norm)
    looks = sample.looks(available, _FEWEST_UNITS * (batch_size if unit == "batch" else 1), global_batch)
    check_images(looks[-1], available, unit, batch_size, gradient_batches * global_batch)
    settings = {
        "workload": workload.name,
        "dataset": f"{type(workload.dataset).__name__} of {available} images",
        "start": describe(start),
        "end": describe(end),
        "curve": curve.title,
        "control_points": [describe(point) for point in through],
        "fitting": fitting.settings() if fitting else None,
        "num_points": num_points,
        "t_range": list(t_range),
        "mask": path.rule,
        "batch_norm": batch_norm,
        "recalibration_images": recalibration_images if batch_norm == "recalibrated" else 0,
        "batch_size": batch_size,
        "replicas": strategy.num_replicas_in_sync,
        "looks": list(looks),
        "augmented": augmented,
        "seed": seed,
        "confidence": confidence,
        "tolerance": tolerance,
        "per_class": per_class,
        "gradient_batches": gradient_batches,
        "precision": precision,
        **dataclasses.asdict(workload.objective),
    }
    kind = [] if curve.name == "line" else [curve.name, *([fitting.manifold] if fitting else [])]
    written = files.PathFiles(output_dir or files.default_path_directory(start.origin, end.origin, kind))
    return PreparedPath(
        written=written,
        strategy=strategy,
        workload=workload,
        path=path,
        fitting=fitting,
        network=network,
        t=t,
        batch_norm=batch_norm,
        batch_size=batch_size,
        recalibration_images=recalibration_images,
        looks=looks,
        augmented=augmented,
        confidence=confidence,
        tolerance=tolerance,
        per_class=per_class,
        gradient_batches=gradient_batches,
        precision=precision,
        save_every=save_every,
        seed=seed,
        settings=settings,
        config=gin.operative_config_str(),
    )


def _load(names: Sequence[str]) -> list[Point]:
    prefixes = [prefix for name in names for prefix in files.control_point_prefixes(name)]
    return [checkpoints.load(prefix).point for prefix in prefixes]


def describe(point: Point) -> dict[str, Any]:
    """What the record says of a point."""
    return {**dataclasses.asdict(point.origin), "digest": point.digest()}
