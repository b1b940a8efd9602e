"""The report of a study: pictures, and one HTML file that needs nothing else."""

import base64
import dataclasses
import datetime
import importlib.resources
import pathlib
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
import plotly.offline

from sparse_rigl_lands import files, project, storage
from sparse_rigl_lands.environment import environment
from sparse_rigl_lands.reporting import interactive, tables, verdicts, words
from sparse_rigl_lands.reporting.drawing import draw
from sparse_rigl_lands.reporting.panels import FigureData
from sparse_rigl_lands.reporting.study_figures import LABELS, figures_of
from sparse_rigl_lands.studies import jobs
from sparse_rigl_lands.studies.claim import Claim
from sparse_rigl_lands.studies.jobs import Job
from sparse_rigl_lands.studies.study import Study
from sparse_rigl_lands.studies.study_jobs import needs_of
from sparse_rigl_lands.studies.study_results import Found, Rows
from sparse_rigl_lands.training.summary import Summary

_READABLE = {"figure2": "step", "figure3": "t", "figure4": "t"}  # what the slider of a figure reads at
_PAGE = importlib.resources.files(__package__) / "page"


def write_report(
    study: Study,
    written: files.StudyFiles,
    found: Found,
    claims: Sequence[Claim],
    steps: Sequence[Job],
    flags: Sequence[str],
) -> list[pathlib.Path]:
    """Draws the figures of a study and tells all of it in one HTML file, as far as it has come.

    Args:
      study: which one.
      written: where its results lie, and the report will.
      found: its results.
      claims: the verdicts on them.
      steps: all that the study has.
      flags: of ``scripts/reproduce.py``, by which the study was asked for.

    Returns:
      The files written, the report last.
    """
    figures = figures_of(study, written)
    pictures = [path for figure in figures for path in draw(figure, written.figure(figure.name))]
    page, machine = _templates().get_template("report.html"), environment()
    command = [*project.command("reproduce"), *flags]
    context = {
        "study": study,
        "date": datetime.date.today().isoformat(),
        "machine": machine["processor"],
        "counts": _counts(claims),
        "confidence": words.percent(study.confidence),
        "premises": " and ".join(claim.verdict for claim in claims[:2]),
        "unfinished": _unfinished(found.steps),
        "claims": [_claim(claim, study, found, figures) for claim in claims],
        "figures": [_figure(figure, study, written, steps, command, found) for figure in figures],
        "tables": _tables(found),
        "settings": [{"setting": field, "value": str(value)} for field, value in dataclasses.asdict(study).items()],
        "environment": [{"what": name, "which": value} for name, value in machine.items()],
        "trained_under": _trained_under(study, written, found),
        "configurations": _configurations(study, written),
        "steps_in_words": _steps_in_words(found.steps, study),
        "steps": [{name: str(row[name]) for name in ("step", "state", "seconds")} for row in found.steps],
        "overall": [project.typed(command), f"tensorboard --logdir={shlex.quote(str(written.directory))}"],
        "every_command": [step.shell for step in steps],
        "style": (_PAGE / "style.css").read_text(encoding="utf-8"),
        "script": (_PAGE / "report.js").read_text(encoding="utf-8"),
        "plotly": plotly.offline.get_plotlyjs(),
    }
    storage.write_text(written.report, page.render(context))
    return [*pictures, written.report]


def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (_PAGE / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )


def _counts(claims: Sequence[Claim]) -> str:
    counts = ((sum(claim.verdict == verdict for claim in claims), verdict) for verdict in verdicts.ORDER)
    return ", ".join(f"{count} {verdict}" for count, verdict in counts if count)


def _unfinished(steps: Rows) -> str:
    """What is missing, in words; "" for nothing."""
    done = sum(row["state"] == "done" for row in steps)
    if done == len(steps):
        return ""
    failed = "; ".join(f"{row['step']}: {row['failure']}" for row in steps if row["failure"])
    return f"{done} of {len(steps)} steps are done.{f' Failed: {failed}' if failed else ''}"


def _claim(claim: Claim, study: Study, found: Found, figures: Sequence[FigureData]) -> dict[str, Any]:
    name = f"figure{claim.figure}"
    return {
        "number": claim.number,
        "statement": claim.statement,
        "verdict": claim.verdict,
        "missing": verdicts.missing_in_words(claim),
        "remarks": claim.remarks,
        "grounds": [verdicts.group_cells(group) for group in verdicts.groups_of(claim)],
        "figure": name if any(figure.name == name for figure in figures) else "",
        "label": LABELS[name],
        "settings": verdicts.settings_in_words(claim, study, found.paths),
        "scope": verdicts.scope_in_words(claim),
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
        "label": LABELS[figure.name],
        "title": figure.title,
        "caption": figure.caption,
        "names": interactive.names_of(figure),
        "seeds": interactive.seeds_of(figure),
        "scales": any(panel.scales for panel in figure.panels),
        "log": any(panel.log for panel in figure.panels if panel.unit == "nats"),
        "reading": _READABLE.get(figure.name, ""),
        "panels": figure.panels,
        "charts": interactive.charts(figure),
        "svg": base64.b64encode(svg.read_bytes()).decode(),
        "numbers": where,
        "cells": cells,
        "commands": [
            project.typed([*command, f"--only={of_figure}"]),
            "",
            "# which runs",
            *(each.shell for each in needed),
        ],
        "where_numbers_are": "The slider above reads it." if figure.name in _READABLE else "Its table is below.",
    }


def _numbers(name: str, study: Study, found: Found) -> tuple[list[dict[str, str]], str]:
    """A table of what a figure shows, and where all of its numbers lie."""
    if name in ("figure1", "figure5"):
        of_zeros = [row for row in found.runs if not row["sparsity"]]
        runs = of_zeros if name == "figure5" else [row for row in found.runs if not row["zeroed_fraction"]]
        return tables.sweep_cells(runs), "Every run is a row of runs.csv."
    if name == "figure2":
        return [], "Every interval of training is a row of metrics.csv in the directory of its run."
    lines = [row for row in found.paths if row["curve"] == "line"]
    curves = [row for row in found.paths if row["end"] == "P-S" and row["start"] == "S-S"]
    shown = {
        "figure3": lines,
        "figure4": [row for row in curves if row["steps"] in (0, study.budget)],
        "budgets": [row for row in curves if row["steps"] and row["seed"] in study.path_seeds[:1]],
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
    return [(name, storage.read_text(path)) for name, path in every.items() if path.exists()]


def _trained_under(study: Study, written: files.StudyFiles, found: Found) -> list[dict[str, str]]:
    """What the runs say of the software and the devices that have trained them: once where they agree."""
    values: dict[str, list[str]] = {}
    for row in found.runs:
        for name, value in storage.read_json(written.run(row["run"]).summary, Summary).get("environment", {}).items():
            values.setdefault(name, []).append(value)
    return [{"what": name, "which": words.alternatives(of_runs)} for name, of_runs in values.items()]


def _steps_in_words(steps: Rows, study: Study) -> str:
    done = [row for row in steps if row["state"] == "done"]
    minutes = sum(float(row["seconds"] or 0) for row in done) / 60
    return (
        f"{len(done)} of {len(steps)} steps are done. Their commands ran for {minutes:.0f} minutes in sum, "
        f"{study.processes} at a time; of one that was stopped and went on, its last process is counted."
    )
