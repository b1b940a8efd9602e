"""Accuracy and training loss against sparsity, and against the zeroed fraction: the paper's Figures 1 and 5."""

import pathlib

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, NullLocator

from sparse_rigl_lands import files
from sparse_rigl_lands.reporting import pictures

_METHODS = {"dense": "#666666", "pruned": "#0b5394", "lottery": "#b45f06", "scratch": "#a61c00"}
_PANELS = {
    "test_accuracy": "test accuracy",
    "training_loss": "training loss (nats), augmented images",
}


def draw_sweep(sweep: files.SweepFiles) -> list[pathlib.Path]:
    """Draws what ``runs.csv`` has the runs for.

    Args:
      sweep: where it lies.

    Returns:
      The files written: Figure 1, Figure 5, or both, each as PNG and SVG.
    """
    runs = pd.read_csv(sweep.table)
    written: list[pathlib.Path] = []
    if (runs["sparsity"] > 0).any():
        sparse = runs[runs["zeroed_fraction"] == 0]
        written += _draw(sparse, "sparsity", "sparsity of the pruned kernels", sweep.figure1)
    if (runs["zeroed_fraction"] > 0).any():
        trained_dense = runs[runs["sparsity"] == 0]
        words = "fraction of the initialization that is set to zero"
        written += _draw(trained_dense.assign(method="dense"), "zeroed_fraction", words, sweep.figure5)
    return written


def _draw(runs: pd.DataFrame, column: str, words: str, paths: tuple[pathlib.Path, ...]) -> tuple[pathlib.Path, ...]:
    figure = Figure(figsize=(10.5, 4.4), layout="constrained")
    for axes, (quantity, label) in zip(figure.subplots(1, 2), _PANELS.items(), strict=True):
        for method in _METHODS:
            of_method = runs[runs["method"] == method]
            if len(of_method):
                _draw_method(axes, of_method, column, quantity, spans_all=column == "sparsity" and method == "dense")
        _scale_by_density(axes, sorted({value for value in runs[column] if value > 0 or column != "sparsity"}))
        axes.set_xlabel(words)
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(LogFormatter())
    axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
    if runs["method"].nunique() > 1:
        axes.legend()
    figure.suptitle("every run a dot, their mean a line, from lowest to highest shaded", fontsize=10)
    pictures.save(figure, paths)
    return paths


def _draw_method(axes: Axes, runs: pd.DataFrame, column: str, quantity: str, spans_all: bool) -> None:
    method = runs["method"].iloc[0]
    color = _METHODS[method]
    spread = runs.groupby(column)[quantity].agg(["mean", "min", "max"])
    if spans_all:  # a dense network has no sparsity: a level to compare with
        axes.axhspan(spread["min"].iloc[0], spread["max"].iloc[0], color=color, alpha=0.2, linewidth=0)
        axes.axhline(spread["mean"].iloc[0], color=color, linestyle="--", label=method)
        return
    density = 1 - spread.index.to_numpy()
    axes.fill_between(density, spread["min"], spread["max"], color=color, alpha=0.2, linewidth=0)
    axes.plot(density, spread["mean"], "-", color=color, label=method)
    axes.plot(1 - runs[column], runs[quantity], ".", color=color, markersize=5)


def _scale_by_density(axes: Axes, values: list[float]) -> None:
    """Logarithmic in 1 - value, growing to the right: 0.9, 0.99 and 0.999 are evenly spaced."""
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks([1 - value for value in values], [f"{value:g}" for value in values])
    axes.invert_xaxis()
