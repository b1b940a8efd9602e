"""The one training loop."""

import dataclasses
import functools
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from sparse_rigl_lands import files, progress
from sparse_rigl_lands.errors import DivergedError, InputError, PreemptedError
from sparse_rigl_lands.points import checkpoint as checkpoints
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.points.point import Point
from sparse_rigl_lands.preemption import StopRequest
from sparse_rigl_lands.replicas import Share, distributed
from sparse_rigl_lands.training.metrics import MetricsLog
from sparse_rigl_lands.training.recipe import Recipe
from sparse_rigl_lands.training.trainer import Trainer
from sparse_rigl_lands.workers import Workers

# At most, so that a process that is asked to end gets to do so: ten steps of 4096 images take ResNet-50 some seconds,
# and a machine that is taken away leaves thirty. Replicas share their moving statistics at the end of every call, so
# this number belongs to the result.
_STEPS_PER_CALL = 10


def train_from_latest(
    run: files.RunFiles,
    trainer: Trainer,
    recipe: Recipe,
    batches_from: Callable[[int, Share], tf.data.Dataset],
    initialization: Point,
    title: str,
    next_intervention: Callable[[int], int | None] = lambda step: None,
    intervene: Callable[[int], None] = lambda step: None,
) -> tuple[Point, float]:
    """Trains from the latest checkpoint, or from the initialization, to the last step.

    Whatever happens between compiled calls (an update of the masks, a row of the metrics, a
    checkpoint) happens at steps that depend on the configuration alone, and the data on the global
    step alone: a run that was stopped anywhere goes on to the same bits.

    Args:
      run: where the checkpoints and metrics are written.
      trainer: takes the steps.
      recipe: how many, and what is written when.
      batches_from: a host's stream of training batches from a global step onwards.
      initialization: where a new run starts; its origin is the run's, its global step the first.
      title: of the progress.
      next_intervention: the first step at or after a given one, counted from 1, that an intervention must
        precede; None if none does.
      intervene: what happens before such a step, in cross-replica context.

    Returns:
      The last point, and the seconds that it took.

    Raises:
      InputError: a checkpoint is damaged, or of another network, or not seen by all workers.
      DivergedError: the loss of a step, or a weight after it, is not finite.
      PreemptedError: SIGTERM has asked the process, or another worker, to end; what was done is saved.
    """
    strategy = trainer.strategy
    workers = Workers(strategy)

    def keeps(step: int) -> bool:
        return step == initialization.origin.global_step or recipe.keeps(step)

    saved = run.checkpoint_steps()
    workers.check_alike(str(saved), f"checkpoints in {run.directory}; it must be one directory for all")
    start = Checkpoint(initialization, {})
    for each in saved:  # all are read: damage is told now, and not once the earlier ones are needed
        start = checkpoints.load(run.checkpoint(each))
    # where all workers meet: none is removed before all have read it
    workers.check_alike(start.point.digest(), f"checkpoint to go on from in {run.directory}")
    workers.chief_does(lambda: run.clean_checkpoints(keeps))  # of a damaged one the one before is all that is left
    origin, step = initialization.origin, start.point.origin.global_step
    trainer.restore(start)
    log = MetricsLog(run, start, recipe.batch_size, writes=workers.is_chief)

    def save() -> Point:
        try:
            captured = trainer.capture(dataclasses.replace(origin, global_step=step))
        except InputError as error:  # the last update was not finite, though the loss before it was
            raise DivergedError(f"after step {step}, {error}; {_advice(run)}") from error
        if workers.is_chief:
            training = {**captured.training, **log.state()}
            checkpoints.save(run.checkpoint(step), dataclasses.replace(captured, training=training))
            run.clean_checkpoints(keeps)
        return captured.point

    point = start.point if saved else save()
    batches = iter(distributed(strategy, functools.partial(batches_from, step)))
    started = time.monotonic()
    with progress.Progress(title, recipe.steps, "step", initial=step) as bar, StopRequest() as stop_request:
        while step < recipe.steps:
            if next_intervention(step + 1) == step + 1:
                with strategy.scope():
                    intervene(step + 1)
            stops = [recipe.next_stop(step), step + _STEPS_PER_CALL]
            if following := next_intervention(step + 2):
                stops.append(following - 1)
            count = min(stops) - step
            metrics = trainer.take_steps(batches, count)
            _check_finite(metrics, step, run)
            step += count
            log.add(metrics)
            bar.advance(count, f"loss {metrics[:, 0].mean():.4f}")
            if recipe.logs_at(step):
                log.write(step, float(recipe.learning_rate(step - 1)), trainer.observe(recipe.log_batch_norm))
            is_to_stop = workers.any(stop_request.was_made)
            if is_to_stop or recipe.checkpoints_at(step):
                point = save()
            if is_to_stop:
                raise PreemptedError(f"stopped by SIGTERM after step {step}, which is saved")
    return point, time.monotonic() - started


def _check_finite(metrics: np.ndarray, step: int, run: files.RunFiles) -> None:
    losses = metrics[:, 0] + metrics[:, 1]
    bad = np.flatnonzero(~np.isfinite(losses))
    if len(bad):
        raise DivergedError(f"the loss is {losses[bad[0]]} at step {step + bad[0] + 1}; {_advice(run)}")


def _advice(run: files.RunFiles) -> str:
    last = run.checkpoint_steps()[-1]
    return f"the last checkpoint is of step {last}; a lower learning rate or a longer warm-up may help"
