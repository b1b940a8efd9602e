"""A path that was evaluated before, read from the files that its evaluation wrote."""

import dataclasses
from typing import Any

import pandas as pd
import scipy.stats

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.looks import confidence_of_each
from sparse_rigl_lands.paths.results import PathResult, PathRow
from sparse_rigl_lands.paths.statistics import Judgement, judge


@dataclasses.dataclass(frozen=True, eq=False)
class FinishedPath:
    """The loss along a path, and what was found of it.

    Args:
      written: where it lies.
      table: of ``path.csv``, a row per t.
      result: of ``path.json``.
    """

    written: files.PathFiles
    table: pd.DataFrame
    result: dict[str, Any]

    @classmethod
    def read(cls, path: files.PathFiles) -> "FinishedPath":
        """Reads ``path.csv`` and ``path.json``, which are there once a path is finished.

        Raises:
          InputError: one of them is damaged.
        """
        return cls(path, storage.read_table(path.table, PathRow), storage.read_json(path.result, PathResult))

    @property
    def manifold(self) -> str:
        """What the control points may use, ``"sparse"`` or ``"dense"``; "" for a line."""
        fitting = self.result["settings"]["fitting"]
        return fitting["manifold"] if fitting else ""

    @property
    def margin(self) -> pd.Series:
        """Half the width of the interval of every loss by itself, in nats: Student's, over independent units."""
        tail = (1 - self.result["confidence_of_each_look"]) / 2
        return self.table["error"] * scipy.stats.t.isf(tail, self._degrees_of_freedom)

    def judge(self, confidence: float) -> Judgement:
        """Judges the path again, with another confidence than it was asked for; reads ``path_covariance.csv``.

        Args:
          confidence: with which the bounds are to hold. Where the verdict was looked at on a growing sample,
            the looks share the error, as they did then.

        Raises:
          InputError: the covariance is damaged.
        """
        table, file = self.table, self.written.covariance
        covariance = storage.read_table(file, dict[str, float]).to_numpy()[:, 1:]
        if covariance.shape != (len(table), len(table)):
            raise InputError(f"{file} is damaged: it is not of the {len(table)} places of {self.written.table.name}")
        return judge(
            table["t"].to_numpy(),
            table["cross_entropy"].to_numpy(),
            covariance,
            self._degrees_of_freedom,
            confidence_of_each(confidence, len(self.result["settings"]["looks"])),
            self.result["tolerance"],
        )

    @property
    def _degrees_of_freedom(self) -> int:
        return self.result["independent_units"]["count"] - 1
