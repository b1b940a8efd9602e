"""A line and fitted curves side by side, and their barriers against the steps of the fit: the paper's Figure 4."""

import pathlib
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from sparse_rigl_lands import files
from sparse_rigl_lands.reporting import path_figure, pictures

_PANELS = {"": "straight line", "sparse": "within the sparse subspace", "dense": "with every connection"}
# Of Okabe and Ito's palette, told apart by lines and marks too.
_STYLES = (("#0072b2", "-", "o"), ("#d55e00", "--", "s"), ("#009e73", "-.", "^"), ("#cc79a7", ":", "D"))
_MANIFOLD_FILLS = {"sparse": "full", "dense": "none"}


def draw_figure4(paths: Sequence[files.PathFiles], figure: tuple[pathlib.Path, ...]) -> tuple[pathlib.Path, ...]:
    """Draws the loss along the line, along the sparse curves and along the dense ones, on one scale.

    Args:
      paths: finished ones between the same two points.
      figure: the files to write.

    Returns:
      The files written.
    """
    results = [(files.read_json(path.result), pd.read_csv(path.table)) for path in paths]
    panels = {
        manifold: found
        for manifold in _PANELS
        if (found := [(result, table) for result, table in results if _manifold(result) == manifold])
    }
    picture = Figure(figsize=(4.2 * len(panels), 4.9), layout="constrained")
    all_axes = picture.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (manifold, found) in zip(all_axes, panels.items(), strict=True):
        for (result, table), style in zip(found, _STYLES, strict=False):
            _draw_path(axes, result, table, style)
        axes.set_title(_PANELS[manifold], fontsize=11)
        axes.set_xlabel("t")
        axes.grid(alpha=0.3)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.08), frameon=False, fontsize=9)
    # Logarithmic: a barrier of 4 nats and a dip of a curve to a tenth of both ends are to be seen together.
    all_axes[0].set_yscale("log")
    all_axes[0].yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
    all_axes[0].yaxis.set_minor_formatter(NullFormatter())
    all_axes[0].set_ylabel("loss (nats)")
    result, _ = results[0]
    settings = result["settings"]
    picture.supxlabel(
        f"0: {path_figure.name_of_end(settings['start'])}    1: {path_figure.name_of_end(settings['end'])}\n"
        f"{result['images']:,} training images, BatchNorm: {settings['batch_norm']}; "
        "bands: each value by itself, bounds of a barrier: over all t at once, "
        f"both at {result['confidence']:.0%}",
        fontsize=9,
    )
    pictures.save(picture, figure)
    return figure


def draw_budgets(table: pathlib.Path, figure: tuple[pathlib.Path, ...]) -> tuple[pathlib.Path, ...]:
    """Draws the barrier of every curve against the steps of its fit.

    Args:
      table: ``curves.csv``, see ``curve_study.results``.
      figure: the files to write.

    Returns:
      The files written.
    """
    rows = pd.read_csv(table, keep_default_na=False)
    picture = Figure(figsize=(7.2, 4.6), layout="constrained")
    axes = picture.subplots()
    fitted = rows[rows["steps"] > 0]
    kinds = list(dict.fromkeys(title for title in fitted["title"]))
    for (title, manifold), runs in fitted.groupby(["title", "manifold"], sort=False):
        color, line, mark = _STYLES[kinds.index(title) % len(_STYLES)]
        runs = runs.sort_values("steps")
        below, above = runs["barrier"] - runs["barrier_lower"], runs["barrier_upper"] - runs["barrier"]
        axes.errorbar(
            runs["steps"], runs["barrier"], [below, above], color=color, linestyle=line, marker=mark, capsize=3,
            fillstyle=_MANIFOLD_FILLS[manifold], label=f"{title}, {manifold}",
        )  # fmt: skip
    for _, run in rows[rows["steps"] == 0].iterrows():
        axes.axhline(run["barrier"], color="#444444", linewidth=1, label=run["title"])
    tolerance = rows["tolerance"].iloc[0]
    axes.axhline(tolerance, color="#888888", linestyle=":", label=f"tolerance, {tolerance:g}")
    axes.set_xscale("log")
    axes.set_xticks(sorted(set(fitted["steps"])), [f"{steps:,}" for steps in sorted(set(fitted["steps"]))])
    axes.xaxis.set_minor_formatter(NullFormatter())
    # Linear below the tolerance, where a barrier may be zero.
    axes.set_yscale("symlog", linthresh=tolerance or 0.01)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
    axes.set_ylim(0, 3 * rows["barrier_upper"].max())  # with room above the level of the line
    axes.set_xlabel("steps of the fit")
    axes.set_ylabel("barrier (nats), with its bounds")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9)
    pictures.save(picture, figure)
    return figure


def _manifold(result: dict[str, Any]) -> str:
    fitting = result["settings"]["fitting"]
    return fitting["manifold"] if fitting else ""


def _draw_path(axes: Axes, result: dict[str, Any], table: pd.DataFrame, style: tuple[str, str, str]) -> None:
    color, line, _ = style
    loss = table["cross_entropy"]
    margin = path_figure.margins(
        table["error"], result["confidence_of_each_look"], result["independent_units"]["count"]
    )
    lower = (loss - margin).clip(lower=loss / 10)  # what is left of a band that reaches zero on a logarithmic scale
    axes.fill_between(table["t"], lower, loss + margin, color=color, alpha=0.2, linewidth=0)
    label = f"{result['settings']['curve']}:\n{path_figure.barrier_in_words(result)}"
    axes.plot(table["t"], loss, line, color=color, label=label)
    ends = table.iloc[[0, -1]]
    axes.plot(ends["t"], ends["cross_entropy"], "o", color="black", markersize=6, zorder=3)
