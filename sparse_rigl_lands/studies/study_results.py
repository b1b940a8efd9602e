"""What a study has found: a row per run, per path and per solution."""

import dataclasses
from collections.abc import Container, Sequence
from typing import Any

import pandas as pd

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.studies import path_runs, sweep
from sparse_rigl_lands.studies.study import Study
from sparse_rigl_lands.studies.study_jobs import TABLE_OF_SOLUTIONS

Rows = Sequence[dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Found:
    """What has been found so far.

    Args:
      runs: rows of ``sweep.rows_of``.
      paths: a row per path: seed, the points at both ends, the claim that it decides (0 for none), and what
        ``path_runs.path_row`` tells.
      solutions: rows of ``solutions.describe_solution``.
    """

    runs: Rows
    paths: Rows
    solutions: Rows


def collect(study: Study, written: files.StudyFiles, finished: Container[str]) -> Found:
    """Reads what is finished; writes ``runs.csv`` and ``paths.csv``, where they have rows.

    Args:
      study: which one.
      written: where it lies.
      finished: the names of the steps that are finished, under this configuration.
    """
    runs = [row for each in study.sweeps() for row in sweep.rows_of(each, written, finished)]
    paths = _path_rows(study, written, finished)
    for rows, table in ((runs, written.table), (paths, written.paths_table)):
        if rows:
            storage.write_csv(table, rows)
    solutions: Rows = []
    if TABLE_OF_SOLUTIONS in finished:
        table = pd.read_csv(written.solutions.table).astype(object)
        solutions = table.where(table.notna(), None).to_dict("records")
    return Found(runs, paths, solutions)


def _path_rows(study: Study, written: files.StudyFiles, finished: Container[str]) -> list[dict[str, Any]]:
    rows = [
        {
            "seed": path.seed,
            "start": path.start,
            "end": path.end,
            "claim": path.claim,
            **path_runs.path_row(path.run, written.path(path.name)),
            "run": path.name,
        }
        for path in study.paths()
        if path.name in finished
    ]
    path_runs.tell_apart(rows)
    return rows
