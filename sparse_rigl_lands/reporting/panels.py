"""Figures as data: what is drawn, whoever draws it. On paper that is matplotlib, in the report Plotly."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

Symbol = Literal["", "o", "s", "^", "D"]

# Okabe and Ito's palette, without what is too pale on white.
COLORS = ("#0072b2", "#d55e00", "#007a5a", "#a8467f", "#444444", "#8c6d00", "#5b4fc4", "#9c2b2b")


@dataclasses.dataclass(frozen=True)
class Series:
    """A curve.

    Args:
      name: what the legend calls it; those of one name share a color, and are shown and hidden together.
      color: as a hexadecimal code.
      x, y: its points.
      lower, upper: the band around them; empty for none.
      words: what is said of every point besides its coordinates; empty for nothing.
      seed: of the runs that it is of; None where it is of several.
      marks: whether its points are marked, and whether they are joined.
      dash: how the line is drawn.
      symbol: matplotlib's, of its marks on paper: some of its points have it, by which it is known without its color.
      label: what is said of it below its panel on paper, instead of its name in the legend.
    """

    name: str
    color: str
    x: Sequence[float]
    y: Sequence[float]
    lower: Sequence[float] = ()
    upper: Sequence[float] = ()
    words: Sequence[str] = ()
    seed: int | None = None
    marks: Literal["lines", "markers", "lines+markers"] = "lines"
    dash: Literal["solid", "dash"] = "solid"
    symbol: Symbol = ""
    label: str = ""


@dataclasses.dataclass(frozen=True)
class Note:
    """Words beside a point, and perhaps an arrow that leads to it.

    Args:
      text: the words.
      x, y: of the point.
      start: where an arrow to it begins; None for none. The words then stand there.
      anchor: which side of the words is at the point.
    """

    text: str
    x: float
    y: float
    start: tuple[float, float] | None = None
    anchor: Literal["left", "right"] = "left"


@dataclasses.dataclass(frozen=True)
class Panel:
    """Curves that share their axes.

    Args:
      title: above it.
      x_label, y_label: what is on the axes, with units.
      series: the curves.
      x_scale: ``"log"`` too, or ``"density"``: logarithmic in 1 - x and growing to the right, so that 0.9, 0.99
        and 0.999 are evenly spaced.
      unit: of y, for what is said of a point; "" for none.
      log: whether y is logarithmic, or shown so at first.
      scales: whether the reader may choose between a linear and a logarithmic y.
      notes: words in it.
    """

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    x_scale: Literal["linear", "log", "density"] = "linear"
    unit: str = "nats"
    log: bool = False
    scales: bool = True
    notes: Sequence[Note] = ()


@dataclasses.dataclass(frozen=True)
class FigureData:
    """A figure of the paper, or one that belongs to it.

    Args:
      name: ``"figure3"``, as its files are called.
      title: what it shows.
      caption: how to read it, and on what grounds.
      panels: side by side.
      shares_y: whether they have one scale.
    """

    name: str
    title: str
    caption: str
    panels: Sequence[Panel]
    shares_y: bool = False
