"""What the figures of a study show, taken from the tables of its results."""

import pandas as pd

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.paths.finished_path import FinishedPath
from sparse_rigl_lands.reporting import curve_figures
from sparse_rigl_lands.reporting.panels import COLORS, FigureData, Note, Panel, Series
from sparse_rigl_lands.reporting.sweep_figures import METHODS, figure1, figure5
from sparse_rigl_lands.studies.study import BAD, GOOD, INITIALIZATIONS, Study
from sparse_rigl_lands.studies.study_results import StudyPathRow
from sparse_rigl_lands.studies.sweep import RunRow
from sparse_rigl_lands.training.metrics import MetricsRow

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
    set_up = []
    if "pruned" in runs_of_seed:
        pruned = density[list(runs_of_seed).index("pruned")]
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
    colors = {pair: COLORS[place % len(COLORS)] for place, pair in enumerate(pairs)}
    finished, panels = _read(written, lines), []
    for title, belongs in titles.items():
        series = [
            curve_figures.series_of(
                finished[row["run"]], f"{row['start']} to {row['end']}", colors[row["start"], row["end"]], row["seed"]
            )
            for _, row in lines.iterrows()
            if belongs(row["start"], row["end"])
        ]
        if series:
            panels.append(Panel(title, "t, from the first point to the second", "cross-entropy (nats)", series))
    return FigureData(
        "figure3",
        "The loss along straight lines",
        f"{curve_figures.grounds([path.result for path in finished.values()])} A curve for every seed.",
        panels,
        shares_y=True,
    )


def _figure4(study: Study, written: files.StudyFiles, paths: pd.DataFrame) -> FigureData | None:
    shown = _bad_to_good(paths)
    if not (shown["steps"] == study.budget).any():
        return None
    t_label, every_seed = f"t, from {BAD} to {GOOD}", "A curve for every seed."
    return curve_figures.figure4(shown, _read(written, shown), study.budget, t_label, every_seed)


def _budgets(study: Study, paths: pd.DataFrame) -> FigureData | None:
    seed = next(iter(study.path_seeds), None)
    of_seed = _bad_to_good(paths[paths["seed"] == seed])
    return curve_figures.budgets(of_seed, f"From {BAD} to {GOOD}, seed {seed}.", seed)


def _bad_to_good(paths: pd.DataFrame) -> pd.DataFrame:
    return paths[(paths["start"] == BAD) & (paths["end"] == GOOD)]


def _read(written: files.StudyFiles, rows: pd.DataFrame) -> dict[str, FinishedPath]:
    return {run: FinishedPath.read(written.path(run)) for run in rows["run"]}
