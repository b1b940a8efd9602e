"""The loss along a path, drawn from the files that its evaluation wrote."""

import math
import pathlib
import textwrap

import pandas as pd
import scipy.stats
from matplotlib.figure import Figure

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.reporting import pictures

# What the control points of a curve may use, in words; a line has none.
MANIFOLDS = {"": "straight line", "sparse": "within the sparse subspace", "dense": "with every connection"}
_LOSS, _ENDS = "#0b5394", "#b45f06"
_TITLE_WIDTH = 95  # characters that fit above the picture


def draw_path(path: files.PathFiles) -> tuple[pathlib.Path, ...]:
    """Draws the loss along a path, with its errors, its ends, and the verdict in words.

    Args:
      path: where ``path.csv`` and ``path.json`` lie.

    Returns:
      The files written: PNG and SVG.
    """
    table = pd.read_csv(path.table)
    result = storage.read_json(path.result)
    settings = result["settings"]
    figure = Figure(figsize=(7.2, 4.6), layout="constrained")
    axes = figure.add_subplot()
    loss = table["cross_entropy"]
    confidence = result["confidence_of_each_look"]
    margin = margins(table["error"], confidence, result["independent_units"]["count"])
    band = f"{confidence:.3g} interval of each value by itself"
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
        f"0: {name_of_end(settings['start'])}    1: {name_of_end(settings['end'])}\n"
        f"mask: {settings['mask']}, BatchNorm: {settings['batch_norm']}"
    )
    images = "augmented training" if settings["augmented"] else "training"
    axes.set_ylabel(f"loss (nats) on {result['images']:,} {images} images")
    axes.set_ylim(bottom=-0.03 * loss.max())  # zero, with room for the marks on it
    axes.grid(alpha=0.3)
    clauses = describe_path(result).replace("; ", ";\n").splitlines()
    axes.set_title("\n".join(textwrap.fill(clause, _TITLE_WIDTH) for clause in clauses), fontsize=10)
    pictures.save(figure, path.figures)
    return path.figures


def margins(errors: pd.Series, confidence: float, units: int) -> pd.Series:
    """Half the width of the interval of every value by itself, from its standard error over so many units."""
    return errors * scipy.stats.t.isf((1 - confidence) / 2, units - 1)


def describe_path(result: dict) -> str:
    """What is said of the shape of a path, and how surely, from ``path.json``."""
    verdict, barrier, rise = result["verdict"], result["barrier"], result["largest_rise"]
    surely = f"tolerance {result['tolerance']:g}, {result['confidence']:.0%} confidence, {result['images']:,} images"
    climbs = f"from t = {rise['start']:.2f} to {rise['end']:.2f}"
    within, dips = _within(result), _dip(result)
    if verdict == "monotone":  # up to the tolerance, and a path that dips is not called so
        monotone = "Nowhere a rise above the tolerance" if dips else "Monotone"
        return f"{monotone}{within}: the loss rises by {_bounds(rise)}{dips}; {surely}."
    if verdict == "barrier":
        left = ", is left" + within if within else ""
        return f"A barrier of {_bounds(barrier)} above the higher end, at t = {barrier['end']:.2f}{left}; {surely}."
    if verdict == "no_barrier":
        return (
            f"No barrier{within}, {_bounds(barrier)}, but the loss rises by {_bounds(rise)} {climbs}{dips}; {surely}."
        )
    if barrier["upper"] <= result["tolerance"]:
        return f"No barrier{within}, {_bounds(barrier)}; a rise is undecided: {_bounds(rise)} {climbs}{dips}; {surely}."
    return f"Undecided{within}: the largest rise is {_bounds(rise)}, the barrier {_bounds(barrier)}{dips}; {surely}."


def describe_ends(result: dict) -> list[str]:
    """What the loss is at both ends, on the path and by their own statistics and mask, from ``path.json``."""
    lines = []
    for name, own in result["ends_under_their_own_statistics_and_mask"].items():
        if own is None:
            lines.append(f"{name}: a control point of a fitted curve, without statistics of its own")
            continue
        on_path = result["ends_on_the_path"][name]
        shown = "not" if on_path is None else f"{on_path:.4f}"
        own_loss = f"{own['cross_entropy']:.4f} by its own statistics and mask"
        lines.append(f"{name}: cross-entropy {shown} on the path, {own_loss}")
    return lines


def barrier_in_words(result: dict) -> str:
    """The barrier alone, from ``path.json``, in at most two short lines; the budget of a fit is in the second."""
    barrier, more = result["barrier"], []
    if fitting := result["settings"]["fitting"]:
        more.append(f"within {fitting['steps']:,} steps")
    if barrier["upper"] <= result["tolerance"]:
        words = f"no barrier, {_bounds(barrier)}"
        if _dip(result):
            more.append(f"dips to {result['lowest']['cross_entropy']:.3f}")
    else:
        words = f"barrier {_bounds(barrier)}"
        if result["verdict"] != "barrier":
            more.append("undecided")
    return "\n".join([words, ", ".join(more)]).strip()


def _within(result: dict) -> str:
    """The budget of a fit: what it has not found it may find with a larger one."""
    fitting = result["settings"]["fitting"]
    return f" within {fitting['steps']:,} steps" if fitting else ""


def _dip(result: dict) -> str:
    """Where a path surely goes below both of its ends, it is not merely the way down from one to the other."""
    lowest = result["lowest"]
    if not lowest["below_both_ends"]:
        return ""
    return f"; it dips below both ends, to {lowest['cross_entropy']:.3f} at t = {lowest['t']:.2f}"


def _bounds(climb: dict) -> str:
    if climb["height"] == climb["lower"] == 0:
        return f"at most {_rounded_up(climb['upper'])}"
    return f"{climb['height']:.3f} ({climb['lower']:.3f} to {climb['upper']:.3f})"


def _rounded_up(height: float) -> str:
    return f"{math.ceil(height * 1000) / 1000:.3f}"


def name_of_end(end: dict) -> str:
    """An end of a path, from the settings in ``path.json``."""
    step = "initialization" if end["global_step"] == 0 else f"step {end['global_step']:,}"
    return f"{end['method']} (seed {end['seed']}, {step})"
