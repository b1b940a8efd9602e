"""Figures on paper: what ``panels`` describes, drawn by matplotlib."""

import pathlib
import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
from matplotlib.transforms import ScaledTranslation

from sparse_rigl_lands.reporting import pictures
from sparse_rigl_lands.reporting.panels import FigureData, Panel, Series

_LINES = {"solid": "-", "dash": "--"}
_WIDTH = 3.9  # inches of a panel
_CHARACTERS_PER_INCH = 14  # of the caption below
_CHARACTERS_OF_LABEL = 41  # below a panel
_BELOW_PANEL = 0.48  # inches to where labels begin: the numbers of x and what they are stand above them
_DIAGONAL_BETWEEN_SYMBOLS = 0.12  # of a panel


def draw(figure: FigureData, paths: tuple[pathlib.Path, ...]) -> tuple[pathlib.Path, ...]:
    """Draws a figure.

    Args:
      figure: what is drawn.
      paths: the files to write, in the format of each one's suffix.

    Returns:
      The files written.
    """
    count = len(figure.panels)
    width = max(_WIDTH * count, 6.4)
    picture = Figure(figsize=(width, 5.0), layout="constrained")
    for axes, panel in zip(
        picture.subplots(1, count, sharey=figure.shares_y, squeeze=False)[0], figure.panels, strict=True
    ):
        _draw_panel(picture, axes, panel)
    shared = [series for panel in figure.panels for series in panel.series] if figure.shares_y else []
    for axes, panel in zip(picture.axes, figure.panels, strict=True):  # after all of what one scale must show
        _scale(axes, panel, shared or panel.series)
    if figure.shares_y:  # the panels to the right repeat neither label nor numbers
        for axes in picture.axes[1:]:
            axes.set_ylabel("")
    picture.supxlabel(textwrap.fill(figure.caption, round(_CHARACTERS_PER_INCH * width)), fontsize=9)
    pictures.save(picture, paths)
    return paths


def _draw_panel(picture: Figure, axes: Axes, panel: Panel) -> None:
    named: set[str] = set()
    below = any(series.label for series in panel.series)
    for series in panel.series:
        x = _places(panel, series.x)
        if len(series.lower):
            axes.fill_between(x, series.lower, series.upper, color=series.color, alpha=0.15, linewidth=0)
        axes.plot(
            x,
            series.y,
            color=series.color,
            linestyle="" if series.marks == "markers" else _LINES[series.dash],
            linewidth=1.4,
            marker=series.symbol or ("" if series.marks == "lines" else "."),
            fillstyle="none" if series.symbol and series.dash == "dash" else "full",
            markersize=5,
            markevery=_DIAGONAL_BETWEEN_SYMBOLS if series.marks == "lines" else None,
            label=None if series.name in named else _wrapped(series.label) or series.name,
        )
        named.add(series.name)
    for note in panel.notes:
        axes.annotate(
            note.text,
            (note.x, note.y),
            note.start or (6 if note.anchor == "left" else -6, 6),
            textcoords="data" if note.start else "offset points",
            arrowprops={"arrowstyle": "->", "color": "#444444"} if note.start else None,
            horizontalalignment=note.anchor,
            fontsize=9,
        )
    axes.set_title(panel.title, fontsize=11)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    axes.grid(alpha=0.3)
    if below:
        lower = ScaledTranslation(0, -_BELOW_PANEL, picture.dpi_scale_trans)
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(-0.03, 0),
            bbox_transform=axes.transAxes + lower,
            ncols=1 if panel.title else 2,
            frameon=False,
            fontsize=9,
            borderaxespad=0,
        )
    elif len(named) > 1 or not panel.title:
        axes.legend(frameon=False, fontsize=9)


def _wrapped(label: str) -> str:
    return "\n".join(textwrap.fill(line, _CHARACTERS_OF_LABEL) for line in label.splitlines())


def _places(panel: Panel, x: Sequence[float]) -> list[float]:
    return [1 - value for value in x] if panel.x_scale == "density" else list(x)


def _scale(axes: Axes, panel: Panel, shown: Sequence[Series]) -> None:
    """Gives a panel its scales; the series are all that share that of y."""
    if panel.log:
        axes.set_yscale("log", nonpositive="clip")
        axes.set_ylim(bottom=0.7 * _lowest(shown))  # a band that reaches zero leaves the picture
        plain = FuncFormatter(lambda y, _: f"{y:g}")
        axes.yaxis.set_major_formatter(plain)
        axes.yaxis.set_minor_formatter(plain if _spans_little(axes) else NullFormatter())
    if panel.x_scale == "linear":
        return
    axes.set_xscale("log")
    values = sorted({value for series in panel.series for value in series.x})
    axes.xaxis.set_major_locator(FixedLocator(_places(panel, values)))
    form = (lambda x, _: f"{1 - x:g}") if panel.x_scale == "density" else (lambda x, _: f"{x:,.0f}")
    axes.xaxis.set_major_formatter(FuncFormatter(form))
    axes.xaxis.set_minor_locator(NullLocator())
    if panel.x_scale == "density":
        axes.invert_xaxis()


def _spans_little(axes: Axes) -> bool:
    """Whether there are too few powers of ten to read the scale by them."""
    low, high = axes.get_ylim()
    return high < 30 * low


def _lowest(series: Sequence[Series]) -> float:
    return min(value for each in series for value in each.y if value > 0)
