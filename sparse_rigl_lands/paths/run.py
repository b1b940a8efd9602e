"""The evaluation of a path between two points, from what was asked for to its files."""

import contextlib
import dataclasses
import functools
import gc
import time

from sparse_rigl_lands import digests, files, storage
from sparse_rigl_lands.paths import results
from sparse_rigl_lands.paths.evaluator import PathEvaluator, StatisticsOfPlaces, unit_of
from sparse_rigl_lands.paths.fitting import CurveFit
from sparse_rigl_lands.paths.gradients import gradient_norms_on_path
from sparse_rigl_lands.paths.partial_sums import Saving
from sparse_rigl_lands.paths.preparation import PreparedPath, describe
from sparse_rigl_lands.paths.resumable import ResumableEvaluation
from sparse_rigl_lands.paths.weight_path import WeightPath
from sparse_rigl_lands.points import checkpoint as checkpoints
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.preemption import StopRequest
from sparse_rigl_lands.replicas import BatchesOfHost
from sparse_rigl_lands.training.objective import decayed
from sparse_rigl_lands.workers import Workers


def interpolate(prepared: PreparedPath) -> files.PathFiles:
    """Evaluates a path between two points on the training images: a straight line, or a curve, fitted or given.

    Writes what ``files.PathFiles`` lists. A path that is already there is recognised and not evaluated
    again; one that was begun goes on, and ends with the same bits.

    Args:
      prepared: the path.

    Returns:
      The files written.

    Raises:
      InputError: the network, the curve or the fitting cannot work, or the directory cannot be written or
        holds another path, or this one damaged. Nothing has been written then.
      PreemptedError: SIGTERM has asked the process, or another worker, to end; what was done is saved.
      DivergedError: the loss is not finite somewhere on the path, or at an end as its checkpoint
        describes it.
    """
    written, workers = prepared.written, Workers(prepared.strategy)
    if not written.result.exists():
        prepared.workload.dataset.check_there()
    built = prepared.fit_or_evaluator()
    workers.check_alike(f"{prepared.config}{dict(prepared.settings)}", "configuration")
    with contextlib.ExitStack() as held:
        workers.chief_does(lambda: held.enter_context(written.claimed(prepared.config, prepared.settings)))
        if workers.any(written.result.exists()):
            workers.chief_does(lambda: digests.check(written.digests, written.parts()))
            workers.chief_does(written.discard_partial_sums)
            return written
        started, path = time.monotonic(), prepared.path
        if isinstance(built, CurveFit):
            path = _fit(built, written, workers)
            del built
            gc.collect()  # its variables and its compiled step refer to each other
            built = prepared.evaluator(path)
        _evaluate(prepared, path, built, workers, started)
    return written


def _fit(fit: CurveFit, written: files.PathFiles, workers: Workers) -> WeightPath:
    """Fits the curve, and writes its control points."""
    path = fit.run(written.fit)
    for i, point in enumerate(path.inner, start=1):
        if workers.is_chief:
            checkpoints.save(written.control_point(i), Checkpoint(point, {}))
    return path


def _evaluate(
    prepared: PreparedPath, path: WeightPath, evaluator: PathEvaluator, workers: Workers, started: float
) -> None:
    """Evaluates the path, and writes its results, of which ``path.json`` says that it is finished."""
    written, workload, global_batch = prepared.written, prepared.workload, prepared.global_batch

    def batches(limit: int, first_batch: int) -> BatchesOfHost:
        of_path = workload.dataset.evaluation_batches
        return functools.partial(of_path, "train", global_batch, prepared.augmented, prepared.seed, limit, first_batch)

    title = f"{path.curve.title} of {len(prepared.t)} points"
    confidence, gradients = prepared.confidence, None
    with StopRequest() as stop_request:
        saving = Saving(
            prepared.save_every,
            workers.is_chief,
            lambda: workers.any(stop_request.was_made),
            lambda text: workers.check_alike(text, f"sums in {written.directory}; it must be one directory for all"),
        )
        stages = ResumableEvaluation(written, evaluator, title, batches, global_batch, saving)
        statistics: StatisticsOfPlaces
        if prepared.batch_norm == "recalibrated":
            statistics = stages.recalibrate(prepared.recalibration_images)
        else:
            statistics = prepared.batch_norm
        evaluated, judgement, looks = stages.evaluate(statistics, prepared.looks, confidence, prepared.tolerance)
        if prepared.gradient_batches:
            first = batches(prepared.gradient_batches * global_batch, 0)
            gradients = stages.gradients(gradient_norms_on_path(evaluator, statistics, first))

    squared_norms = path.squared_norms(prepared.t, decayed(path.start.weights))
    l2 = workload.objective.l2_of_squared_norm(squared_norms)
    result = {
        "settings": prepared.settings,
        **results.told(evaluated, judgement, confidence, unit_of(prepared.batch_norm), (path.start, path.end)),
        "looks": [dataclasses.asdict(look) for look in looks],
        "length": path.length(),
        "fitted_control_points": [describe(point) for point in path.inner] if prepared.fitting else [],
        "seconds_of_last_process": round(time.monotonic() - started, 1),
    }

    def write() -> None:
        storage.write_csv(written.table, results.path_rows(evaluated, l2, gradients))
        storage.write_csv(written.covariance, results.covariance_rows(evaluated))
        if prepared.per_class:
            storage.write_csv(written.classes, results.class_rows(evaluated))
        digests.finish(written.digests, written.parts(), written.result, storage.json_bytes(result))
        written.discard_partial_sums()

    workers.chief_does(write)
