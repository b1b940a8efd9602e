"""A training run, from its configuration to its summary."""

import dataclasses
import itertools
import math
import platform
import time
from collections.abc import Mapping, Sequence
from typing import Any

import gin
import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras

from sparse_rigl_lands import files, progress
from sparse_rigl_lands.errors import DivergedError, InputError
from sparse_rigl_lands.points import checkpoint as checkpoints
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity import distributions, variants
from sparse_rigl_lands.training.evaluation import evaluate
from sparse_rigl_lands.training.methods import Method
from sparse_rigl_lands.training.metrics import MetricsLog
from sparse_rigl_lands.training.trainer import Trainer
from sparse_rigl_lands.training.workload import Workload


@gin.configurable(module="sparse_rigl_lands")
@dataclasses.dataclass(frozen=True)
class Recipe:
    """How long, how fast, and how precisely a network is trained.

    Args:
      steps: optimizer steps in all.
      batch_size: examples per global batch, whatever the number of replicas.
      learning_rate: from the step, counted from 0, to the rate.
      momentum: of SGD.
      nesterov: whether the momentum is Nesterov's.
      precision: a Keras dtype policy, ``"float32"`` or ``"mixed_bfloat16"``.
      log_every: steps per row of the metrics.
      checkpoint_every: steps between checkpoints; only the latest of them is kept.
      keep_steps: steps whose checkpoints are kept, besides the first and the last.

    Raises:
      InputError: a count below 1.
    """

    steps: int
    batch_size: int
    learning_rate: tf_keras.optimizers.schedules.LearningRateSchedule
    momentum: float = 0.9
    nesterov: bool = True
    precision: str = "float32"
    log_every: int = 100
    checkpoint_every: int = 500
    keep_steps: Sequence[int] = ()

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "log_every", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise InputError(f"Recipe.{name} is {getattr(self, name)}; it must be at least 1")

    def logs_at(self, step: int) -> bool:
        return step % self.log_every == 0 or step == self.steps

    def keeps(self, step: int) -> bool:
        return step in (0, self.steps) or step in self.keep_steps

    def checkpoints_at(self, step: int) -> bool:
        return step % self.checkpoint_every == 0 or self.keeps(step)

    def next_stop(self, step: int) -> int:
        """The first step after ``step`` at which something is logged or saved."""
        return next(s for s in itertools.count(step + 1) if self.logs_at(s) or self.checkpoints_at(s))


@gin.configurable(module="sparse_rigl_lands")
def train(
    output_dir: str | None,
    strategy: tf.distribute.Strategy,
    workload: Workload,
    method: Method,
    recipe: Recipe,
    seed: int = 0,
) -> files.RunFiles:
    """Trains a network, from scratch or from where an earlier process was stopped.

    Args:
      output_dir: where to write; None is ``runs/<workload>/<method>-seed<seed>``.
      strategy: in whose replicas to run.
      workload: what is trained on what.
      method: how the solution becomes sparse.
      recipe: how long and how fast.
      seed: keys the initialization, the order of the data and its augmentation.

    Returns:
      The files written.

    Raises:
      InputError: what was asked for cannot work; nothing has been written then.
      DivergedError: the loss was not finite.
    """
    method.validate(recipe.steps)
    targets = method.sparsities(workload.network)
    if recipe.batch_size % strategy.num_replicas_in_sync:
        raise InputError(
            f"Recipe.batch_size {recipe.batch_size} does not divide among {strategy.num_replicas_in_sync} replicas"
        )
    with strategy.scope():
        model = method.variant(variants.with_precision(workload.network, recipe.precision))
        optimizer = tf_keras.optimizers.SGD(recipe.learning_rate, recipe.momentum, recipe.nesterov)
    trainer = Trainer(model, workload.objective, optimizer, recipe.batch_size, strategy)

    run = files.RunFiles(output_dir or f"runs/{workload.name}/{method.name}-seed{seed}")
    run.claim(gin.operative_config_str())
    if run.summary.exists():
        return run

    origin = Origin(workload.name, method.name, seed, 0)
    seconds = _train_from_latest(run, trainer, workload, method, recipe, origin, strategy)
    summary = {
        **dataclasses.asdict(dataclasses.replace(origin, global_step=recipe.steps)),
        "layers": _check_sparsity(checkpoints.load(run.checkpoint(recipe.steps)).point, targets),
        **{
            name: dataclasses.asdict(evaluate(model, workload.objective, batches, strategy))
            for name, batches in {
                "train_augmented": workload.dataset.evaluation_batches("train", recipe.batch_size, True, seed),
                "test": workload.dataset.evaluation_batches("test", recipe.batch_size),
            }.items()
        },
        "replicas": strategy.num_replicas_in_sync,
        "seconds_of_last_process": round(seconds, 1),
        "environment": _environment(),
    }
    files.write_json(run.summary, summary)
    return run


def _train_from_latest(
    run: files.RunFiles,
    trainer: Trainer,
    workload: Workload,
    method: Method,
    recipe: Recipe,
    origin: Origin,
    strategy: tf.distribute.Strategy,
) -> float:
    """Trains from the latest checkpoint, or from the initialization, to the last step.

    Returns:
      The seconds that it took.
    """
    run.remove_partial_checkpoints()
    saved = run.checkpoint_steps()
    if saved:
        start = checkpoints.load(run.checkpoint(saved[-1]))
    else:
        start = Checkpoint(initializations.dense(workload.network, workload.name, method.name, origin.seed), {})
    trainer.restore(start)
    step = start.point.origin.global_step
    log = MetricsLog(run, step, start.training)

    def save() -> None:
        captured = trainer.capture(dataclasses.replace(origin, global_step=step))
        training = {**captured.training, **log.state()}
        checkpoints.save(run.checkpoint(step), dataclasses.replace(captured, training=training))
        for earlier in run.checkpoint_steps():
            if earlier < step and not recipe.keeps(earlier):
                checkpoints.delete(run.checkpoint(earlier))

    if not saved:
        save()
    batches = iter(
        strategy.experimental_distribute_dataset(
            workload.dataset.training_batches(recipe.batch_size, origin.seed, step)
        )
    )
    intervene = method.intervention(trainer.model, trainer.momentum)
    started = interval_started = time.monotonic()
    interval_step = step
    with progress.Progress(f"training {method.name}", recipe.steps, "step", initial=step) as bar:
        while step < recipe.steps:
            if method.next_intervention(step + 1) == step + 1:
                with strategy.scope():
                    intervene(step + 1)
            stop = recipe.next_stop(step)
            following = method.next_intervention(step + 2)
            count = min(stop, following - 1 if following else stop) - step
            metrics = trainer.take_steps(batches, count)
            _check_finite(metrics, step, run)
            step += count
            log.add(metrics)
            bar.advance(count, f"loss {metrics[-1, 0]:.4f}")
            if recipe.logs_at(step):
                images = (step - interval_step) * recipe.batch_size
                rate = images / (time.monotonic() - interval_started)
                log.write(step, float(recipe.learning_rate(step - 1)), _current_sparsity(trainer.model), rate)
                interval_step, interval_started = step, time.monotonic()
            if recipe.checkpoints_at(step):
                save()
    return time.monotonic() - started


def _check_finite(metrics: np.ndarray, step: int, run: files.RunFiles) -> None:
    losses = metrics[:, 0] + metrics[:, 1]
    bad = np.flatnonzero(~np.isfinite(losses))
    if len(bad):
        raise DivergedError(
            f"the loss is {losses[bad[0]]} at step {step + bad[0] + 1}; the last checkpoint is of step "
            f"{run.checkpoint_steps()[-1]}; a lower learning rate or a longer warm-up may help"
        )


def _current_sparsity(model: tf_keras.Model) -> dict[str, float]:
    """The fraction of zeros of every masked kernel, and of all kernels under ``"all"``."""
    named = variants.named_variables(model)
    live = {name: float(tf.reduce_sum(mask)) for name, mask in named.masks.items()}
    sizes = {name: math.prod(shape) for name, shape in variants.kernel_shapes(model).items()}
    kept = sum(live.get(name, size) for name, size in sizes.items())
    return {**{name: 1 - count / sizes[name] for name, count in live.items()}, "all": 1 - kept / sum(sizes.values())}


def _check_sparsity(point: Point, targets: Mapping[str, float]) -> list[dict[str, Any]]:
    """Counts what every kernel has kept, and insists on its target.

    Returns:
      One row per kernel: name, shape, weights, kept, sparsity, target.

    Raises:
      RuntimeError: a kernel is not at its target; a defect of this software.
    """
    rows = []
    for name, target in targets.items():
        kernel = point.weights[name]
        mask = point.mask.arrays.get(name)
        kept = kernel.size if mask is None else int(np.count_nonzero(mask))
        if kept != distributions.kept_weights(kernel.size, target):
            raise RuntimeError(f"{name} kept {kept} of {kernel.size} weights at a target sparsity of {target}")
        rows.append(
            {
                "kernel": name,
                "shape": list(kernel.shape),
                "weights": kernel.size,
                "kept": kept,
                "sparsity": 1 - kept / kernel.size,
                "target": target,
            }
        )
    return rows


def _environment() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "tf_keras": tf_keras.__version__,
        "tensorflow_model_optimization": tfmot.__version__,
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
    }
