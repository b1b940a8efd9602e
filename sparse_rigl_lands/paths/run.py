"""The evaluation of a path between two points, from its configuration to its files."""

import dataclasses
import functools
import gc
import math
import time
from collections.abc import Sequence
from typing import Any

import gin
import tensorflow as tf

from sparse_rigl_lands import distribution, files, storage
from sparse_rigl_lands.paths import checks, results
from sparse_rigl_lands.paths.curves import Curve, Line, places
from sparse_rigl_lands.paths.evaluator import BatchNorm, PathEvaluator, unit_of
from sparse_rigl_lands.paths.fitting import CurveFit, Fitting
from sparse_rigl_lands.paths.gradients import gradient_norms
from sparse_rigl_lands.paths.masks import MaskRule
from sparse_rigl_lands.paths.resumable import ResumableEvaluation
from sparse_rigl_lands.paths.sample import Sample
from sparse_rigl_lands.paths.weight_path import WeightPath
from sparse_rigl_lands.points import checkpoint as checkpoints
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.points.point import Point
from sparse_rigl_lands.replicas import BatchesOfHost
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.training.objective import decayed
from sparse_rigl_lands.training.workload import Workload

_FEWEST_UNITS = 8  # at the first look: with fewer, bounds are so wide that nothing is decided


@gin.configurable(module="sparse_rigl_lands", denylist=["output_dir", "strategy", "start", "end"])
def interpolate(
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
) -> files.PathFiles:
    """Evaluates a path between two points on the training images: a straight line, or a curve, fitted or given.

    Writes what ``files.PathFiles`` lists. A path that is already there is recognised and not evaluated
    again; one that was begun goes on, and ends with the same bits.

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

    Returns:
      The files written.

    Raises:
      InputError: the points do not fit each other or the workload, a setting is out of range, or
        the directory holds another path. Nothing has been written then.
      DivergedError: the loss is not finite somewhere on the path, or at an end as its checkpoint
        describes it.
    """
    sample = sample or Sample()
    checks.check_numbers("interpolate", num_points=(num_points, 2), batch_size=(batch_size, 1), seed=(seed, -math.inf))
    checks.check_numbers("interpolate", recalibration_images=(recalibration_images, 1))
    if gradient_batches != 0:
        checks.check_numbers("interpolate", gradient_batches=(gradient_batches, 2))
    checks.check_flags(augmented=augmented, extrapolate=extrapolate, per_class=per_class)
    checks.check_range(t_range, extrapolate)
    checks.check_judgement(confidence, tolerance)
    checks.check_save_every(save_every)
    checks.check_batch_norm(batch_norm)
    distribution.check_precision(precision)
    checks.check_curve(curve, control_points, fitting)
    curve, through = curve or Line(), _load(control_points)
    checks.check_workloads([start, *through, end])
    checks.check_statistics(batch_norm, [start, *through, end], fitting)
    available, classes = workload.dataset.num_examples("train"), workload.dataset.num_classes
    recalibration_images = min(recalibration_images, available)
    path = WeightPath.between(workload.network, start, end, curve, mask, through)
    t, network = places(*t_range, num_points), variants.with_precision(workload.network, precision)

    def evaluator_of(path: WeightPath) -> PathEvaluator:
        return PathEvaluator(network, path, t, workload.objective, strategy, classes if per_class else 0)

    # What may refuse the network or a setting is made before anything is written, and one of the two after the
    # other: both at once would take twice the memory.
    fit = CurveFit(strategy, workload, path, fitting, seed) if fitting else None
    evaluator = None if fit else evaluator_of(path)
    global_batch = batch_size * strategy.num_replicas_in_sync
    unit = unit_of(batch_norm)
    looks = sample.looks(available, _FEWEST_UNITS * (batch_size if unit == "batch" else 1), global_batch)
    checks.check_images(looks[-1], available, unit, batch_size, gradient_batches * global_batch)
    settings = {
        "workload": workload.name,
        "dataset": f"{type(workload.dataset).__name__} of {available} images",
        "start": _describe(start),
        "end": _describe(end),
        "curve": curve.title,
        "control_points": [_describe(point) for point in through],
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
    written = files.PathFiles(output_dir or f"runs/paths/{'_'.join([f'{start.origin}_to_{end.origin}', *kind])}")
    written.claim(gin.operative_config_str(), settings)
    if written.result.exists() and written.table.exists():
        written.discard_partial_sums()
        return written

    started = time.monotonic()
    if fit:
        path = fit.run(written.fit)
        for i, point in enumerate(path.inner, start=1):
            checkpoints.save(written.control_point(i), Checkpoint(point, {}))
        fit = None
        gc.collect()  # its variables and its compiled step refer to each other
    evaluator = evaluator or evaluator_of(path)

    def batches(limit: int, first_batch: int) -> BatchesOfHost:
        of_path = workload.dataset.evaluation_batches
        return functools.partial(of_path, "train", global_batch, augmented, seed, limit, first_batch)

    title = f"{curve.title} of {num_points} points"
    stages = ResumableEvaluation(written, evaluator, title, batches, global_batch, save_every)
    statistics = stages.recalibrate(recalibration_images) if batch_norm == "recalibrated" else batch_norm
    evaluated, judgement, looks_made = stages.evaluate(statistics, looks, confidence, tolerance)
    gradients = None
    if gradient_batches:
        first = batches(gradient_batches * global_batch, 0)
        gradients = stages.gradients(gradient_norms(evaluator, statistics, first))

    l2 = workload.objective.l2_of_squared_norm(path.squared_norms(t, decayed(start.weights)))
    storage.write_csv(written.table, results.path_rows(evaluated, l2, gradients))
    storage.write_csv(written.covariance, results.covariance_rows(evaluated))
    if per_class:
        storage.write_csv(written.classes, results.class_rows(evaluated))
    result = {
        "settings": settings,
        **results.told(evaluated, judgement, unit, (start, end)),
        "looks": [dataclasses.asdict(look) for look in looks_made],
        "confidence": confidence,
        "length": path.length(),
        "fitted_control_points": [_describe(point) for point in path.inner] if fitting else [],
        "seconds_of_last_process": round(time.monotonic() - started, 1),
    }
    storage.write_json(written.result, result)
    written.discard_partial_sums()
    return written


def _load(names: Sequence[str]) -> list[Point]:
    prefixes = [prefix for name in names for prefix in files.control_point_prefixes(name)]
    return [checkpoints.load(prefix).point for prefix in prefixes]


def _describe(point: Point) -> dict[str, Any]:
    return {**dataclasses.asdict(point.origin), "digest": point.digest()}
