"""A training run, from its configuration to its summary."""

import contextlib
import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import gin
import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands import checks, devices, digests, distribution, files, storage
from sparse_rigl_lands.environment import environment_of
from sparse_rigl_lands.points import point as points
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.replicas import BatchesOfHost, hosts_of
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.training.evaluation import evaluate
from sparse_rigl_lands.training.loop import train_from_latest
from sparse_rigl_lands.training.methods import Method
from sparse_rigl_lands.training.network_trainer import NetworkTrainer
from sparse_rigl_lands.training.recipe import Recipe
from sparse_rigl_lands.training.workload import Workload
from sparse_rigl_lands.workers import Workers


@dataclasses.dataclass(frozen=True, eq=False)
class PreparedRun:
    """A run that was checked and built, and of which nothing is written yet.

    Args:
      run: where it will be written.
      workload, method, recipe, seed: see ``prepare_run``.
      trainer: of the method's variant.
      initialization: where training starts.
      kept_weights: how many weights every kernel has in the end, by name.
      settings: what is in force, by name.
      config: the operative gin configuration.
    """

    run: files.RunFiles
    workload: Workload
    method: Method
    recipe: Recipe
    seed: int
    trainer: NetworkTrainer
    initialization: Point
    kept_weights: Mapping[str, int]
    settings: Mapping[str, object]
    config: str


# Gin knows it by what is done with it: train.seed, train.workload.
@gin.configurable("train", module="sparse_rigl_lands", denylist=["output_dir", "strategy", "needs_data"])
def prepare_run(
    output_dir: str | None,
    strategy: tf.distribute.Strategy,
    workload: Workload,
    method: Method,
    recipe: Recipe,
    seed: int = 0,
    needs_data: bool = True,
) -> PreparedRun:
    """Checks and builds a training run, and writes nothing.

    Args:
      output_dir: where to write; None is ``runs/<workload>/<method>-seed<seed>``.
      strategy: in whose replicas to run.
      workload: what is trained on what.
      method: how the solution becomes sparse.
      recipe: how long and how fast.
      seed: keys the initialization, the order of the data and its augmentation.
      needs_data: whether the images must be there, as they need not for a plan; nor for a run that is finished.

    Raises:
      InputError: what was asked for cannot work.
    """
    checks.kind("train.workload", workload, Workload, "@Workload()")
    checks.kind("train.method", method, Method, "@Pruned()")
    checks.kind("train.recipe", recipe, Recipe, "@Recipe()")
    checks.whole_number("train.seed", seed)
    run = files.default_run(workload.name, method.name, seed) if output_dir is None else files.RunFiles(output_dir)
    if needs_data and not run.summary.exists():
        workload.dataset.check_there()
    method.validate(recipe.steps)
    devices.check_precision("Recipe.precision", recipe.precision)
    distribution.check_batch("Recipe.batch_size", recipe.batch_size, strategy)
    workload.dataset.check_batch_size(recipe.batch_size, hosts_of(strategy))
    origin = Origin(workload.name, method.name, seed, global_step=0)
    initialization = method.initialization(workload.network, origin, run)
    targets = method.kept_weights(workload.network, initialization)
    with strategy.scope():
        model = method.variant(variants.with_precision(workload.network, recipe.precision), initialization)
        optimizer = tf_keras.optimizers.SGD(recipe.learning_rate, recipe.momentum, recipe.nesterov)
    trainer = NetworkTrainer(model, workload.objective, optimizer, recipe.batch_size, strategy)
    named = variants.named_variables(model)
    points.check_fit(initialization, {**named.weights, **named.statistics})

    settings = {
        "origin": initialization.origin,
        "initialization": initialization.digest(),
        "dataset": type(workload.dataset).__name__,
        "objective": workload.objective,
        **recipe.settings(),
        "kept_weights": targets,
        **method.settings(),
    }
    return PreparedRun(
        run, workload, method, recipe, seed, trainer, initialization, targets, settings, gin.operative_config_str()
    )


def train(prepared: PreparedRun) -> files.RunFiles:
    """Trains a network, from scratch or from where an earlier process was stopped.

    Args:
      prepared: the run.

    Returns:
      The files written.

    Raises:
      InputError: the directory cannot be written, belongs to another run, or holds a finished one that was damaged;
        nothing has been written then.
      DivergedError: the loss was not finite.
    """
    run, workers = prepared.run, Workers(prepared.trainer.strategy)
    workers.check_alike(f"{prepared.config}{dict(prepared.settings)}", "configuration")
    with contextlib.ExitStack() as held:
        workers.chief_does(lambda: held.enter_context(run.claimed(prepared.config, prepared.settings)))
        if workers.any(run.summary.exists()):
            workers.chief_does(lambda: digests.check(run.digests, run.parts()))
        else:
            _train(prepared, workers)
    return run


def _train(prepared: PreparedRun, workers: Workers) -> None:
    """Trains, evaluates the solution, and writes the summary, which says that the run is finished."""
    run, workload, method, recipe = prepared.run, prepared.workload, prepared.method, prepared.recipe
    trainer, initialization = prepared.trainer, prepared.initialization
    solution, seconds = train_from_latest(
        run,
        trainer,
        recipe,
        functools.partial(workload.dataset.training_batches, recipe.batch_size, prepared.seed),
        initialization,
        f"training {method.name}",
        method.next_intervention,
        method.intervention(trainer.model, trainer.momentum),
    )

    batches = workload.dataset.evaluation_batches
    evaluated_on: dict[str, BatchesOfHost] = {  # augmented alike for every seed of training, and as a path's images are
        "train_augmented": lambda share: batches("train", recipe.batch_size, augmented=True, share=share),
        "test": lambda share: batches("test", recipe.batch_size, share=share),
    }
    summary = {
        **dataclasses.asdict(solution.origin),
        "first_step": initialization.origin.global_step,
        "sparsity": solution.mask.sparsity_of_all(variants.kernel_shapes(workload.network)),
        "layers": _check_sparsity(solution, initialization, prepared.kept_weights),
        **{
            name: dataclasses.asdict(evaluate(trainer.model, workload.objective, stream, trainer.strategy))
            for name, stream in evaluated_on.items()
        },
        "replicas": trainer.strategy.num_replicas_in_sync,
        "images_per_replica": recipe.batch_size // trainer.strategy.num_replicas_in_sync,
        "seconds_of_last_process": round(seconds, 1),
        "environment": environment_of(trainer.strategy),
    }
    workers.chief_does(lambda: digests.finish(run.digests, run.parts(), run.summary, storage.json_bytes(summary)))


def _check_sparsity(solution: Point, initialization: Point, targets: Mapping[str, int]) -> list[dict[str, Any]]:
    """Counts what every kernel has kept, and insists on its target.

    Returns:
      One row per kernel: name, shape, weights, how many of them were nonzero at the start and how many
      units (output channels) had none then, how many weights are kept in the end, how many were to be,
      sparsity.

    Raises:
      RuntimeError: a kernel is not at its target; a defect of this software.
    """
    kept = solution.mask.live_weights({name: solution.weights[name].shape for name in targets})
    rows = []
    for name, target in targets.items():
        kernel, nonzero = solution.weights[name], initialization.weights[name] != 0
        if kept[name] != target:
            raise RuntimeError(f"{name} kept {kept[name]} of {kernel.size} weights; the target is {target}")
        rows.append(
            {
                "kernel": name,
                "shape": list(kernel.shape),
                "weights": kernel.size,
                "nonzero_at_start": int(np.count_nonzero(nonzero)),
                "units_empty_at_start": int(np.count_nonzero(~nonzero.reshape(-1, kernel.shape[-1]).any(axis=0))),
                "kept": kept[name],
                "target": target,
                "sparsity": 1 - kept[name] / kernel.size,
            }
        )
    return rows
