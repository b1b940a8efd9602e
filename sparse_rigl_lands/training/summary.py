"""What is read from ``summary.json``, which ``run.train`` writes last, and the two points that it tells of."""

from typing_extensions import TypedDict

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.points import checkpoint as checkpoints
from sparse_rigl_lands.points.point import Point
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


def load_initialization(run: files.RunFiles) -> Point:
    """The first point of a finished run.

    Raises:
      InputError: its summary is damaged, or as ``checkpoint.load_step``.
    """
    return checkpoints.load_step(run, storage.read_json(run.summary, Summary)["first_step"]).point


def load_solution(run: files.RunFiles) -> Point:
    """The last point of a finished run.

    Raises:
      InputError: as ``load_initialization``.
    """
    return checkpoints.load_step(run, storage.read_json(run.summary, Summary)["global_step"]).point
