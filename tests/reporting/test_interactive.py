"""Protects: figures on a screen show the same points as on paper, and say what each is."""

import math

import numpy as np
import pytest

from sparse_rigl_lands.reporting.interactive import charts, names_of, seeds_of
from sparse_rigl_lands.reporting.panels import FigureData, Note, Panel, Series

_LINE = Series("S-I to P-S", "#112233", (0.0, 0.5), (2.0, 0.25), (1.5, -0.5), (2.5, 1.0), ("± 0.5", "± 0.75"), seed=3)


def _figure(*panels, **settings):
    return FigureData("figure3", "title", "caption", panels, **settings)


def _chart(panel, **settings):
    (chart,) = charts(_figure(panel, **settings))
    return chart


def test_every_point_says_what_it_is():
    band, line = _chart(Panel("a", "t, from S-I to P-S", "y", [_LINE]))["data"]
    assert (list(line["x"]), list(line["y"])) == ([0.0, 0.5], [2.0, 0.25])
    assert list(line["text"]) == [
        "S-I to P-S, seed 3<br>t: 0<br>2.0000 nats ± 0.5",
        "S-I to P-S, seed 3<br>t: 0.5<br>0.2500 nats ± 0.75",
    ]
    assert band["hoverinfo"] == "skip"
    assert band["meta"] == line["meta"] == {"name": "S-I to P-S", "seed": 3}


@pytest.mark.parametrize("log", [False, True])
def test_a_band_goes_around_its_line(log):
    band, _ = _chart(Panel("a", "t", "y", [_LINE], log=log))["data"]
    assert list(band["x"]) == [0.0, 0.5, 0.5, 0.0]
    lowest = 0.125 if log else -0.5  # half of the lowest point, where a logarithm has no place for less than zero
    assert list(band["y"]) == [2.5, 1.0, lowest, 1.5]


def test_the_mean_of_seeds_has_no_seed():
    mean = Series("pruned", "#112233", (0.9, 0.99), (0.5, 0.25), words=("mean of 3 runs", "one run"))
    (line,) = _chart(Panel("a", "sparsity", "y", [mean], "density", ""))["data"]
    assert next(iter(line["text"])) == "pruned<br>sparsity: 0.9<br>0.5000 mean of 3 runs"
    np.testing.assert_allclose(line["x"], [0.1, 0.01])


def test_density_is_told_as_sparsity():
    series = Series("one", "#112233", (0.9, 0.99), (1.0, 2.0))
    axis = _chart(Panel("a", "x", "y", [series], "density"))["layout"]["xaxis"]
    assert (axis["type"], axis["autorange"]) == ("log", "reversed")
    assert list(axis["ticktext"]) == ["0.9", "0.99"]
    np.testing.assert_allclose(axis["tickvals"], [0.1, 0.01])


def test_shared_scales_hold_all_points_of_all_panels_on_either_scale():
    low = Series("two", "#445566", (0.0, 1.0), (0.001, 0.1))
    figure = _figure(Panel("a", "t", "y", [_LINE], log=True), Panel("b", "t", "y", [low], log=True), shares_y=True)
    first, second = (chart["layout"] for chart in charts(figure))
    assert first["yaxis"]["range"] == second["yaxis"]["range"] == first["meta"]["ranges"]["log"]
    for kind, value in (("linear", lambda y: y), ("log", math.log10)):
        bottom, top = first["meta"]["ranges"][kind]
        assert all(bottom < value(y) < top for y in (0.001, 0.1, 0.25, 2.0))


@pytest.mark.parametrize("scales", [True, False])
def test_a_panel_says_whether_its_scale_is_chosen(scales):
    assert _chart(Panel("a", "t", "y", [_LINE], scales=scales))["layout"]["meta"]["scales"] == scales


@pytest.mark.parametrize("log", [False, True])
def test_notes_are_placed_in_the_terms_of_the_axis(log):
    notes = [Note("here", 0.5, 0.1), Note("there", 0.5, 0.1, start=(0.2, 10.0), anchor="right")]
    here, there = _chart(Panel("a", "t", "y", [_LINE], log=log, notes=notes))["layout"]["annotations"]
    assert (here["text"], here["x"], here["showarrow"]) == ("here", 0.5, False)
    assert here["y"] == pytest.approx(-1 if log else 0.1)
    assert (there["ax"], there["ay"]) == pytest.approx((0.2, 1 if log else 10.0))


def test_what_can_be_shown_and_hidden():
    others = [Series("S-I to P-S", "#112233", (0.0,), (1.0,), seed=1), Series("mean", "#000000", (0.0,), (1.0,))]
    figure = _figure(Panel("a", "t", "y", [_LINE]), Panel("b", "t", "y", others))
    assert names_of(figure) == [("S-I to P-S", "#112233"), ("mean", "#000000")]
    assert seeds_of(figure) == [1, 3]
