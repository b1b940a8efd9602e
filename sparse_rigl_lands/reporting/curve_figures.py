"""A line and fitted curves side by side, and their barriers against the steps of the fit: the paper's Figure 4."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

import pandas as pd

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.finished_path import FinishedPath
from sparse_rigl_lands.reporting import path_words, words
from sparse_rigl_lands.reporting.drawing import draw
from sparse_rigl_lands.reporting.panels import COLORS, FigureData, Panel, Series, Symbol
from sparse_rigl_lands.studies.path_runs import PathRunRow

_SYMBOLS: tuple[Symbol, ...] = ("o", "s", "^", "D")


def draw_curves(written: files.CurveStudyFiles, budget: int) -> list[pathlib.Path]:
    """Draws what ``curves.csv`` has the paths for.

    Args:
      written: where it lies.
      budget: the steps of the fits that Figure 4 shows.

    Returns:
      The files written: Figure 4, the budgets, or both, each as PNG and SVG.

    Raises:
      InputError: the table, or a file of a path, is damaged.
    """
    rows = storage.read_table(written.table, PathRunRow)
    if not rows["barrier"].between(rows["barrier_lower"], rows["barrier_upper"]).all():
        raise InputError(f"{written.table} is damaged: a barrier lies outside of its bounds")
    finished = {run: FinishedPath.read(written.path(run)) for run in rows["run"]}
    settings = finished[rows["run"].iloc[0]].result["settings"]
    start, end = (path_words.name_of_end(settings[name]) for name in ("start", "end"))
    ends = f"From {start} to {end}."
    drawn: list[pathlib.Path] = []
    for figure, paths in (
        (figure4(rows, finished, budget, "t", ends), written.figure4),
        (budgets(rows, ends), written.budgets),
    ):
        if figure is not None:
            drawn += draw(figure, paths)
    return drawn


def figure4(
    rows: pd.DataFrame, finished: Mapping[str, FinishedPath], budget: int, t_label: str, remark: str
) -> FigureData | None:
    """Figure 4: the loss along the line, along the sparse curves and along the dense ones, on one scale.

    Args:
      rows: of ``curves.csv``, or those of ``paths.csv`` between the two points: see ``PathRunRow``. A column ``seed``
        tells those of several seeds apart.
      finished: the paths, by their ``run``.
      budget: the steps of the fits that are shown, besides the line.
      t_label: what t is.
      remark: what its caption ends with.

    Returns:
      It, or None where there is neither the line nor a path of that budget.
    """
    shown = rows[rows["steps"].isin([0, budget])]
    if not len(shown):
        return None
    titles = list(dict.fromkeys(shown["title"]))
    each_by_itself = not shown.duplicated(["title", "manifold"]).any()
    panels = []
    for manifold, title in path_words.MANIFOLDS.items():
        series = []
        for _, row in shown[shown["manifold"] == manifold].iterrows():
            place, path = titles.index(row["title"]), finished[row["run"]]
            curve = series_of(path, row["title"], COLORS[place % len(COLORS)], row.get("seed"))
            if each_by_itself:  # there is room to say more of it
                symbol = _SYMBOLS[place % len(_SYMBOLS)] if row["steps"] else ""
                curve = dataclasses.replace(curve, label=_with_barrier(path, row["title"]), symbol=symbol)
                curve = dataclasses.replace(curve, dash="dash" if manifold == "dense" else "solid")
            series.append(curve)
        if series:
            panels.append(Panel(title, t_label, "cross-entropy (nats)", series, log=True))
    results = [finished[run].result for run in shown["run"]]
    said = [grounds(results)]
    if each_by_itself:
        said.append(f"Bounds of barriers: confidence {_confidence(results)}, for all t at once.")
    if (shown["steps"] > 0).any():
        said.append(f"Every curve was fitted in {budget:,} steps.")
    title = "The loss along a line and fitted curves"
    return FigureData("figure4", title, " ".join([*said, remark]), panels, shares_y=True)


def budgets(rows: pd.DataFrame, remark: str, seed: int | None = None) -> FigureData | None:
    """The barrier of every fitted curve, in nats, against the steps of its fit.

    The line is left out: its barrier is so much higher that no others could be told apart.

    Args:
      rows: see ``figure4``; of one seed.
      remark: what its caption begins with.
      seed: of the paths.

    Returns:
      It, or None where all fits have the same steps.
    """
    fitted = rows[rows["steps"] > 0]
    steps = sorted(set(fitted["steps"]))
    if len(steps) < 2:
        return None
    titles, series = list(dict.fromkeys(fitted["title"])), []
    for (title, manifold), runs in fitted.groupby(["title", "manifold"], sort=False):
        runs, place, name = runs.sort_values("steps"), titles.index(title), f"{title}, {manifold}"
        x, barrier, lower, upper = (list(runs[name]) for name in ("steps", "barrier", "barrier_lower", "barrier_upper"))
        series.append(
            Series(
                name,
                COLORS[(2 * place + (manifold == "dense")) % len(COLORS)],
                x,
                barrier,
                lower,
                upper,
                [f"bounds {words.bounds(*both)}" for both in zip(lower, upper, strict=True)],
                seed=seed,
                marks="lines+markers",
                symbol=_SYMBOLS[place % len(_SYMBOLS)],
                dash="dash" if manifold == "dense" else "solid",
                label=name,
            )
        )
    tolerance = float(rows["tolerance"].iloc[0])
    series.append(
        Series("tolerance", "#777777", steps, [tolerance] * len(steps), dash="dash", label=f"tolerance, {tolerance:g}")
    )
    confidence = words.alternatives(f"{value:.3g}" for value in fitted["confidence"])
    caption = (
        f"{remark} A barrier that is left was not removed within so many steps. "
        f"Bands: confidence {confidence} for each curve by itself."
    )
    panel = Panel("", "steps of the fit", "barrier above the higher end (nats)", series, "log", scales=False)
    return FigureData("budgets", "The barrier that is left against the steps of the fit", caption, [panel])


def series_of(path: FinishedPath, name: str, color: str, seed: int | None) -> Series:
    """The loss along a path, with the interval of every loss by itself.

    Args:
      path: which one.
      name, color, seed: see ``Series``.
    """
    table, margin, loss = path.table, path.margin, path.table["cross_entropy"]
    of_points = [f"± {half:.4f}, top-1 {share:.1%}" for half, share in zip(margin, table["top1"], strict=True)]
    t, y, lower, upper = (list(values) for values in (table["t"], loss, loss - margin, loss + margin))
    return Series(name, color, t, y, lower, upper, of_points, seed=None if seed is None else int(seed))


def grounds(results: Sequence[dict]) -> str:
    """On what paths were evaluated, and what their bands are, from what ``path.json`` has of each."""
    sure = words.alternatives(f"{result['confidence_of_each_look']:.3g}" for result in results)
    return f"On {path_words.grounds(results)}. Bands: confidence {sure} for each t by itself."


def _confidence(results: Sequence[dict]) -> str:
    return words.alternatives(f"{result['confidence']:.3g}" for result in results)


def _with_barrier(path: FinishedPath, title: str) -> str:
    return f"{title.replace(' Bezier curve', '')}: {path_words.barrier_in_words(path.result)}"
