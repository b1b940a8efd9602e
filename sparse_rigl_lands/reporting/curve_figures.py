"""A line and fitted curves side by side, and their barriers against the steps of the fit: the paper's Figure 4."""

import pathlib
import textwrap
from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.finished_path import FinishedPath
from sparse_rigl_lands.reporting import path_words, pictures, words
from sparse_rigl_lands.studies.path_runs import PathRunRow

# A curve has its color, of Okabe and Ito's palette, and its mark; a manifold has its line, and fills the mark or not.
_CURVES = (("#0072b2", "o"), ("#d55e00", "s"), ("#009e73", "^"), ("#cc79a7", "D"))
_MANIFOLDS = {"": ("-", "full"), "sparse": ("-", "full"), "dense": ("--", "none")}
_LINE, _ENDS = ("#444444", ""), "black"
_WORDS_WIDTH = 41  # characters of the words under a panel, which fit its width
_APART = 1.05  # the factor in steps from one curve's marks to the next one's, so that none covers another


def draw_figure4(
    paths: Sequence[tuple[str, files.PathFiles]], figure: tuple[pathlib.Path, ...]
) -> tuple[pathlib.Path, ...]:
    """Draws the loss along the line, along the sparse curves and along the dense ones, on one scale.

    Args:
      paths: finished ones between the same two points, at least one, with their titles.
      figure: the files to write.

    Returns:
      The files written.
    """
    curves = [(title, FinishedPath.read(path)) for title, path in paths]
    styles = _styles(title for title, curve in curves if curve.manifold)
    shown = [manifold for manifold in path_words.MANIFOLDS if any(curve.manifold == manifold for _, curve in curves)]
    # 3.4 inches a panel: on a page of 900 pixels its words are still of 11 pixels.
    picture = Figure(figsize=(max(3.4 * len(shown), 5.8), 5.2), layout="constrained")
    panels = picture.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, manifold in zip(panels, shown, strict=True):
        for title, curve in curves:
            if curve.manifold == manifold:
                _draw_curve(axes, title, curve, styles.get(title, _LINE))
        axes.set_title(path_words.MANIFOLDS[manifold], fontsize=11)
        axes.grid(alpha=0.3)
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(-0.03, -0.08),
            frameon=False,
            fontsize=9,
            borderaxespad=0,
            borderpad=0.2,
            handlelength=1.8,
            handletextpad=0.5,
        )
    # On a linear scale that has room for the line's barrier, of 4 nats, dense curves that dip from 0.1 to 0.002 lie
    # on the axis. A logarithmic one ends below what was estimated: a band that reaches zero leaves the picture.
    panels[0].set_yscale("log", nonpositive="clip")
    panels[0].set_ylim(bottom=0.5 * min(curve.table["cross_entropy"].min() for _, curve in curves))
    _write_plainly(panels[0])
    panels[0].set_ylabel("cross-entropy (nats)")
    results = [curve.result for _, curve in curves]
    start, end = (path_words.name_of_end(results[0]["settings"][name]) for name in ("start", "end"))
    picture.supxlabel(
        f"t from 0: {start} to 1: {end}\n{path_words.grounds(results)}\n{_confidences(results)}",
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

    Raises:
      InputError: the table is damaged.
    """
    rows = storage.read_table(table, PathRunRow)
    if not rows["barrier"].between(rows["barrier_lower"], rows["barrier_upper"]).all():
        raise InputError(f"{table} is damaged: a barrier lies outside of its bounds")
    fitted, tolerance = rows[rows["steps"] > 0], rows["tolerance"].iloc[0]
    styles, budgets = _styles(fitted["title"]), sorted(set(fitted["steps"]))
    picture = Figure(figsize=(7.2, 5.0), layout="constrained")
    axes = picture.subplots()
    for _, run in rows[rows["steps"] == 0].iterrows():
        axes.axhspan(run["barrier_lower"], run["barrier_upper"], color=_LINE[0], alpha=0.2, linewidth=0)
        axes.axhline(run["barrier"], color=_LINE[0], linewidth=1, label=f"{run['title']}, not fitted")
    kinds = fitted.groupby(["title", "manifold"], sort=False)
    for place, ((title, manifold), runs) in enumerate(kinds):
        runs = runs.sort_values("steps")
        below, above = runs["barrier"] - runs["barrier_lower"], runs["barrier_upper"] - runs["barrier"]
        (color, mark), (line, fill) = styles[title], _MANIFOLDS[manifold]
        axes.errorbar(
            runs["steps"] * _APART ** (place - (len(kinds) - 1) / 2),
            runs["barrier"],
            [below, above],
            color=color,
            linestyle=line,
            marker=mark,
            fillstyle=fill,
            capsize=3,
            clip_on=False,  # marks at zero are whole
            label=f"{title}, {manifold}",
        )
    axes.axhline(tolerance, color="black", linestyle=(0, (6, 4)), linewidth=1, label=f"tolerance, {tolerance:g}")
    axes.set_xscale("log")
    axes.set_xticks(budgets, [f"{steps:,}" for steps in budgets])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_yscale("symlog", linthresh=tolerance or 0.01)  # a barrier may be zero
    axes.set_ylim(0, 1.5 * max(rows["barrier_upper"].max(), tolerance or 0.01))
    _write_plainly(axes)
    axes.set_xlabel("steps of the fit" + (", the curves of a budget side by side" if len(kinds) > 1 else ""))
    axes.set_ylabel(f"barrier (nats), with its bounds at {words.percent(rows['confidence'].iloc[0])}")
    axes.grid(alpha=0.3)
    picture.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    pictures.save(picture, figure)
    return figure


def _draw_curve(axes: Axes, title: str, curve: FinishedPath, style: tuple[str, str]) -> None:
    (color, mark), (line, fill) = style, _MANIFOLDS[curve.manifold]
    t, loss, margin = curve.table["t"], curve.table["cross_entropy"], curve.margin
    axes.fill_between(t, loss - margin, loss + margin, color=color, alpha=0.2, linewidth=0)
    barrier = f"{_short(title)}: {path_words.barrier_in_words(curve.result)}"
    axes.plot(
        t,
        loss,
        line,
        color=color,
        marker=mark,
        fillstyle=fill,
        markersize=5,
        markevery=0.12,  # of the panel's diagonal
        label="\n".join(textwrap.fill(part, _WORDS_WIDTH) for part in barrier.splitlines()),
    )
    axes.plot(t.iloc[[0, -1]], loss.iloc[[0, -1]], "o", color=_ENDS, markersize=7, zorder=3)


def _styles(titles: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The color and the mark of every curve: the same in all panels."""
    return {title: _CURVES[place % len(_CURVES)] for place, title in enumerate(dict.fromkeys(titles))}


def _short(title: str) -> str:
    return title.replace(" Bezier curve", "")


def _confidences(results: Sequence[dict]) -> str:
    bounds, bands = (
        words.alternatives(f"{result[name]:.3g}" for result in results)
        for name in ("confidence", "confidence_of_each_look")
    )
    return f"confidence: {bounds} of the bounds, for all t at once, {bands} of the bands, for each t by itself"


def _write_plainly(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
