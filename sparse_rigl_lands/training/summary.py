"""What is read from ``summary.json``, which ``run.train`` writes last."""

from typing_extensions import TypedDict

from sparse_rigl_lands.training.evaluation import Evaluation


class Layer(TypedDict):
    """A kernel, as ``run.train`` has counted it.

    Its shape and weights; how many of them were nonzero at the start, and how many units (output channels) had none
    then; how many weights are kept in the end, and the share that is not.
    """

    kernel: str
    shape: list[int]
    weights: int
    nonzero_at_start: int
    units_empty_at_start: int
    kept: int
    sparsity: float


class _SinceLater(TypedDict, total=False):
    environment: dict[str, str]  # runs of earlier versions do not tell it


class Summary(_SinceLater):
    """A finished run."""

    workload: str
    first_step: int
    global_step: int
    sparsity: float
    layers: list[Layer]
    train_augmented: Evaluation
    test: Evaluation
