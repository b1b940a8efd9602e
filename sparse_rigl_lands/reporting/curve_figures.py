"""A line and fitted curves side by side, and their barriers against the steps of the fit: the paper's Figure 4."""

import pathlib
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.reporting import path_figure, pictures

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
    curves = [(title, storage.read_json(path.result), pd.read_csv(path.table)) for title, path in paths]
    results = [result for _, result, _ in curves]
    styles = _styles(title for title, result, _ in curves if _manifold(result))
    shown = [manifold for manifold in path_figure.MANIFOLDS if manifold in map(_manifold, results)]
    # 3.4 inches a panel: on a page of 900 pixels its words are still of 11 pixels.
    picture = Figure(figsize=(max(3.4 * len(shown), 5.8), 5.2), layout="constrained")
    panels = picture.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, manifold in zip(panels, shown, strict=True):
        for title, result, table in curves:
            if _manifold(result) == manifold:
                _draw_path(axes, title, result, table, styles.get(title, _LINE))
        axes.set_title(path_figure.MANIFOLDS[manifold], fontsize=11)
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
    panels[0].set_ylim(bottom=0.5 * min(table["cross_entropy"].min() for _, _, table in curves))
    _write_plainly(panels[0])
    panels[0].set_ylabel("cross-entropy (nats)")
    settings = results[0]["settings"]
    picture.supxlabel(
        f"t from 0: {path_figure.name_of_end(settings['start'])} to 1: {path_figure.name_of_end(settings['end'])}\n"
        f"{_grounds(results)}",
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
    axes.set_ylabel(f"barrier (nats), with its bounds at {rows['confidence'].iloc[0]:.0%}")
    axes.grid(alpha=0.3)
    picture.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    pictures.save(picture, figure)
    return figure


def _draw_path(axes: Axes, title: str, result: dict[str, Any], table: pd.DataFrame, style: tuple[str, str]) -> None:
    (color, mark), (line, fill) = style, _MANIFOLDS[_manifold(result)]
    t, loss = table["t"], table["cross_entropy"]
    margin = path_figure.margins(
        table["error"], result["confidence_of_each_look"], result["independent_units"]["count"]
    )
    axes.fill_between(t, loss - margin, loss + margin, color=color, alpha=0.2, linewidth=0)
    words = f"{_short(title)}: {path_figure.barrier_in_words(result)}"
    axes.plot(
        t,
        loss,
        line,
        color=color,
        marker=mark,
        fillstyle=fill,
        markersize=5,
        markevery=0.12,  # of the panel's diagonal
        label="\n".join(textwrap.fill(part, _WORDS_WIDTH) for part in words.splitlines()),
    )
    axes.plot(t.iloc[[0, -1]], loss.iloc[[0, -1]], "o", color=_ENDS, markersize=7, zorder=3)


def _manifold(result: dict[str, Any]) -> str:
    fitting = result["settings"]["fitting"]
    return fitting["manifold"] if fitting else ""


def _styles(titles: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The color and the mark of every curve: the same in all panels."""
    return {title: _CURVES[place % len(_CURVES)] for place, title in enumerate(dict.fromkeys(titles))}


def _short(title: str) -> str:
    return title.replace(" Bezier curve", "")


def _grounds(results: Sequence[dict[str, Any]]) -> str:
    """On what the curves were evaluated, and how surely; where they differ, all that holds for one of them."""

    def every(key: str, form: str) -> str:
        return " or ".join(dict.fromkeys(format(result[key], form) for result in results))

    settings = [result["settings"] for result in results]
    augmented = dict.fromkeys("augmented training" if of_one["augmented"] else "training" for of_one in settings)
    batch_norm = dict.fromkeys(of_one["batch_norm"] for of_one in settings)
    return (
        f"{every('images', ',')} {' or '.join(augmented)} images, BatchNorm: {' or '.join(batch_norm)}\n"
        f"confidence: {every('confidence', '.3g')} of the bounds, for all t at once, "
        f"{every('confidence_of_each_look', '.3g')} of the bands, for each t by itself"
    )


def _write_plainly(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
