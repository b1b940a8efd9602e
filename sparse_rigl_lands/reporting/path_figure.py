"""The loss along a path, drawn from the files that its evaluation wrote."""

import pathlib
import textwrap

from matplotlib.figure import Figure

from sparse_rigl_lands import files
from sparse_rigl_lands.paths.finished_path import FinishedPath
from sparse_rigl_lands.reporting import path_words, pictures

_LOSS, _ENDS = "#0b5394", "#b45f06"
_TITLE_WIDTH = 95  # characters that fit above the picture


def draw_path(path: files.PathFiles) -> tuple[pathlib.Path, ...]:
    """Draws the loss along a path, with its errors, its ends, and the verdict in words.

    Args:
      path: where ``path.csv`` and ``path.json`` lie.

    Returns:
      The files written: PNG and SVG.
    """
    finished = FinishedPath.read(path)
    table, result, margin = finished.table, finished.result, finished.margin
    settings = result["settings"]
    figure = Figure(figsize=(7.2, 4.6), layout="constrained")
    axes = figure.add_subplot()
    loss = table["cross_entropy"]
    band = f"{result['confidence_of_each_look']:.3g} interval of each value by itself"
    axes.fill_between(table["t"], loss - margin, loss + margin, color=_LOSS, alpha=0.25, linewidth=0, label=band)
    axes.plot(table["t"], loss, ".-", color=_LOSS, label="cross-entropy")
    if settings["label_smoothing"]:
        axes.plot(table["t"], table["smoothed_cross_entropy"], "--", color=_LOSS, label="smoothed cross-entropy")
    ends = table.iloc[[0, -1]]
    axes.plot(ends["t"], ends["cross_entropy"], "o", color=_ENDS, markersize=8, zorder=3)
    axes.legend(frameon=False)
    fitting = settings["fitting"]
    fit = f", {fitting['manifold']}, fitted in {fitting['steps']:,} steps" if fitting else ""
    axes.set_xlabel(
        f"t along the {settings['curve']}{fit}\n"
        f"0: {path_words.name_of_end(settings['start'])}    1: {path_words.name_of_end(settings['end'])}\n"
        f"mask: {settings['mask']}, BatchNorm: {settings['batch_norm']}"
    )
    axes.set_ylabel(f"loss (nats) on {path_words.images([result])}")
    axes.set_ylim(bottom=-0.03 * loss.max())  # zero, with room for the marks on it
    axes.grid(alpha=0.3)
    clauses = path_words.describe_path(result).replace("; ", ";\n").splitlines()
    axes.set_title("\n".join(textwrap.fill(clause, _TITLE_WIDTH) for clause in clauses), fontsize=10)
    pictures.save(figure, path.figures)
    return path.figures
