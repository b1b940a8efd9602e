"""What there is to say of a run's solution: its loss, whether it is stationary, and how far it lies from others."""

from typing import Any

import gin
import tensorflow as tf
import tf_keras

from sparse_rigl_lands import files, seeds
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.points import checkpoint as checkpoints
from sparse_rigl_lands.points import point as points
from sparse_rigl_lands.training.pruned_run import PrunedRun
from sparse_rigl_lands.training.recipe import Recipe
from sparse_rigl_lands.training.stationarity import gradient_norms
from sparse_rigl_lands.training.workload import Workload

# As the paper's Figure 2 calls them, where it does.
_POINTS = {"pruned": "P-S", "lottery": "L-S", "scratch": "S-S", "dense": "D-S", "zeroed_init": "Z-S"}


@gin.configurable(module="sparse_rigl_lands", denylist=["run", "strategy"])
def describe_solution(
    run: files.RunFiles,
    strategy: tf.distribute.Strategy,
    workload: Workload,
    recipe: Recipe,
    pruned_run: PrunedRun | None = None,
    gradient_batches: int = 64,
    seed: int = 0,
) -> dict[str, Any]:
    """Describes the solution of a finished run.

    Args:
      run: the run, of ``files.finished_run``.
      strategy: in whose replicas to run.
      workload: of the run.
      recipe: of the run; its batch size is that of the gradient.
      pruned_run: where the pruned solution lies that it is compared with; None is ``PrunedRun()``.
      gradient_batches: from how many batches the gradient is estimated.
      seed: keys the order and the augmentation of their images.

    Returns:
      One row of the table of solutions. Distances are Euclidean, the overlap is the Jaccard index of
      ``Mask.overlap``; they are None where there is no pruned run.

    Raises:
      InputError: the run is not of this workload, or a setting is out of range.
    """
    if not isinstance(gradient_batches, int) or gradient_batches < 2:
        raise InputError(f"describe_solution.gradient_batches is {gradient_batches!r}; it must be at least 2")
    summary = files.read_json(run.summary)
    first, last = (checkpoints.load(run.checkpoint(run.checkpoint_steps()[i])).point for i in (0, -1))
    with strategy.scope():
        model = tf_keras.models.clone_model(workload.network)
    points.assign(model, last)
    batches = workload.dataset.training_batches(recipe.batch_size, seeds.key(seed, "gradient norm"), 0)
    sparse, dense = gradient_norms(model, workload.objective, last.mask, batches, gradient_batches, strategy)

    pruned = (pruned_run or PrunedRun()).located(run, last.origin.seed)
    reference = None
    if pruned.summary.is_file():
        reference = checkpoints.load(pruned.checkpoint(pruned.checkpoint_steps()[-1])).point
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
