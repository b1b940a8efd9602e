"""Accuracy and training loss against sparsity, and against the zeroed fraction: the paper's Figures 1 and 5."""

import pathlib

import pandas as pd

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.reporting.drawing import draw
from sparse_rigl_lands.reporting.panels import FigureData, Panel, Series
from sparse_rigl_lands.studies.sweep import RunRow

METHODS = {"pruned": "#0b5394", "lottery": "#b45f06", "scratch": "#a61c00", "dense": "#555555"}
_READING = "Every run is a dot, the mean over seeds a line, from lowest to highest shaded."
# column, title, label, unit, whether the scale is logarithmic
_MEASURES = (
    ("test_accuracy", "test accuracy", "test accuracy", "", False),
    ("training_loss", "training loss", "training loss (nats), augmented images", "nats", True),
)


def draw_sweep(sweep: files.SweepFiles) -> list[pathlib.Path]:
    """Draws what ``runs.csv`` has the runs for.

    Args:
      sweep: where it lies.

    Returns:
      The files written: Figure 1, Figure 5, or both, each as PNG and SVG.
    """
    runs = storage.read_table(sweep.table, RunRow)
    written: list[pathlib.Path] = []
    for figure, paths in ((figure1(runs), sweep.figure1), (figure5(runs), sweep.figure5)):
        if figure is not None:
            written += draw(figure, paths)
    return written


def figure1(runs: pd.DataFrame) -> FigureData | None:
    """Figure 1, from ``runs.csv``; None where no run is sparse."""
    sparse = runs[runs["sparsity"] > 0]
    if not len(sparse):
        return None
    dense = runs[runs["method"] == "dense"]
    levels = sorted(set(sparse["sparsity"]))
    panels = []
    for column, title, label, unit, log in _MEASURES:
        series = _by_method(sparse, "sparsity", column)
        if len(dense):  # a dense network has no sparsity: a level to compare with
            of_all = dense[column]
            low, mean, high = ([value] * len(levels) for value in (of_all.min(), of_all.mean(), of_all.max()))
            words = [_of_runs(dense)] * len(levels)
            series.append(Series("dense", METHODS["dense"], levels, mean, low, high, words, dash="dash"))
        panels.append(Panel(title, "sparsity of the pruned kernels", label, series, "density", unit, log, scales=log))
    caption = f"{_READING} Pruned, lottery and scratch networks of one seed share one mask."
    return FigureData("figure1", "Accuracy and training loss against sparsity", caption, panels)


def figure5(runs: pd.DataFrame) -> FigureData | None:
    """Figure 5, from ``runs.csv``; None where no initialization was zeroed."""
    if not (runs["zeroed_fraction"] > 0).any():
        return None
    dense = runs[runs["sparsity"] == 0].assign(method="dense")
    words = "fraction of the initialization that is set to zero"
    panels = [
        Panel(title, words, label, _by_method(dense, "zeroed_fraction", column), "density", unit, log, scales=log)
        for column, title, label, unit, log in _MEASURES
    ]
    title = "Dense training after a random part of the initialization was set to zero"
    return FigureData("figure5", title, f"{_READING} All weights are trained.", panels)


def _by_method(runs: pd.DataFrame, column: str, measure: str) -> list[Series]:
    series = []
    for method, color in METHODS.items():
        of_method = runs[runs["method"] == method].sort_values(column)
        if not len(of_method):
            continue
        spread = of_method.groupby(column)[measure].agg(["mean", "min", "max"])
        words = [_of_runs(at_value) for _, at_value in of_method.groupby(column)]
        x, mean, lowest, highest = (list(each) for each in (spread.index, spread["mean"], spread["min"], spread["max"]))
        series.append(Series(method, color, x, mean, lowest, highest, words))
        for seed, of_seed in of_method.groupby("seed"):
            x, y = list(of_seed[column]), list(of_seed[measure])
            series.append(Series(method, color, x, y, seed=int(seed), marks="markers"))
    return series


def _of_runs(runs: pd.DataFrame) -> str:
    return f"mean of {len(runs)} runs" if len(runs) > 1 else "one run"
