"""A finished path as figures need it, read from the files that its evaluation wrote."""

import dataclasses
from typing import Any

import pandas as pd
import scipy.stats

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.paths.results import PathResult, PathRow


@dataclasses.dataclass(frozen=True, eq=False)
class FinishedPath:
    """The loss along a path, and what was found of it.

    Args:
      table: of ``path.csv``, a row per t.
      result: of ``path.json``.
    """

    table: pd.DataFrame
    result: dict[str, Any]

    @classmethod
    def read(cls, path: files.PathFiles) -> "FinishedPath":
        """Reads ``path.csv`` and ``path.json``, which are there once a path is finished.

        Raises:
          InputError: one of them is damaged.
        """
        return cls(storage.read_table(path.table, PathRow), storage.read_json(path.result, PathResult))

    @property
    def manifold(self) -> str:
        """What the control points may use, ``"sparse"`` or ``"dense"``; "" for a line."""
        fitting = self.result["settings"]["fitting"]
        return fitting["manifold"] if fitting else ""

    @property
    def margin(self) -> pd.Series:
        """Half the width of the interval of every loss by itself, in nats: Student's, over independent units."""
        tail = (1 - self.result["confidence_of_each_look"]) / 2
        units = self.result["independent_units"]["count"]
        return self.table["error"] * scipy.stats.t.isf(tail, units - 1)
