"""The report of a study: tables, pictures, and one HTML file that needs nothing else."""

import base64
import dataclasses
import datetime
import importlib.resources
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
import plotly.offline

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.reporting import interactive, tables, verdicts
from sparse_rigl_lands.reporting.drawing import draw
from sparse_rigl_lands.reporting.panels import FigureData
from sparse_rigl_lands.reporting.study_figures import figures_of
from sparse_rigl_lands.studies import claims as claims_of_paper
from sparse_rigl_lands.studies import jobs, study_results
from sparse_rigl_lands.studies.claims import Claim
from sparse_rigl_lands.studies.environment import environment
from sparse_rigl_lands.studies.jobs import Failure, Job
from sparse_rigl_lands.studies.study import Study
from sparse_rigl_lands.studies.study_jobs import needs_of
from sparse_rigl_lands.studies.study_results import Found

_LABELS = {**{f"figure{number}": f"Figure {number}" for number in range(1, 6)}, "budgets": "Budgets"}
_READABLE = {"figure3": "t", "figure4": "t", "figure2": "step"}  # what the slider of a figure reads at
_PAGE = importlib.resources.files(__package__) / "page"


@dataclasses.dataclass(frozen=True)
class Reported:
    """What was found, and where it can be read.

    Args:
      claims: with their verdicts.
      files: what was written, the report last.
    """

    claims: Sequence[Claim]
    files: Sequence[str]


def write_report(
    study: Study,
    written: files.StudyFiles,
    steps: Sequence[Job],
    done: frozenset[str],
    failures: Sequence[Failure],
    command: Sequence[str],
) -> Reported:
    """Tells what a study has found, as far as it has come.

    Args:
      study: which one.
      written: where its results lie, and the report will.
      steps: all that the study has.
      done: the names of those that are done.
      failures: of others.
      command: by which it was asked for.
    """
    found = study_results.collect(study, written, done)
    claims = claims_of_paper.judge(study, found.runs, found.paths)
    seconds = jobs.seconds_taken(done, written.logs)
    storage.write_csv(written.steps_table, _step_rows(steps, done, failures, seconds))
    storage.write_json(written.claims, {"claims": [_claim_json(claim) for claim in claims]})
    if rows := claims_of_paper.claim_rows(claims):
        storage.write_csv(written.claims_table, rows)
    figures = figures_of(study, written)
    pictures = [path for figure in figures for path in draw(figure, written.figure(figure.name))]
    page, machine = _environment().get_template("report.html"), environment()
    context = {
        "study": study,
        "date": datetime.date.today().isoformat(),
        "machine": machine["processor"],
        "counts": _counts(claims),
        "unfinished": _unfinished(steps, done, failures),
        "claims": [_claim(claim, figures) for claim in claims],
        "figures": [_figure(figure, study, written, steps, command, found) for figure in figures],
        "tables": _tables(found),
        "settings": [{"setting": field, "value": str(value)} for field, value in dataclasses.asdict(study).items()],
        "environment": [{"what": name, "which": value} for name, value in machine.items()],
        "configurations": _configurations(study, written),
        "steps_in_words": _steps_in_words(steps, done, seconds, study),
        "steps": [_step_cells(step, done, failures, seconds) for step in steps],
        "overall": [_shell(command), f"tensorboard --logdir={shlex.quote(str(written.directory))}"],
        "every_command": [step.shell for step in steps],
        "style": (_PAGE / "style.css").read_text(encoding="utf-8"),
        "script": (_PAGE / "report.js").read_text(encoding="utf-8"),
        "plotly": plotly.offline.get_plotlyjs(),
    }
    storage.write_text(written.report, page.render(context))
    told = [path for path in (written.table, written.paths_table, written.claims_table) if path.exists()]
    return Reported(claims, [str(path) for path in (*told, *pictures, written.report)])


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (_PAGE / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )


def _counts(claims: Sequence[Claim]) -> str:
    counts = ((sum(claim.verdict == verdict for claim in claims), verdict) for verdict in verdicts.ORDER)
    return ", ".join(f"{count} {verdict}" for count, verdict in counts if count)


def _unfinished(steps: Sequence[Job], done: frozenset[str], failures: Sequence[Failure]) -> str:
    """What is missing, in words; "" for nothing."""
    if len(done) == len(steps):
        return ""
    failed = "; ".join(f"{each.name}: {each.reason} ({each.log})" for each in failures)
    return f"{len(done)} of {len(steps)} steps are done.{f' Failed: {failed}' if failed else ''}"


def _claim(claim: Claim, figures: Sequence[FigureData]) -> dict[str, Any]:
    name = f"figure{claim.figure}"
    return {
        "number": claim.number,
        "statement": claim.statement,
        "verdict": claim.verdict,
        "missing": verdicts.missing_in_words(claim),
        "grounds": [verdicts.group_cells(group) for group in verdicts.groups_of(claim)],
        "figure": name if any(figure.name == name for figure in figures) else "",
        "label": _LABELS[name],
        "scope": verdicts.scope_in_words(claim),
    }


def _claim_json(claim: Claim) -> dict[str, Any]:
    return {
        "claim": claim.number,
        "figure": claim.figure,
        "statement": claim.statement,
        "verdict": claim.verdict,
        "missing": list(claim.missing),
    }


def _figure(
    figure: FigureData,
    study: Study,
    written: files.StudyFiles,
    steps: Sequence[Job],
    command: Sequence[str],
    found: Found,
) -> dict[str, Any]:
    _, svg = written.figure(figure.name)
    of_figure = "figure4" if figure.name == "budgets" else figure.name
    needed = jobs.needed_for(needs_of(study, [of_figure]), steps)
    cells, where = _numbers(figure.name, study, found)
    return {
        "name": figure.name,
        "label": _LABELS[figure.name],
        "title": figure.title,
        "caption": figure.caption,
        "names": interactive.names_of(figure),
        "seeds": interactive.seeds_of(figure),
        "log": any(panel.log for panel in figure.panels if panel.unit == "nats"),
        "reading": _READABLE.get(figure.name, ""),
        "panels": figure.panels,
        "charts": interactive.charts(figure),
        "svg": base64.b64encode(svg.read_bytes()).decode(),
        "numbers": where,
        "cells": cells,
        "commands": [_shell([*command, f"--only={of_figure}"]), "", "# which runs", *(step.shell for step in needed)],
    }


def _numbers(name: str, study: Study, found: Found) -> tuple[list[dict[str, str]], str]:
    """A table of what a figure shows, and where all of its numbers lie."""
    if name in ("figure1", "figure5"):
        runs = [row for row in found.runs if bool(row["sparsity"]) == (name == "figure1")]
        return tables.sweep_cells(runs), "Every run is a row of runs.csv."
    if name == "figure2":
        return [], "Every interval of training is a row of metrics.csv in the directory of its run."
    lines = [row for row in found.paths if row["curve"] == "line"]
    curves = [row for row in found.paths if row["end"] == "P-S" and row["start"] == "S-S"]
    shown = {
        "figure3": lines,
        "figure4": [row for row in curves if row["steps"] in (0, study.budget)],
        "budgets": [row for row in curves if row["steps"]],
    }[name]
    return tables.study_paths_cells(
        shown
    ), "Every path is a row of paths.csv, every t of it one of path.csv in its directory."


def _tables(found: Found) -> list[dict[str, Any]]:
    every = [
        {"title": "Solutions", "cells": tables.solutions_cells(found.solutions)},
        {"title": "Paths", "cells": tables.study_paths_cells(found.paths)},
        {"title": "Runs", "cells": tables.sweep_cells(found.runs) if found.runs else []},
    ]
    return [each for each in every if each["cells"]]


def _configurations(study: Study, written: files.StudyFiles) -> list[tuple[str, str]]:
    """The complete configuration of one run and one path of every kind: those of the first seed."""
    runs = {run.method: written.run(run.name).config for run in reversed(study.sweeps()[0].runs())}
    paths = {path.run.name: written.path(path.name).config for path in reversed(study.paths())}
    every: Mapping[str, Any] = {**runs, **paths}
    return [(name, path.read_text(encoding="utf-8")) for name, path in every.items() if path.exists()]


def _step_rows(
    steps: Sequence[Job], done: frozenset[str], failures: Sequence[Failure], seconds: Mapping[str, float]
) -> list[dict[str, object]]:
    return [{**_step_cells(step, done, failures, seconds), "command": step.shell} for step in steps]


def _step_cells(
    step: Job, done: frozenset[str], failures: Sequence[Failure], seconds: Mapping[str, float]
) -> dict[str, str]:
    failed = {failure.name for failure in failures}
    state = "done" if step.name in done else "failed" if step.name in failed else "not done"
    return {"step": step.name, "state": state, "seconds": f"{seconds[step.name]:.0f}" if step.name in seconds else ""}


def _steps_in_words(steps: Sequence[Job], done: frozenset[str], seconds: Mapping[str, float], study: Study) -> str:
    minutes = sum(seconds.values()) / 60
    return (
        f"{len(done)} of {len(steps)} steps are done. They took {minutes:.0f} minutes one after the other, "
        f"and {study.processes} at a time about {minutes / study.processes:.0f}; of a step that was stopped its last "
        "process is counted."
    )


def _shell(command: Sequence[str]) -> str:
    return shlex.join(command)
