"""What is read from ``summary.json``, which ``run.train`` writes last."""

from typing_extensions import TypedDict

from sparse_rigl_lands.training.evaluation import Evaluation


class Layer(TypedDict):
    """A kernel: see ``run.train``."""

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
