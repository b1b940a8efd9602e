"""The study of curves: a line and fitted curves between two checkpoints, every fit with the same budget.

A path of the study lies at ``cubic_dense-1200`` within its directory: the curve, and the steps of its fit;
``line`` has none. A barrier that is left after a fit is one that was not removed within that many steps, so
that sparse and dense curves can be compared only at one budget; other budgets tell whether it was enough.
"""

import dataclasses
import hashlib
import pathlib
import re
import sys
from collections.abc import Container, Mapping, Sequence
from typing import Any

import gin

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.studies import settings
from sparse_rigl_lands.studies.jobs import Job, Outcome, run_jobs
from sparse_rigl_lands.studies.software import software
from sparse_rigl_lands.studies.sweep import Configuration

_INTERPOLATE = pathlib.Path(__file__).resolve().parents[2] / "interpolate.py"
_LINE = "line"  # the one curve that is not fitted


@dataclasses.dataclass(frozen=True)
class CurveRun:
    """One path of a study.

    Args:
      name: its directory within the study's.
      curve: which one: its gin file.
      steps: of its fit, 0 for the line.
      bindings: what its gin file is given besides.
    """

    name: str
    curve: str
    steps: int = 0
    bindings: tuple[str, ...] = ()


@gin.configurable(module="sparse_rigl_lands")
@dataclasses.dataclass(frozen=True)
class CurveStudy:
    """Which paths are evaluated.

    Args:
      name: of the study; ``runs/<name>`` is where it lies unless another directory is given.
      experiments: the directory of the curves' gin files: ``line.gin``, ``cubic_dense.gin`` ...
      budget: the steps of every fit that Figure 4 shows, whatever the curve and the manifold.
      curves: ``line``, which is not fitted, and any other gin files of that directory, which are.
      other_budgets: the steps of further fits of every curve.
      budget_parameter: the gin parameter, or macro, that sets the steps of a fit.
      bindings: gin bindings that every path is given besides its file, such as ``"Sample.images = 'all'"``.
      processes: how many paths are fitted and evaluated side by side.
      seed: of every path: it keys the images, their augmentation, and the fit.

    Raises:
      InputError: a curve that no gin file can be named after, a setting out of range, or nothing to do.
    """

    name: str
    experiments: str
    budget: int
    curves: Sequence[str] = (_LINE, "quadratic_sparse", "cubic_sparse", "quadratic_dense", "cubic_dense")
    other_budgets: Sequence[int] = ()
    budget_parameter: str = "BUDGET"
    bindings: Sequence[str] = ()
    processes: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        settings.check_lists(self, "curves", "other_budgets", "bindings")
        settings.check_counts(self, "budget", "processes")
        for curve in self.curves:
            if not isinstance(curve, str) or not re.fullmatch(r"\w[\w-]*", curve):
                raise InputError(f"CurveStudy.curves names {curve!r}; it must be the name of a gin file, without .gin")
        for steps in self.other_budgets:
            if not isinstance(steps, int) or steps < 1:
                raise InputError(f"CurveStudy.other_budgets names {steps!r}; it must be a whole number of at least 1")
            if steps == self.budget:
                raise InputError(f"CurveStudy.other_budgets names {steps}, which is CurveStudy.budget")
        if not isinstance(self.seed, int):
            raise InputError(f"CurveStudy.seed is {self.seed!r}; it must be a whole number")
        if not self.curves:
            raise InputError("the study has no paths: give CurveStudy.curves")

    def runs(self) -> list[CurveRun]:
        """All paths, those of the main budget first."""
        return [run for steps in (self.budget, *self.other_budgets) for run in self._runs_of_budget(steps)]

    def _runs_of_budget(self, steps: int) -> list[CurveRun]:
        binding = (f"{self.budget_parameter} = {steps}",)
        runs = []
        for curve in self.curves:
            if curve != _LINE:
                runs.append(CurveRun(f"{curve}-{steps}", curve, steps, binding))
            elif steps == self.budget:
                runs.append(CurveRun(_LINE, _LINE))
        return runs

    def gin_file(self, run: CurveRun) -> str:
        return f"{self.experiments}/{run.curve}.gin"


def evaluate_all(
    study: CurveStudy, written: files.CurveStudyFiles, start: str, end: str, configuration: Configuration
) -> Outcome:
    """Fits and evaluates every path that is not finished, by ``interpolate.py``.

    Args:
      study: which paths.
      written: where they lie.
      start: the checkpoint at t = 0, as a person names it.
      end: the checkpoint at t = 1; the configuration of its run says what the workload is.
      configuration: of a gin file and bindings; it refuses what is malformed before anything starts.

    Returns:
      The names of the paths that are finished, and those that failed.

    Raises:
      InputError: of ``configuration``; a checkpoint is not there, a gin file does not heed the budget, or
        the directory cannot be written or is that of other checkpoints.
    """
    prefixes = {"start": files.checkpoint_prefix(start), "end": files.checkpoint_prefix(end)}
    digests = {name: _digest(name, prefix) for name, prefix in prefixes.items()}
    recorded = files.run_of_checkpoint(prefixes["end"]).config
    workload = recorded.read_text(encoding="utf-8") if recorded.exists() else ""
    # Other software may give another result: interpolate.py is then asked whether it recognises the path.
    versions = software()

    def job(run: CurveRun) -> Job:
        gin_file, bindings = study.gin_file(run), (*study.bindings, *run.bindings)
        own = configuration(gin_file, bindings)
        _check_budget(study, run, own)
        path = written.path(run.name)
        # The checkpoints by their prefixes: a run that goes on meanwhile does not change what its directory means.
        command = [sys.executable, str(_INTERPOLATE), *(f"--{name}={prefix}" for name, prefix in prefixes.items())]
        command += [f"--gin_file={gin_file}", *(f"--gin_param={binding}" for binding in bindings)]
        command += [f"--seed={study.seed}", f"--output_dir={path.directory}"]
        ends = "\n".join(f"{name} {digest}" for name, digest in digests.items())
        return Job(run.name, tuple(command), f"{own}\n{ends}\n{workload}\n{versions}", path.result)

    jobs = [job(run) for run in study.runs()]
    written.claim("# A study of curves between two checkpoints, known by the SHA-256 of their values.", digests)
    written.discard_results()  # they are of other paths than those about to be made
    return run_jobs(jobs, written.logs, study.processes, "curves")


def _check_budget(study: CurveStudy, run: CurveRun, configuration: str) -> None:
    """Refuses a gin file that does not heed the budget: its curve would be compared with others unjustly."""
    heeded = (f"%{study.budget_parameter}", str(run.steps))
    for name in ("Fitting.steps", "WarmupCosine.steps"):
        found = re.findall(rf"^(?:.*/)?{re.escape(name)} = (.*)$", configuration, re.MULTILINE)
        if run.steps and (any(value not in heeded for value in found) or (not found and name == "Fitting.steps")):
            raise InputError(
                f"{study.gin_file(run)} does not fit its curve in {run.steps} steps: "
                f"{study.budget_parameter} does not set {name}, or a binding overrides it"
            )


def _digest(name: str, prefix: pathlib.Path) -> str:
    data = files.data_file(prefix)
    if not data.is_file():
        raise InputError(f"the {name}: checkpoint {prefix} is damaged: it has no {data.name}")
    return hashlib.sha256(data.read_bytes()).hexdigest()


def main_paths(
    study: CurveStudy, written: files.CurveStudyFiles, rows: Sequence[Mapping[str, Any]]
) -> list[tuple[str, files.PathFiles]]:
    """The paths of the main budget, the line included, with their titles: what Figure 4 shows of ``results``."""
    return [(row["title"], written.path(row["run"])) for row in rows if row["steps"] in (0, study.budget)]


def results(study: CurveStudy, written: files.CurveStudyFiles, finished: Container[str]) -> list[dict[str, Any]]:
    """What came out, one row per finished path; written to ``curves.csv``.

    Args:
      study: which paths.
      written: where they lie.
      finished: the names of those that are finished, under this configuration.

    Returns:
      Rows of the curve, its title (with its gin file where others have the same one), the manifold of its
      control points (empty for the line), the steps of its fit, the verdict, the barrier with its bounds and
      place, the largest rise with its bounds and the t where it starts and ends, the losses at both ends and
      the lowest with its t (cross-entropy on the training images, in nats; None where the path does not reach
      that end), whether the lowest is surely below both ends, the path's length, the images, the confidence,
      the tolerance, and the run.

    Raises:
      InputError: a path was fitted with another budget than the study's.
    """
    rows = []
    for run in study.runs():
        if run.name not in finished:
            continue
        path = written.path(run.name)
        result = storage.read_json(path.result)
        path_settings, barrier, rise = result["settings"], result["barrier"], result["largest_rise"]
        fitting = path_settings["fitting"] or {"steps": 0, "manifold": ""}
        if fitting["steps"] != run.steps:
            raise InputError(f"{path.directory} was fitted in {fitting['steps']} steps, not in {run.steps}")
        rows.append(
            {
                "curve": run.curve,
                "title": path_settings["curve"],
                "manifold": fitting["manifold"],
                "steps": run.steps,
                "verdict": result["verdict"],
                "barrier": barrier["height"],
                "barrier_lower": barrier["lower"],
                "barrier_upper": barrier["upper"],
                "barrier_at": barrier["end"],
                "largest_rise": rise["height"],
                "largest_rise_lower": rise["lower"],
                "largest_rise_upper": rise["upper"],
                "rise_start": rise["start"],
                "rise_end": rise["end"],
                "loss_at_start": result["ends_on_the_path"]["start"],
                "loss_at_end": result["ends_on_the_path"]["end"],
                "lowest_loss": result["lowest"]["cross_entropy"],
                "lowest_at": result["lowest"]["t"],
                "below_both_ends": result["lowest"]["below_both_ends"],
                "length": result["length"],
                "images": result["images"],
                "confidence": result["confidence"],
                "tolerance": result["tolerance"],
                "run": run.name,
            }
        )
    _tell_apart(rows)
    if rows:
        storage.write_csv(written.table, rows)
    return rows


def _tell_apart(rows: Sequence[dict[str, Any]]) -> None:
    """Adds its gin file to the title of every curve that shares title and manifold with another one."""
    curves: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        curves.setdefault((row["title"], row["manifold"]), set()).add(row["curve"])
    for row in rows:
        if len(curves[row["title"], row["manifold"]]) > 1:
            row["title"] += f" ({row['curve']})"
