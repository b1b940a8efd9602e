"""What a study has found: a row per run, per path, per solution and per step."""

import dataclasses
from collections.abc import Container, Sequence
from typing import Any

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.paths.finished_path import FinishedPath
from sparse_rigl_lands.studies import path_runs, sweep
from sparse_rigl_lands.studies.jobs import Failure, Job, seconds_taken
from sparse_rigl_lands.studies.path_runs import PathRunRow
from sparse_rigl_lands.studies.solutions import SolutionRow
from sparse_rigl_lands.studies.study import Study, StudyPath
from sparse_rigl_lands.studies.study_jobs import TABLE_OF_SOLUTIONS

Rows = Sequence[dict[str, Any]]

_BOUNDS = [f"{quantity}_{bound}_for_claim" for quantity in ("barrier", "largest_rise") for bound in ("lower", "upper")]


class StudyPathRow(PathRunRow):
    """What figures take from a row of ``paths.csv``."""

    seed: int
    start: str
    end: str
    curve: str
    run: str


@dataclasses.dataclass(frozen=True)
class Found:
    """What has been found so far.

    Args:
      runs: rows of ``sweep.rows_of``.
      paths: a row per path: seed, the points at both ends, the claim that it decides (0 for none), what
        ``path_runs.path_row`` tells, and where it decides a claim, the bounds of its barrier and of its largest
        rise that hold together with those of all other paths of this claim.
      solutions: rows of ``solutions.describe_solution``.
      steps: a row per step: its name, whether it is done, has failed or neither, the seconds that its last process took
        where that is known, why it has failed and where its log is, and its command.
    """

    runs: Rows
    paths: Rows
    solutions: Rows
    steps: Rows


def collect(
    study: Study,
    written: files.StudyFiles,
    steps: Sequence[Job],
    finished: Container[str],
    failures: Sequence[Failure] = (),
) -> Found:
    """Reads what is finished; writes ``runs.csv``, ``paths.csv`` and ``steps.csv``, where they have rows.

    Args:
      study: which one.
      written: where it lies.
      steps: all that the study has.
      finished: the names of those that are finished, under this configuration.
      failures: of steps.
    """
    runs = [row for each in study.sweeps() for row in sweep.rows_of(each, written, finished)]
    paths = _path_rows(study, written, finished)
    of_steps = _step_rows(steps, written, finished, failures)
    for rows, table in ((runs, written.table), (paths, written.paths_table), (of_steps, written.steps_table)):
        if rows:
            storage.write_csv(table, rows)
    solutions: Rows = []
    if TABLE_OF_SOLUTIONS in finished:
        table = storage.read_table(written.solutions.table, SolutionRow).astype(object)
        solutions = table.where(table.notna(), None).to_dict("records")
    return Found(runs, paths, solutions, of_steps)


def _path_rows(study: Study, written: files.StudyFiles, finished: Container[str]) -> list[dict[str, Any]]:
    rows = [
        {
            "seed": path.seed,
            "start": path.start,
            "end": path.end,
            "claim": path.claim,
            **path_runs.path_row(path.run, written.path(path.name)),
            **_bounds_for_claim(study, path, written),
            "run": path.name,
        }
        for path in study.paths()
        if path.name in finished
    ]
    path_runs.tell_apart(rows)
    return rows


def _bounds_for_claim(study: Study, path: StudyPath, written: files.StudyFiles) -> dict[str, float | str]:
    if not path.claim:
        return dict.fromkeys(("confidence_for_claim", *_BOUNDS), "")
    confidence = study.confidence_of_a_path(path.claim)
    judgement = FinishedPath.read(written.path(path.name)).judge(confidence)
    climbs = (judgement.barrier, judgement.largest_rise)
    bounds = [bound for climb in climbs for bound in (climb.lower, climb.upper)]
    return {"confidence_for_claim": confidence, **dict(zip(_BOUNDS, bounds, strict=True))}


def _step_rows(
    steps: Sequence[Job], written: files.StudyFiles, finished: Container[str], failures: Sequence[Failure]
) -> list[dict[str, Any]]:
    failed = {failure.name: f"{failure.reason} ({failure.log})" for failure in failures}
    seconds = seconds_taken([step.name for step in steps], written.logs)
    return [
        {
            "step": step.name,
            "state": "done" if step.name in finished else "failed" if step.name in failed else "not done",
            "seconds": seconds.get(step.name, "") if step.name in finished else "",
            "failure": failed.get(step.name, ""),
            "command": step.shell,
        }
        for step in steps
    ]
