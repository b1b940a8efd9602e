"""The study of curves: a line and fitted curves between two checkpoints, every fit with the same budget.

A path of the study lies at ``cubic_dense-1200`` within its directory: the curve, and the steps of its fit;
``line`` has none. A barrier that is left after a fit is one that was not removed within that many steps, so
that sparse and dense curves can be compared only at one budget; other budgets tell whether it was enough.
"""

import contextlib
import dataclasses
import hashlib
import pathlib
from collections.abc import Container, Sequence
from typing import Any

import gin

from sparse_rigl_lands import checks, files, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.studies import path_runs, settings
from sparse_rigl_lands.studies.jobs import Job
from sparse_rigl_lands.studies.path_runs import LINE, PathRun
from sparse_rigl_lands.studies.software import software
from sparse_rigl_lands.studies.sweep import Configuration


@gin.configurable(module="sparse_rigl_lands")
@dataclasses.dataclass(frozen=True)
class CurveStudy:
    """Which paths are evaluated.

    Args:
      name: of the study; ``runs/<name>`` is where it lies unless another directory is given.
      experiments: the directory of the curves' gin files: ``line.gin``, ``cubic_dense.gin`` ...
      budget: the steps of every fit that Figure 4 shows, whatever the curve and the manifold: the macro
        ``BUDGET`` of the gin files.
      curves: ``line``, which is not fitted, and any other gin files of that directory, which are.
      other_budgets: the steps of further fits of every curve.
      bindings: gin bindings that every path is given besides its file, such as ``"Sample.images = 'all'"``.
      processes: how many paths are fitted and evaluated side by side.
      seed: of every path: it keys the images, their augmentation, and the fit.

    Raises:
      InputError: a curve that no gin file can be named after, a setting out of range, or nothing to do.
    """

    name: str
    experiments: str
    budget: int
    curves: Sequence[str] = (LINE, "quadratic_sparse", "cubic_sparse", "quadratic_dense", "cubic_dense")
    other_budgets: Sequence[int] = ()
    bindings: Sequence[str] = ()
    processes: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        checks.text("CurveStudy.name", self.name)
        checks.text("CurveStudy.experiments", self.experiments)
        settings.check_lists(self, "curves", "other_budgets", "bindings")
        path_runs.check_curves(self, "curves")
        path_runs.check_budgets(self, self.budget, self.other_budgets)
        checks.whole_number("CurveStudy.processes", self.processes, least=1)
        checks.whole_number("CurveStudy.seed", self.seed)
        if not self.curves:
            raise InputError("the study has no paths: give CurveStudy.curves")

    def runs(self) -> list[PathRun]:
        """All paths, those of the main budget first, in the order of the curves."""
        runs = [run for steps in (self.budget, *self.other_budgets) for run in self._fitted(steps)]
        if LINE in self.curves:
            line = PathRun(LINE, LINE, f"{self.experiments}/{LINE}.gin", bindings=tuple(self.bindings))
            runs.insert(self.curves.index(LINE), line)
        return runs

    def _fitted(self, steps: int) -> list[PathRun]:
        return path_runs.fitted(self.curves, self.experiments, steps, self.bindings)


@dataclasses.dataclass(frozen=True)
class Ends:
    """The two checkpoints of a study of curves.

    Args:
      start: the prefix of the one at t = 0.
      end: of the one at t = 1; the configuration of its run says what the workload is.
    """

    start: pathlib.Path
    end: pathlib.Path

    def digests(self) -> dict[str, str]:
        """The SHA-256 of the values of both, by name.

        Raises:
          InputError: one of them has no data.
        """
        return {name: _digest(name, prefix) for name, prefix in dataclasses.asdict(self).items()}


def claimed(written: files.CurveStudyFiles, ends: Ends) -> contextlib.AbstractContextManager[None]:
    """Makes a directory that of the study of two checkpoints, and is alone there.

    Raises:
      InputError: of ``written.claimed``; or a checkpoint has no data.
    """
    what = "# A study of curves between two checkpoints, known by the SHA-256 of their values."
    return written.claimed(what, ends.digests())


def jobs_of(study: CurveStudy, written: files.CurveStudyFiles, ends: Ends, configuration: Configuration) -> list[Job]:
    """The call of ``interpolate.py`` that makes every path.

    Args:
      study: which paths.
      written: where they lie.
      ends: between which checkpoints.
      configuration: of a gin file and bindings; it refuses what is malformed.

    Raises:
      InputError: of ``configuration``; a checkpoint has no data, or a gin file does not heed the budget.
    """
    told = "\n".join(f"{name} {digest}" for name, digest in ends.digests().items())
    recorded = files.run_of_checkpoint(ends.end).config
    workload = storage.read_text(recorded) if recorded.exists() else ""
    # Other software may give another result: interpolate.py is then asked whether it recognises the path.
    versions = software()

    def job(run: PathRun) -> Job:
        own = configuration(run.gin_file, run.bindings)
        run.check_budget(own)
        path = written.path(run.name)
        # The checkpoints by their prefixes: a run that goes on meanwhile does not change what its directory means.
        command = run.command(ends.start, ends.end, study.seed, path)
        return Job(
            run.name,
            command,
            f"{own}\n{told}\n{workload}\n{versions}",
            path.result,
            (),
            f"{run.steps} steps",
            path.small_parts(),
        )

    return [job(run) for run in study.runs()]


def _digest(name: str, prefix: pathlib.Path) -> str:
    data = files.data_file(prefix)
    if not data.is_file():
        raise InputError(f"the {name}: checkpoint {prefix} is damaged: it has no {data.name}")
    return hashlib.sha256(data.read_bytes()).hexdigest()


def results(study: CurveStudy, written: files.CurveStudyFiles, finished: Container[str]) -> list[dict[str, Any]]:
    """What came out, one row per finished path; written to ``curves.csv``.

    Args:
      study: which paths.
      written: where they lie.
      finished: the names of those that are finished, under this configuration.

    Returns:
      Rows of ``path_runs.path_row``; a title has its gin file too, where others have the same one.

    Raises:
      InputError: a path was fitted with another budget than the study's.
    """
    rows = [path_runs.path_row(run, written.path(run.name)) for run in study.runs() if run.name in finished]
    path_runs.tell_apart(rows)
    if rows:
        storage.write_csv(written.table, rows)
    return rows
