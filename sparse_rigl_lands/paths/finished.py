"""What is said of a path that was evaluated before, with another confidence than it was asked for."""

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.looks import confidence_of_each
from sparse_rigl_lands.paths.results import PathResult, PathRow
from sparse_rigl_lands.paths.statistics import Judgement, judge


def judge_finished(path: files.PathFiles, confidence: float) -> Judgement:
    """Judges a finished path again, from its tables.

    Args:
      path: where it lies.
      confidence: with which the bounds are to hold. Where the verdict was looked at on a growing sample,
        the looks share the error, as they did then.

    Raises:
      InputError: one of its files is damaged.
    """
    table, result = storage.read_table(path.table, PathRow), storage.read_json(path.result, PathResult)
    covariance = storage.read_table(path.covariance, dict[str, float]).to_numpy()[:, 1:]
    if covariance.shape != (len(table), len(table)):
        raise InputError(f"{path.covariance} is damaged: it is not of the {len(table)} places of {path.table.name}")
    return judge(
        table["t"].to_numpy(),
        table["cross_entropy"].to_numpy(),
        covariance,
        result["independent_units"]["count"] - 1,
        confidence_of_each(confidence, len(result["settings"]["looks"])),
        result["tolerance"],
    )
