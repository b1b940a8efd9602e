"""What the figures of a study show, taken from the tables of its results."""

from collections.abc import Mapping

import pandas as pd

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.paths.finished_path import FinishedPath
from sparse_rigl_lands.reporting import path_words, words
from sparse_rigl_lands.reporting.panels import FigureData, Note, Panel, Series
from sparse_rigl_lands.reporting.sweep_figures import METHODS, figure1, figure5
from sparse_rigl_lands.studies.study import INITIALIZATIONS, Study
from sparse_rigl_lands.studies.study_results import StudyPathRow
from sparse_rigl_lands.studies.sweep import RunRow
from sparse_rigl_lands.training.metrics import MetricsRow

# Okabe and Ito's palette, without what is too pale on white.
_COLORS = ("#0072b2", "#d55e00", "#007a5a", "#a8467f", "#444444", "#8c6d00", "#5b4fc4", "#9c2b2b")
# What the figures are called, in the order in which they are shown.
LABELS = {
    "figure1": "Figure 1",
    "figure2": "Figure 2",
    "figure3": "Figure 3",
    "figure4": "Figure 4",
    "budgets": "Budgets",
    "figure5": "Figure 5",
}
_WAYS = {"pruned": ("D-I", "P-S"), "lottery": ("L-I", "L-S"), "scratch": ("S-I", "S-S")}


def figures_of(study: Study, written: files.StudyFiles) -> list[FigureData]:
    """All figures that there are results for, Figure 1 first.

    Args:
      study: which one.
      written: where its tables, runs and paths lie.
    """
    found = []
    if written.table.exists():
        runs = storage.read_table(written.table, RunRow)
        found += [figure1(runs), _figure2(study, written, runs), figure5(runs)]
    if written.paths_table.exists():
        paths = storage.read_table(written.paths_table, StudyPathRow)
        found += [_figure3(written, paths), _figure4(study, written, paths), _budgets(study, paths)]
    return sorted(
        (figure for figure in found if figure is not None), key=lambda figure: list(LABELS).index(figure.name)
    )


def _figure2(study: Study, written: files.StudyFiles, runs: pd.DataFrame) -> FigureData | None:
    seed = study.seeds[0]
    found = runs[(runs["seed"] == seed) & (runs["sparsity"] == study.sparsity)]
    runs_of_seed = {row["method"]: row for _, row in found.iterrows() if row["method"] in _WAYS}
    if not runs_of_seed:
        return None
    density, loss = [], []
    for method, row in runs_of_seed.items():
        metrics = storage.read_table(written.run(row["run"]).metrics, MetricsRow)
        initialization, solution = _WAYS[method]
        name, color = f"{method}: {initialization} to {solution} ({row['training_loss']:.3f})", METHODS[method]
        at_start = 0.0 if method == "pruned" else metrics["sparsity"].iloc[0]
        steps, live = [0, *metrics["step"]], [1 - sparsity for sparsity in (at_start, *metrics["sparsity"])]
        density.append(Series(name, color, steps, live, seed=seed, dash="dash" if method == "scratch" else "solid"))
        loss.append(Series(name, color, list(metrics["step"]), list(metrics["smoothed_cross_entropy"]), seed=seed))
    pruned = next((series for series in density if series.color == METHODS["pruned"]), None)
    set_up = []
    if pruned is not None:
        set_up = [Note("D-I", 0, 1.0), Note("P-S", pruned.x[-1], pruned.y[-1], anchor="right")]
        if len(density) > 1:
            above = (0.03 * pruned.x[-1], 3 * pruned.y[-1])
            set_up.append(Note("L-I, S-I: mask of P-S", 0, pruned.y[-1], start=above))
    return FigureData(
        "figure2",
        "The set-up: three ways to a sparse solution",
        f"Seed {seed}, as it was trained. Pruning starts dense, from D-I, and removes weights until P-S. Lottery "
        "and scratch are trained under its mask from the first step: the lottery from D-I's own weights (L-I to L-S), "
        "scratch from fresh ones (S-I to S-S). Right: the loss that training minimises, on its batches; in brackets "
        "the plain cross-entropy of the solutions on all augmented training images.",
        [
            Panel(
                "density",
                "training step",
                "share of weights that are not zero",
                density,
                unit="",
                log=True,
                scales=False,
                notes=set_up,
            ),
            Panel("training loss", "training step", "smoothed cross-entropy (nats)", loss, log=True),
        ],
    )


def _figure3(written: files.StudyFiles, paths: pd.DataFrame) -> FigureData | None:
    lines = paths[paths["curve"] == "line"]
    if not len(lines):
        return None
    titles = {
        "from initializations to the pruned solution": lambda start, end: start in INITIALIZATIONS and end == "P-S",
        "from initializations to their own solutions": lambda start, end: start in INITIALIZATIONS and end != "P-S",
        "between solutions": lambda start, end: start not in INITIALIZATIONS,
    }
    pairs = list(dict.fromkeys(zip(lines["start"], lines["end"], strict=True)))
    colors = {pair: _COLORS[place % len(_COLORS)] for place, pair in enumerate(pairs)}
    finished, panels = _read(written, lines), []
    for title, belongs in titles.items():
        series = [
            _of_path(
                finished[row["run"]], row["seed"], f"{row['start']} to {row['end']}", colors[row["start"], row["end"]]
            )
            for _, row in lines.iterrows()
            if belongs(row["start"], row["end"])
        ]
        if series:
            panels.append(Panel(title, "t, from the first point to the second", "cross-entropy (nats)", series))
    return FigureData(
        "figure3",
        "The loss along straight lines",
        f"{_grounds(finished)} A curve for every seed.",
        panels,
        shares_y=True,
    )


def _figure4(study: Study, written: files.StudyFiles, paths: pd.DataFrame) -> FigureData | None:
    shown = paths[(paths["start"] == "S-S") & (paths["end"] == "P-S")]
    shown = shown[shown["steps"].isin([0, study.budget])]
    if not (shown["steps"] > 0).any():
        return None
    colors = {title: _COLORS[place % len(_COLORS)] for place, title in enumerate(dict.fromkeys(shown["title"]))}
    finished, panels = _read(written, shown), []
    for manifold, title in path_words.MANIFOLDS.items():
        of_manifold = shown[shown["manifold"] == manifold]
        series = [
            _of_path(finished[row["run"]], row["seed"], row["title"], colors[row["title"]])
            for _, row in of_manifold.iterrows()
        ]
        if series:
            panels.append(Panel(title, "t, from S-S to P-S", "cross-entropy (nats)", series, log=True))
    return FigureData(
        "figure4",
        "The loss along a line and fitted curves from the scratch to the pruned solution",
        f"{_grounds(finished)} Every curve was fitted in {study.budget:,} steps. A curve for every seed.",
        panels,
        shares_y=True,
    )


def _budgets(study: Study, paths: pd.DataFrame) -> FigureData | None:
    of_seed = paths[(paths["steps"] > 0) & paths["seed"].isin(study.path_seeds[:1])]
    budgets = sorted(set(of_seed["steps"]))
    if len(budgets) < 2:
        return None
    series = []
    for place, ((title, manifold), runs) in enumerate(of_seed.groupby(["title", "manifold"], sort=False)):
        runs = runs.sort_values("steps")
        steps, barrier, lower, upper = (
            list(runs[name]) for name in ("steps", "barrier", "barrier_lower", "barrier_upper")
        )
        series.append(
            Series(
                f"{title}, {manifold}",
                _COLORS[place % len(_COLORS)],
                steps,
                barrier,
                lower,
                upper,
                [f"bounds {words.bounds(*both)}" for both in zip(lower, upper, strict=True)],
                seed=study.path_seeds[0],
                marks="lines+markers",
                dash="dash" if manifold == "dense" else "solid",
            )
        )
    tolerance = float(of_seed["tolerance"].iloc[0])
    series.append(Series("tolerance", "#777777", budgets, [tolerance] * len(budgets), dash="dash"))
    confidence = words.alternatives(f"{value:.3g}" for value in of_seed["confidence"])
    caption = (
        f"From S-S to P-S, seed {study.path_seeds[0]}. A barrier that is left was not removed within so many steps. "
        f"Bands: confidence {confidence} for each curve by itself."
    )
    panel = Panel("", "steps of the fit", "barrier above the higher end (nats)", series, "log", scales=False)
    return FigureData("budgets", "The barrier that is left against the steps of the fit", caption, [panel])


def _read(written: files.StudyFiles, rows: pd.DataFrame) -> dict[str, FinishedPath]:
    return {run: FinishedPath.read(written.path(run)) for run in rows["run"]}


def _of_path(path: FinishedPath, seed: int, name: str, color: str) -> Series:
    table, margin, loss = path.table, path.margin, path.table["cross_entropy"]
    of_points = [f"± {half:.4f}, top-1 {share:.1%}" for half, share in zip(margin, table["top1"], strict=True)]
    t, y, lower, upper = (list(values) for values in (table["t"], loss, loss - margin, loss + margin))
    return Series(name, color, t, y, lower, upper, of_points, seed=int(seed))


def _grounds(finished: Mapping[str, FinishedPath]) -> str:
    results = [path.result for path in finished.values()]
    sure = words.alternatives(f"{result['confidence_of_each_look']:.3g}" for result in results)
    return f"On {path_words.grounds(results)}. Bands: confidence {sure} for each t by itself."
