"""The loss along a path, drawn from the files that its evaluation wrote."""

import pathlib

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sparse_rigl_lands import files
from sparse_rigl_lands.reporting import pictures

_LOSS, _ENDS = "#0b5394", "#b45f06"


def draw_path(path: files.PathFiles) -> tuple[pathlib.Path, ...]:
    """Draws the loss along a path, with its ends, barrier and largest rise in words.

    Args:
      path: where ``path.csv`` and ``path.json`` lie.

    Returns:
      The files written: PNG and SVG.
    """
    table = pd.read_csv(path.table)
    result = files.read_json(path.result)
    settings = result["settings"]
    figure = Figure(figsize=(7.2, 4.6), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(table["t"], table["cross_entropy"], ".-", color=_LOSS, label="cross-entropy")
    if settings["label_smoothing"]:
        axes.plot(table["t"], table["smoothed_cross_entropy"], "--", color=_LOSS, label="smoothed cross-entropy")
        axes.legend()
    ends = table.iloc[[0, -1]]
    axes.plot(ends["t"], ends["cross_entropy"], "o", color=_ENDS, markersize=8, zorder=3)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.set_xlabel(
        f"t along the {settings['curve']}\n0: {_name(settings['start'])}    1: {_name(settings['end'])}\n"
        f"mask: {settings['mask']}"
    )
    images = "augmented training" if settings["augmented"] else "training"
    axes.set_ylabel(f"loss (nats) on {settings['images']:,} {images} images")
    axes.set_ylim(bottom=-0.03 * table["cross_entropy"].max())  # zero, with room for the marks on it
    axes.grid(alpha=0.3)
    axes.set_title(describe_path(result).replace("; ", ";\n"), fontsize=10)
    pictures.save(figure, path.figures)
    return path.figures


def describe_path(result: dict) -> str:
    """One sentence on the shape of a path, from ``path.json``."""
    barrier, rise = result["barrier"], result["largest_rise"]
    if rise["height"] == 0:
        return "The loss never rises along the path."
    words = f"The largest rise is {rise['height']:.3f}, from t = {rise['start']:.2f} to {rise['end']:.2f}; "
    if barrier["height"] == 0:
        return words + "no barrier above the higher end."
    return words + f"a barrier of {barrier['height']:.3f} above the higher end, at t = {barrier['end']:.2f}."


def _name(end: dict) -> str:
    step = "initialization" if end["global_step"] == 0 else f"step {end['global_step']:,}"
    return f"{end['method']} (seed {end['seed']}, {step})"
