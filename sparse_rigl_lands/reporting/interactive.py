"""Figures on a screen: what ``panels`` describes, as Plotly's charts, which can be asked for every point."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from sparse_rigl_lands.reporting.panels import FigureData, Panel, Series

_INK, _GRID = "#222222", "#dddddd"


def charts(figure: FigureData) -> list[dict[str, Any]]:
    """A chart per panel, as Plotly's JSON: ``{"data": [...], "layout": {...}}``.

    What is drawn of a series says in its ``meta`` which: name and seed, for whoever shows and hides it.
    """
    ranges = _ranges(figure) if figure.shares_y else None
    return [_chart(panel, ranges) for panel in figure.panels]


def _chart(panel: Panel, ranges: Mapping[str, list[float]] | None) -> dict[str, Any]:
    chart = go.Figure()
    for series in panel.series:
        x = [1 - value for value in series.x] if panel.x_scale == "density" else list(series.x)
        meta = {"name": series.name, "seed": series.seed}
        if len(series.lower):
            floor = _floor(panel)  # a logarithmic scale cannot show a bound below zero
            band = [*series.upper, *(max(low, floor) for low in reversed(series.lower))]
            chart.add_scatter(
                x=[*x, *reversed(x)],
                y=band,
                fill="toself",
                fillcolor=_transparent(series.color),
                line={"width": 0},
                mode="lines",
                hoverinfo="skip",
                meta=meta,
            )
        chart.add_scatter(
            x=x,
            y=list(series.y),
            mode=series.marks,
            line={"color": series.color, "width": 2, "dash": series.dash},
            marker={"color": series.color, "size": 7},
            text=list(_told(panel, series)),
            hovertemplate="%{text}<extra></extra>",
            meta=meta,
        )
    for note in panel.notes:
        arrow = note.start is not None
        ax, ay = note.start or (note.x, note.y)
        chart.add_annotation(
            text=note.text,
            x=note.x,
            y=math.log10(note.y) if panel.log else note.y,
            showarrow=arrow,
            xanchor=note.anchor,
            yanchor="bottom",
            **({"axref": "x", "ayref": "y", "ax": ax, "ay": math.log10(ay) if panel.log else ay} if arrow else {}),
        )
    chart.update_layout(
        title={"text": panel.title, "font": {"size": 15}},
        showlegend=False,
        hovermode="closest",
        height=380,
        margin={"l": 62, "r": 12, "t": 40, "b": 48},
        font={"family": "system-ui, sans-serif", "size": 13, "color": _INK},
        paper_bgcolor="white",
        plot_bgcolor="white",
        meta={"ranges": ranges, "scales": panel.scales},
    )
    chart.update_xaxes(title=panel.x_label, gridcolor=_GRID, linecolor=_INK, zeroline=False, **_x_axis(panel))
    chart.update_yaxes(
        title=panel.y_label,
        gridcolor=_GRID,
        linecolor=_INK,
        zeroline=False,
        type="log" if panel.log else "linear",
        exponentformat="none",
        dtick="D2" if panel.log else None,
        range=ranges["log" if panel.log else "linear"] if ranges else None,
    )
    return chart.to_plotly_json()


def _told(panel: Panel, series: Series) -> Iterator[str]:
    """What is said of every point."""
    head = series.name if series.seed is None else f"{series.name}, seed {series.seed}"
    x_name = panel.x_label.partition(",")[0]
    words = series.words or [""] * len(series.x)
    for x, y, more in zip(series.x, series.y, words, strict=True):
        value = f"{y:.4f} {panel.unit}".strip()
        yield "<br>".join(filter(None, [head, f"{x_name}: {x:g}", f"{value} {more}" if more else value]))


def _x_axis(panel: Panel) -> dict[str, Any]:
    if panel.x_scale == "linear":
        return {}
    values = sorted({value for series in panel.series for value in series.x})
    if panel.x_scale == "log":
        return {"type": "log", "tickvals": values, "ticktext": [f"{value:,.0f}" for value in values]}
    return {
        "type": "log",
        "autorange": "reversed",
        "tickvals": [1 - value for value in values],
        "ticktext": [f"{value:g}" for value in values],
    }


def _ranges(figure: FigureData) -> dict[str, list[float]]:
    """Of y in all panels, with room, as Plotly has it on a linear and on a logarithmic axis."""
    values = [value for panel in figure.panels for series in panel.series for value in series.y]
    lowest, highest = min(value for value in values if value > 0), max(values)
    return {
        "linear": [-0.04 * highest, 1.06 * highest],
        "log": [math.log10(0.7 * lowest), math.log10(1.4 * highest)],
    }


def _floor(panel: Panel) -> float:
    if not panel.log:
        return -math.inf
    return 0.5 * min((value for series in panel.series for value in series.y if value > 0), default=1.0)


def _transparent(color: str) -> str:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.15)"


def names_of(figure: FigureData) -> list[tuple[str, str]]:
    """The curves that can be shown and hidden, each once, with their colors."""
    return list({series.name: series.color for series in _all(figure)}.items())


def seeds_of(figure: FigureData) -> list[int]:
    """The seeds that can be shown and hidden."""
    return sorted({series.seed for series in _all(figure) if series.seed is not None})


def _all(figure: FigureData) -> Sequence[Series]:
    return [series for panel in figure.panels for series in panel.series]
