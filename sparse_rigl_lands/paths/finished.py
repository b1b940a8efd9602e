"""What is said of a path that was evaluated before, with another confidence than it was asked for."""

import pandas as pd

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.paths.looks import confidence_of_each
from sparse_rigl_lands.paths.statistics import Judgement, judge


def judge_finished(path: files.PathFiles, confidence: float) -> Judgement:
    """Judges a finished path again, from its tables.

    Args:
      path: where it lies.
      confidence: with which the bounds are to hold. Where the verdict was looked at on a growing sample,
        the looks share the error, as they did then.
    """
    table, result = pd.read_csv(path.table), storage.read_json(path.result)
    covariance = pd.read_csv(path.covariance).drop(columns="t").to_numpy()
    return judge(
        table["t"].to_numpy(),
        table["cross_entropy"].to_numpy(),
        covariance,
        result["independent_units"]["count"] - 1,
        confidence_of_each(confidence, len(result["settings"]["looks"])),
        result["tolerance"],
    )
