"""Every file that a run writes, by name.

A training run::

    runs/digits/pruned-seed0/
      config.gin                    the operative gin configuration, complete
      checkpoints/
        step_00000000.index         D-I, the dense initialization
        step_00000000.data-00000-of-00001
        step_00002000.index ...     P-S, the pruned solution
      metrics.csv                   one row per logging interval
      sha256sums.txt                digests of all of these and of the summary, by which damage is noticed
      summary.json                  written last: its presence means that the run is finished
      tensorboard/

A path::

    runs/paths/<start>_to_<end>/
      config.gin
      fit/                          where its curve is fitted: checkpoints, metrics.csv and tensorboard as of a run
      control_points/point_1 ...    the fitted points between the ends, each a checkpoint
      partial_*.npz                 sums of what was evaluated so far; removed when the path is finished
      path.csv                      one row per t
      path_covariance.csv           of the mean losses of every two t
      path_classes.csv              one row per t and class, where they were asked for
      sha256sums.txt                digests of all of these and of path.json, by which damage is noticed
      path.json                     written after the tables: its presence means that the path is finished
      path.png, path.svg            drawn from the two, at every call

A sweep::

    runs/digits-sweep/
      sparsity-0.99/pruned-seed6/   its runs, each as above
      logs/                         what their commands printed, and that they are finished
      runs.csv                      one row per run
      figure1.png, figure5.svg ...  drawn from it

A study, with the runs of a sweep::

    runs/digits-study/
      sparsity-0.99/..., logs/, runs.csv, figure1.png ...    as of a sweep
      paths/S-S_to_P-S/line-seed0/ ...                       its paths, each as above
      solutions/solutions.csv, solutions.md                  a row per solution
      paths.csv                     one row per path
      claims.csv, claims.json       what is said of the paper's claims
      steps.csv                     how long every step took, and its command
      figure2.png, figure3.svg ...  drawn from these
      report.html                   all of it, to be read

A look at all images::

    runs/images/imagenet/
      skip.json                     the images that cannot be decoded, for a dataset to skip

A study of curves::

    runs/digits-curves/
      config.gin                    which two checkpoints
      line/, cubic_dense-1200/ ...  its paths, each as above; a fitted one with its number of steps
      logs/                         what their commands printed, and that they are finished
      curves.csv, table.md          one row per path
      figure4.png, budgets.svg ...  drawn from them
"""

import pathlib
import re
import shutil
from collections.abc import Callable, Sequence

from sparse_rigl_lands.directory import Directory
from sparse_rigl_lands.errors import InputError

_RUNS = pathlib.Path("runs")  # below which everything lies that was given no directory
_CHECKPOINT = re.compile(r"step_(\d{8,})\.index")


class RunFiles(Directory):
    """What a training run writes."""

    def beside(self, method: str, seed: int) -> "RunFiles":
        """The run of another method or seed that lies in the same directory as this one, by its default name."""
        return RunFiles(self.directory.parent / _run_name(method, seed))

    def small_parts(self) -> tuple[pathlib.Path, ...]:
        """Of a finished run, besides its summary, all but its checkpoints: these are checked where they are read."""
        return self.metrics, self.config, self.digests

    @property
    def checkpoints(self) -> pathlib.Path:
        return self.directory / "checkpoints"

    @property
    def metrics(self) -> pathlib.Path:
        return self.directory / "metrics.csv"

    @property
    def summary(self) -> pathlib.Path:
        return self.directory / "summary.json"

    @property
    def tensorboard(self) -> pathlib.Path:
        return self.directory / "tensorboard"

    def checkpoint(self, step: int) -> pathlib.Path:
        """The prefix of the checkpoint of a global step."""
        return self.checkpoints / f"step_{step:08d}"

    def parts(self) -> list[pathlib.Path]:
        """What a finished run consists of, its summary last."""
        return [self.config, self.metrics, *sorted(self.checkpoints.glob("step_*")), self.summary]

    def clean_checkpoints(self, keep: Callable[[int], bool]) -> None:
        """Removes what is no longer wanted, and what a process that was killed has left behind.

        Args:
          keep: whether the checkpoint of a step stays, though a later one is there.
        """
        *earlier, _ = self.checkpoint_steps() or [0]
        for step in earlier:
            if not keep(step):  # the index first: without it there is no checkpoint
                index_file(self.checkpoint(step)).unlink()
        complete = {self.checkpoint(step).name for step in self.checkpoint_steps()}
        for path in self.checkpoints.glob("*"):
            if path.name.split(".")[0] not in complete:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def checkpoint_steps(self) -> list[int]:
        """The global steps of the checkpoints that are complete, in order."""
        if not self.checkpoints.is_dir():
            return []
        found = (_CHECKPOINT.fullmatch(path.name) for path in self.checkpoints.iterdir())
        return sorted(int(match.group(1)) for match in found if match)


class PathFiles(Directory):
    """What the evaluation of a path writes."""

    @property
    def table(self) -> pathlib.Path:
        return self.directory / "path.csv"

    @property
    def covariance(self) -> pathlib.Path:
        return self.directory / "path_covariance.csv"

    @property
    def classes(self) -> pathlib.Path:
        return self.directory / "path_classes.csv"

    @property
    def fit(self) -> RunFiles:
        """Where the control points of its curve are fitted; what they are a run of is written above."""
        return RunFiles(self.directory / "fit")

    @property
    def control_points(self) -> pathlib.Path:
        return self.directory / "control_points"

    def control_point(self, i: int) -> pathlib.Path:
        """The prefix of the checkpoint of the i-th fitted point, counted from 1."""
        return self.control_points / f"point_{i}"

    @property
    def partial_moments(self) -> pathlib.Path:
        return self.directory / "partial_moments.npz"

    @property
    def partial_losses(self) -> pathlib.Path:
        return self.directory / "partial_losses.npz"

    @property
    def partial_gradients(self) -> pathlib.Path:
        return self.directory / "partial_gradients.npz"

    def discard_partial_sums(self) -> None:
        """Removes what is of no use once the path is finished."""
        for path in (self.partial_moments, self.partial_losses, self.partial_gradients):
            path.unlink(missing_ok=True)

    @property
    def result(self) -> pathlib.Path:
        return self.directory / "path.json"

    def parts(self) -> list[pathlib.Path]:
        """What a finished path consists of, its result last; not all have all of it."""
        tables, points = (self.table, self.covariance, self.classes), sorted(self.control_points.glob("point_*"))
        return [self.config, *tables, *points, *self.fit.parts(), self.result]

    def small_parts(self) -> tuple[pathlib.Path, ...]:
        """Of every finished path, besides its result, all but checkpoints: these are checked where they are read."""
        return self.table, self.covariance, self.config, self.digests

    @property
    def figures(self) -> tuple[pathlib.Path, pathlib.Path]:
        return self.directory / "path.png", self.directory / "path.svg"


class ImageCheckFiles(Directory):
    """What a look at all images writes."""

    @property
    def skipped(self) -> pathlib.Path:
        """Which images a dataset is to leave out."""
        return self.directory / "skip.json"


class SolutionFiles(Directory):
    """The table of solutions."""

    @property
    def table(self) -> pathlib.Path:
        return self.directory / "solutions.csv"

    @property
    def markdown(self) -> pathlib.Path:
        return self.directory / "solutions.md"


class SweepFiles(Directory):
    """What a sweep writes."""

    def run(self, name: str) -> RunFiles:
        """One of its runs."""
        return RunFiles(self.directory / name)

    @property
    def logs(self) -> pathlib.Path:
        return self.directory / "logs"

    @property
    def table(self) -> pathlib.Path:
        return self.directory / "runs.csv"

    @property
    def markdown(self) -> pathlib.Path:
        return self.directory / "table.md"

    @property
    def figure1(self) -> tuple[pathlib.Path, pathlib.Path]:
        return self.directory / "figure1.png", self.directory / "figure1.svg"

    @property
    def figure5(self) -> tuple[pathlib.Path, pathlib.Path]:
        return self.directory / "figure5.png", self.directory / "figure5.svg"

    def discard_results(self) -> None:
        """Removes what is drawn and told of the runs, but none of the runs."""
        for path in (self.table, self.markdown, *self.figure1, *self.figure5):
            path.unlink(missing_ok=True)


class StudyFiles(SweepFiles):
    """What the whole study writes: the runs of a sweep, the paths between them, and the report."""

    def path(self, name: str) -> PathFiles:
        """One of its paths."""
        return PathFiles(self.directory / name)

    @property
    def solutions(self) -> SolutionFiles:
        return SolutionFiles(self.directory / "solutions")

    @property
    def paths_table(self) -> pathlib.Path:
        return self.directory / "paths.csv"

    @property
    def claims_table(self) -> pathlib.Path:
        return self.directory / "claims.csv"

    @property
    def claims(self) -> pathlib.Path:
        return self.directory / "claims.json"

    @property
    def steps_table(self) -> pathlib.Path:
        return self.directory / "steps.csv"

    def told(self, solutions: bool) -> list[pathlib.Path]:
        """The tables of what was found that are there.

        Args:
          solutions: whether that of solutions is one of them: it is not discarded, and may be of an earlier time.
        """
        tables = [self.table, self.paths_table, self.claims_table, self.steps_table]
        if solutions:
            tables.append(self.solutions.table)
        return [path for path in tables if path.exists()]

    def figure(self, name: str) -> tuple[pathlib.Path, pathlib.Path]:
        """The pictures of one of the report's figures: PNG and SVG."""
        return self.directory / f"{name}.png", self.directory / f"{name}.svg"

    @property
    def report(self) -> pathlib.Path:
        return self.directory / "report.html"

    def discard_results(self) -> None:
        """Removes what is drawn and told of the runs and paths, but none of these."""
        super().discard_results()
        tables = (self.paths_table, self.claims_table, self.claims, self.steps_table, self.report)
        figures = [path for name in ("figure2", "figure3", "figure4", "budgets") for path in self.figure(name)]
        for path in (*tables, *figures):
            path.unlink(missing_ok=True)


class CurveStudyFiles(Directory):
    """What a study of curves writes."""

    def path(self, name: str) -> PathFiles:
        """One of its paths."""
        return PathFiles(self.directory / name)

    @property
    def logs(self) -> pathlib.Path:
        return self.directory / "logs"

    @property
    def table(self) -> pathlib.Path:
        return self.directory / "curves.csv"

    @property
    def markdown(self) -> pathlib.Path:
        return self.directory / "table.md"

    @property
    def figure4(self) -> tuple[pathlib.Path, pathlib.Path]:
        return self.directory / "figure4.png", self.directory / "figure4.svg"

    @property
    def budgets(self) -> tuple[pathlib.Path, pathlib.Path]:
        return self.directory / "budgets.png", self.directory / "budgets.svg"

    def discard_results(self) -> None:
        """Removes what is drawn and told of the paths, but none of the paths."""
        for path in (self.table, self.markdown, *self.figure4, *self.budgets):
            path.unlink(missing_ok=True)


def default_run(workload: str, method: str, seed: int) -> RunFiles:
    """Where a run lies that was given no directory: ``runs/<workload>/<method>-seed<seed>``."""
    return RunFiles(_RUNS / workload / _run_name(method, seed))


def default_path_directory(start: object, end: object, curve: Sequence[str] = ()) -> pathlib.Path:
    """Where a path lies that was given none: ``runs/paths/<start>_to_<end>``, and what the curve is if not the line."""
    return _RUNS / "_".join([f"paths/{start}_to_{end}", *curve])


def default_study_directory(name: str) -> pathlib.Path:
    """Where a sweep or a study, of curves or whole, lies that was given none: ``runs/<name>``."""
    return pathlib.Path(f"{_RUNS}/{name}")  # below it, however the name begins


def default_solutions_directory() -> pathlib.Path:
    """Where the table of solutions lies that was given none: ``runs/solutions``."""
    return _RUNS / "solutions"


def default_images_directory(workload: str) -> pathlib.Path:
    """Where a look at all images lies that was given none: ``runs/images/<workload>``."""
    return _RUNS / f"images/{workload}"


def _run_name(method: str, seed: int) -> str:
    return f"{method}-seed{seed}"


def finished_run(name: str) -> RunFiles:
    """The run that a person named by its directory.

    Raises:
      InputError: it is not there, or not finished.
    """
    run = RunFiles(name)
    if not run.summary.is_file():
        state = "is not finished" if run.checkpoint_steps() else "is not the directory of a run"
        raise InputError(f"{name} {state}: it has no {run.summary.name}")
    return run


def checkpoint_prefix(name: str) -> pathlib.Path:
    """The checkpoint that a person named, by its prefix or by its run's directory (the latest in it).

    Raises:
      InputError: there is none.
    """
    path = pathlib.Path(name)
    if path.is_dir():
        run = RunFiles(path)
        steps = run.checkpoint_steps()
        if not steps:
            raise InputError(f"{name}: this directory holds no checkpoint of a run")
        return run.checkpoint(steps[-1])
    prefix = path.with_suffix("") if path.suffix == ".index" else path
    if not index_file(prefix).is_file():
        raise InputError(f"{name}: no such checkpoint or run directory")
    return prefix


def control_point_prefixes(name: str) -> list[pathlib.Path]:
    """The control points that a person named: all that a path's directory holds, in order, or one checkpoint.

    Raises:
      InputError: there is no such checkpoint, or the path is not finished.
    """
    path = PathFiles(name)
    if not path.control_points.is_dir():
        return [checkpoint_prefix(name)]
    if not path.result.exists():
        raise InputError(f"{name} is not finished: it has no {path.result.name}")
    count = len(list(path.control_points.glob("*.index")))
    return [path.control_point(i) for i in range(1, count + 1)]


def run_of_checkpoint(prefix: pathlib.Path) -> RunFiles:
    """The run that a checkpoint lies in, by the layout above."""
    return RunFiles(prefix.absolute().parent.parent)


def index_file(prefix: pathlib.Path) -> pathlib.Path:
    """The file that makes a checkpoint complete: it is put in place last."""
    return prefix.with_name(prefix.name + ".index")


def data_file(prefix: pathlib.Path) -> pathlib.Path:
    """The file with a checkpoint's values: one shard, whatever the number of replicas."""
    return prefix.with_name(prefix.name + ".data-00000-of-00001")
