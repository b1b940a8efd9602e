"""The paths of a study: a line or fitted curves, each one call of ``interpolate.py``, and what came out of each."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any, Literal

from typing_extensions import TypedDict

from sparse_rigl_lands import checks, files, project, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.results import PathResult
from sparse_rigl_lands.studies import settings

LINE = "line"  # the one curve that is not fitted
_BUDGET = "BUDGET"  # the macro of the other curves' gin files that sets the steps of a fit


@dataclasses.dataclass(frozen=True)
class PathRun:
    """One path of a study.

    Args:
      name: its directory within the study's.
      curve: which one: its gin file.
      gin_file: of the curve.
      steps: of its fit, 0 for the line.
      bindings: what its gin file is given besides.
    """

    name: str
    curve: str
    gin_file: str
    steps: int = 0
    bindings: tuple[str, ...] = ()

    def command(self, start: object, end: object, seed: int, path: files.PathFiles) -> tuple[str, ...]:
        """The command that evaluates it between two checkpoints, as a person names them."""
        bindings = [f"--gin_param={binding}" for binding in self.bindings]
        ends = [f"--start={start}", f"--end={end}", f"--gin_file={self.gin_file}"]
        return (*project.command("interpolate"), *ends, *bindings, f"--seed={seed}", f"--output_dir={path.directory}")

    def check_budget(self, configuration: str) -> None:
        """Refuses a gin file that does not heed the budget: its curve would be compared with others unjustly.

        Args:
          configuration: all that its gin file and bindings amount to.

        Raises:
          InputError: it does not, or a binding overrides it.
        """
        heeded = {f"%{_BUDGET}", str(self.steps)}
        for name in ("Fitting.steps", "WarmupCosine.steps"):
            found = settings.values_of(configuration, name)
            if self.steps and (set(found) - heeded or (not found and name == "Fitting.steps")):
                raise InputError(
                    f"{self.gin_file} does not fit its curve in {self.steps} steps: "
                    f"{_BUDGET} does not set {name}, or a binding overrides it"
                )


def check_curves(study: object, *fields: str) -> None:
    """Raises InputError where a setting names a curve that no gin file can be named after."""
    for field in fields:
        for curve in getattr(study, field):
            if not isinstance(curve, str) or not re.fullmatch(r"\w[\w-]*", curve):
                raise InputError(
                    f"{type(study).__name__}.{field} names {curve!r}; it must be the name of a gin file, without .gin"
                )


def check_budgets(study: object, budget: int, other_budgets: Sequence[int]) -> None:
    """Raises InputError where a study's budget is none, or ``other_budgets`` names what is none, or the main one."""
    name = type(study).__name__
    checks.whole_number(f"{name}.budget", budget, least=1)
    checks.each(f"{name}.other_budgets", other_budgets, checks.whole_number, least=1)
    if budget in other_budgets:
        raise InputError(f"{name}.other_budgets names {budget}, which is {name}.budget")


def fitted(curves: Sequence[str], experiments: str, steps: int, bindings: Sequence[str]) -> list[PathRun]:
    """The curves that are fitted, all of them in so many steps.

    Args:
      curves: their gin files, without ``.gin``; a line among them is left out.
      experiments: the directory of these.
      steps: of every fit.
      bindings: gin bindings that every path is given besides its file.
    """
    return [
        PathRun(
            name=f"{curve}-{steps}",
            curve=curve,
            gin_file=f"{experiments}/{curve}.gin",
            steps=steps,
            bindings=(*bindings, f"{_BUDGET} = {steps}"),
        )
        for curve in curves
        if curve != LINE
    ]


class PathRunRow(TypedDict):
    """What figures take from a row of ``curves.csv`` or ``paths.csv``."""

    title: str
    manifold: Literal["", "sparse", "dense"]
    steps: int
    barrier: float
    barrier_lower: float
    barrier_upper: float
    confidence: float
    tolerance: float
    run: str


def path_row(run: PathRun, path: files.PathFiles) -> dict[str, Any]:
    """What came out of a path.

    Returns:
      The curve, its title, the manifold of its control points (empty for the line), the steps of its fit,
      the verdict, the barrier with its bounds and place, the largest rise with its bounds and the t where
      it starts and ends, the losses at both ends and the lowest with its t (cross-entropy on the training
      images, in nats; None where the path does not reach that end), whether the lowest is surely below both
      ends, the path's length, the images, the confidence, the tolerance, and the run.

    Raises:
      InputError: the path was fitted with another budget than the study's, or its file is damaged.
    """
    result = storage.read_json(path.result, PathResult)
    path_settings, barrier, rise = result["settings"], result["barrier"], result["largest_rise"]
    fitting = path_settings["fitting"] or {"steps": 0, "manifold": ""}
    if fitting["steps"] != run.steps:
        raise InputError(f"{path.directory} was fitted in {fitting['steps']} steps, not in {run.steps}")
    return {
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


def tell_apart(rows: Sequence[dict[str, Any]]) -> None:
    """Adds its gin file to the title of every curve that shares title and manifold with another one."""
    curves: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        curves.setdefault((row["title"], row["manifold"]), set()).add(row["curve"])
    for row in rows:
        if len(curves[row["title"], row["manifold"]]) > 1:
            row["title"] += f" ({row['curve']})"
