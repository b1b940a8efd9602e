"""The one training loop."""

import dataclasses
import functools
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from sparse_rigl_lands import files, progress
from sparse_rigl_lands.errors import DivergedError, InputError
from sparse_rigl_lands.points import checkpoint as checkpoints
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.points.point import Point
from sparse_rigl_lands.replicas import Share, distributed
from sparse_rigl_lands.training.metrics import MetricsLog
from sparse_rigl_lands.training.recipe import Recipe
from sparse_rigl_lands.training.trainer import Trainer


def train_from_latest(
    run: files.RunFiles,
    trainer: Trainer,
    recipe: Recipe,
    batches_from: Callable[[int, Share], tf.data.Dataset],
    initialization: Point,
    title: str,
    next_intervention: Callable[[int], int | None] = lambda step: None,
    intervene: Callable[[int], None] = lambda step: None,
) -> float:
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
      The seconds that it took.

    Raises:
      InputError: the latest checkpoint is damaged, or of another network.
      DivergedError: the loss of a step, or a weight after it, is not finite.
    """

    def keeps(step: int) -> bool:
        return step == initialization.origin.global_step or recipe.keeps(step)

    run.clean_checkpoints(keeps)
    saved = run.checkpoint_steps()
    start = checkpoints.load(run.checkpoint(saved[-1])) if saved else Checkpoint(initialization, {})
    origin, step = initialization.origin, start.point.origin.global_step
    trainer.restore(start)
    log = MetricsLog(run, start, recipe.batch_size)

    def save() -> None:
        try:
            captured = trainer.capture(dataclasses.replace(origin, global_step=step))
        except InputError as error:  # the last update was not finite, though the loss before it was
            raise DivergedError(f"after step {step}, {error}; {_advice(run)}") from error
        training = {**captured.training, **log.state()}
        checkpoints.save(run.checkpoint(step), dataclasses.replace(captured, training=training))
        run.clean_checkpoints(keeps)

    if not saved:
        save()
    strategy = trainer.strategy
    batches = iter(distributed(strategy, functools.partial(batches_from, step)))
    started = time.monotonic()
    with progress.Progress(title, recipe.steps, "step", initial=step) as bar:
        while step < recipe.steps:
            if next_intervention(step + 1) == step + 1:
                with strategy.scope():
                    intervene(step + 1)
            stop = recipe.next_stop(step)
            following = next_intervention(step + 2)
            count = min(stop, following - 1 if following else stop) - step
            metrics = trainer.take_steps(batches, count)
            _check_finite(metrics, step, run)
            step += count
            log.add(metrics)
            bar.advance(count, f"loss {metrics[:, 0].mean():.4f}")
            if recipe.logs_at(step):
                log.write(step, float(recipe.learning_rate(step - 1)), trainer.sparsity())
            if recipe.checkpoints_at(step):
                save()
    return time.monotonic() - started


def _check_finite(metrics: np.ndarray, step: int, run: files.RunFiles) -> None:
    losses = metrics[:, 0] + metrics[:, 1]
    bad = np.flatnonzero(~np.isfinite(losses))
    if len(bad):
        raise DivergedError(f"the loss is {losses[bad[0]]} at step {step + bad[0] + 1}; {_advice(run)}")


def _advice(run: files.RunFiles) -> str:
    last = run.checkpoint_steps()[-1]
    return f"the last checkpoint is of step {last}; a lower learning rate or a longer warm-up may help"
