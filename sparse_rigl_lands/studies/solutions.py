"""What there is to say of a run's solution: its loss, whether it is stationary, and how far it lies from others."""

import functools
from typing import Any

import gin
import tensorflow as tf
import tf_keras
from typing_extensions import TypedDict

from sparse_rigl_lands import checks, distribution, files, seeds, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.points import point as points
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.training.pruned_run import PrunedRun
from sparse_rigl_lands.training.recipe import Recipe
from sparse_rigl_lands.training.stationarity import gradient_norms_of_network
from sparse_rigl_lands.training.summary import Summary, load_initialization, load_solution
from sparse_rigl_lands.training.workload import Workload

# As the paper's Figure 2 calls them, where it does.
_POINTS = {"pruned": "P-S", "lottery": "L-S", "scratch": "S-S", "dense": "D-S", "zeroed_init": "Z-S"}


class SolutionRow(TypedDict):
    """A row of the table of solutions, see ``describe_solution``."""

    run: str
    point: str
    seed: int
    sparsity: float
    training_loss: float
    training_loss_error: float
    gradient_norm_sparse: float
    gradient_noise_sparse: float
    gradient_norm_dense: float
    gradient_noise_dense: float
    test_accuracy: float
    distance_from_initialization: float
    distance_to_pruned: float | None
    mask_overlap_with_pruned: float | None


@gin.configurable(module="sparse_rigl_lands", denylist=["run", "strategy"])
def describe_solution(
    run: files.RunFiles,
    strategy: tf.distribute.Strategy,
    workload: Workload,
    recipe: Recipe,
    pruned_run: PrunedRun | None = None,
    gradient_samples: int = 8,
    gradient_batches: int = 8,
    seed: int = 0,
) -> dict[str, Any]:
    """Describes the solution of a finished run.

    Args:
      run: the run, of ``files.finished_run``.
      strategy: in whose replicas to run.
      workload: of the run.
      recipe: of the run; its batch size is that of the gradient.
      pruned_run: where the pruned solution lies that it is compared with; None is ``PrunedRun()``.
      gradient_samples: from how many independent samples the gradient is estimated.
      gradient_batches: how many batches a sample has.
      seed: keys the samples.

    Returns:
      One row of the table of solutions. Distances are Euclidean, the overlap is the Jaccard index of
      ``Mask.overlap``; they are None where there is no pruned run.

    Raises:
      InputError: the run, or the pruned one, is of another workload or network, a checkpoint of theirs
        is missing, or a setting is out of range.
    """
    checks.kind("describe_solution.workload", workload, Workload, "@Workload()")
    checks.kind("describe_solution.recipe", recipe, Recipe, "@Recipe()")
    checks.kind("describe_solution.pruned_run", pruned_run, PrunedRun, "@PrunedRun()", others=(None,))
    checks.whole_number("describe_solution.gradient_samples", gradient_samples, least=2)
    checks.whole_number("describe_solution.gradient_batches", gradient_batches, least=1)
    checks.whole_number("describe_solution.seed", seed)
    distribution.check_batch("Recipe.batch_size", recipe.batch_size, strategy)
    summary = storage.read_json(run.summary, Summary)
    first, last = load_initialization(run), load_solution(run)
    if last.origin.workload != workload.name:
        raise InputError(f"{run.directory} is of workload {last.origin.workload}, not {workload.name}")
    with strategy.scope():
        model = tf_keras.models.clone_model(workload.network)
    named = variants.named_variables(model)
    reference = None
    where = pruned_run or PrunedRun()
    if where.located(run, last.origin.seed).summary.is_file():
        reference = where.solution(run, last.origin)
        points.check_fit(reference, {**named.weights, **named.statistics})
    points.assign(model, last)
    samples = [
        functools.partial(
            workload.dataset.training_batches, recipe.batch_size, seeds.key(seed, f"gradient norm/{i}"), 0
        )
        for i in range(gradient_samples)
    ]
    sparse, dense = gradient_norms_of_network(model, workload.objective, last.mask, samples, gradient_batches, strategy)
    return {
        "run": str(run.directory),
        "point": _POINTS.get(last.origin.method, last.origin.method),
        "seed": last.origin.seed,
        "sparsity": summary["sparsity"],
        "training_loss": summary["train_augmented"]["cross_entropy"],
        "training_loss_error": summary["train_augmented"]["cross_entropy_error"],
        "gradient_norm_sparse": sparse.norm,
        "gradient_noise_sparse": sparse.noise,
        "gradient_norm_dense": dense.norm,
        "gradient_noise_dense": dense.noise,
        "test_accuracy": summary["test"]["accuracy"],
        "distance_from_initialization": last.distance(first),
        "distance_to_pruned": None if reference is None else last.distance(reference),
        "mask_overlap_with_pruned": None if reference is None else last.mask.overlap(reference.mask),
    }
