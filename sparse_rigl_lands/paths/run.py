"""The evaluation of a path between two points, from its configuration to its files."""

import dataclasses
import time
from typing import Any

import gin
import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands import files, progress
from sparse_rigl_lands.errors import DivergedError, InputError
from sparse_rigl_lands.paths import geometry, statistics
from sparse_rigl_lands.paths.curve_network import BatchNorm, CurveNetwork
from sparse_rigl_lands.paths.curves import Line
from sparse_rigl_lands.paths.evaluator import evaluate as evaluate_path
from sparse_rigl_lands.paths.masks import Rule, path_mask
from sparse_rigl_lands.points import point as points
from sparse_rigl_lands.points.point import Point
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.training.evaluation import Evaluation
from sparse_rigl_lands.training.evaluation import evaluate as evaluate_network
from sparse_rigl_lands.training.objective import decayed
from sparse_rigl_lands.training.workload import Workload


@gin.configurable(module="sparse_rigl_lands", denylist=["output_dir", "strategy", "start", "end"])
def interpolate(
    output_dir: str | None,
    strategy: tf.distribute.Strategy,
    start: Point,
    end: Point,
    workload: Workload,
    num_points: int = 51,
    batch_norm: BatchNorm = "batch",
    batch_size: int = 128,
    mask: Rule = "auto",
    augmented: bool = True,
    precision: str = "float32",
    seed: int = 0,
) -> files.PathFiles:
    """Evaluates the straight line between two points on the training images.

    Writes ``path.csv`` and ``path.json`` of ``files.PathFiles``; a path that is already there is
    recognised and not evaluated again.

    Args:
      output_dir: where to write; None is ``runs/paths/<start>_to_<end>``.
      strategy: in whose replicas to run.
      start: the point at t = 0.
      end: the point at t = 1.
      workload: the images, the network and the objective.
      num_points: K, how many values of t are spread evenly over [0, 1], the ends included.
      batch_norm: what BatchNorm does along the path, see ``CurveNetwork``.
      batch_size: images per replica and batch: those that share batch statistics.
      mask: which weights exist along the path, see ``path_mask``.
      augmented: whether the images are augmented as in training, once for all t.
      precision: a Keras dtype policy.
      seed: keys the augmentation.

    Returns:
      The files written.

    Raises:
      InputError: the points do not fit each other or the workload, a setting is out of range, or
        the directory holds another path. Nothing has been written then.
      DivergedError: the loss is not finite somewhere on the path, or at an end as its checkpoint
        describes it.
    """
    for name, value, least in (("num_points", num_points, 2), ("batch_size", batch_size, 1), ("seed", seed, None)):
        if not isinstance(value, int) or (least is not None and value < least):
            needed = "a whole number" if least is None else f"a whole number of at least {least}"
            raise InputError(f"interpolate.{name} is {value!r}; it must be {needed}")
    if not isinstance(augmented, bool):
        raise InputError(f"interpolate.augmented is {augmented!r}; it must be True or False")
    if start.origin.workload != end.origin.workload:
        raise InputError(f"the start is of workload {start.origin.workload}, the end of {end.origin.workload}")
    curve = Line()
    chosen_mask, rule_used = path_mask(start, end, mask)
    network = variants.with_precision(workload.network, precision)
    with strategy.scope():
        curve_network = CurveNetwork(network, curve.num_control_points, batch_norm)
    ends = [start.under(chosen_mask), end.under(chosen_mask)]
    curve_network.assign(ends)

    t = np.linspace(0.0, 1.0, num_points)
    settings = {
        "workload": workload.name,
        "start": _describe(start),
        "end": _describe(end),
        "curve": curve.name,
        "num_points": num_points,
        "mask": rule_used,
        "batch_norm": batch_norm,
        "batch_size": batch_size,
        "images": workload.dataset.num_examples("train"),
        "augmented": augmented,
        "seed": seed,
        "precision": precision,
        **dataclasses.asdict(workload.objective),
    }
    path = files.PathFiles(output_dir or f"runs/paths/{start.origin}_to_{end.origin}")
    path.claim(gin.operative_config_str(), settings)
    if path.result.exists() and path.table.exists():
        return path

    batches = workload.dataset.evaluation_batches("train", batch_size * strategy.num_replicas_in_sync, augmented, seed)
    started = time.monotonic()
    with progress.Progress(f"{curve.name} of {num_points} points", settings["images"], "image") as bar:
        losses = evaluate_path(curve_network, curve.coefficients(t), workload.objective, batches, strategy, bar.advance)

    bad = np.flatnonzero(~np.isfinite(losses.cross_entropy + losses.smoothed_cross_entropy))
    if len(bad):
        raise DivergedError(f"the loss is {losses.cross_entropy[bad[0]]} at t = {t[bad[0]]:g}; no path was written")

    with strategy.scope():
        model = tf_keras.models.clone_model(network)
    own_statistics = {}
    for name, point in {"start": start, "end": end}.items():
        points.assign(model, point)
        evaluation = evaluate_network(model, workload.objective, batches, strategy)
        own_statistics[name] = dataclasses.asdict(evaluation)

    kernels = decayed(start.weights)
    l2 = workload.objective.l2_of_squared_norm(
        geometry.squared_norms(curve.coefficients(t), geometry.gram_matrix(ends, kernels))
    )
    files.write_csv(path.table, _rows(t, losses, l2))
    result = {
        "settings": settings,
        "largest_rise": dataclasses.asdict(statistics.largest_rise(t, losses.cross_entropy)),
        "barrier": dataclasses.asdict(statistics.barrier(t, losses.cross_entropy)),
        "length": geometry.length(curve, geometry.gram_matrix(ends, start.weights)),
        "ends_on_the_path": {"start": float(losses.cross_entropy[0]), "end": float(losses.cross_entropy[-1])},
        "ends_under_their_own_statistics_and_mask": own_statistics,
        "replicas": strategy.num_replicas_in_sync,
        "seconds": round(time.monotonic() - started, 1),
    }
    files.write_json(path.result, result)
    return path


def _describe(point: Point) -> dict[str, Any]:
    return {**dataclasses.asdict(point.origin), "digest": point.digest()}


def _rows(t: np.ndarray, losses: Evaluation, l2: np.ndarray) -> list[dict[str, object]]:
    return [
        {
            "t": round(float(t[k]), 12),
            "cross_entropy": float(losses.cross_entropy[k]),
            "smoothed_cross_entropy": float(losses.smoothed_cross_entropy[k]),
            "l2": float(l2[k]),
            "top1": float(losses.accuracy[k]),
            "count": losses.count,
        }
        for k in range(len(t))
    ]
