"""Protects: figures on paper show every point, band and note of their panels."""

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from sparse_rigl_lands.reporting import drawing, pictures
from sparse_rigl_lands.reporting.panels import FigureData, Note, Panel, Series


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Draws a figure of panels, and returns matplotlib's."""

    def drawn(panels, **settings):
        figures = []
        monkeypatch.setattr(pictures, "save", lambda figure, paths: figures.append(figure))
        paths = (tmp_path / "a.png",)
        assert drawing.draw(FigureData("a", "", "How to read it, Wide. " * 12, panels, **settings), paths) == paths
        return figures[0]

    return drawn


_LINE = Series("one", "#112233", (0.0, 0.5, 1.0), (1.0, 3.0, 2.0), (0.5, 2.5, 1.5), (1.5, 3.5, 2.5), seed=0)


def test_points_and_bands_are_where_the_series_has_them(drawn):
    (axes,) = drawn([Panel("title", "x", "y", [_LINE])]).axes
    assert axes.lines[0].get_xydata().tolist() == [[0.0, 1.0], [0.5, 3.0], [1.0, 2.0]]
    (band,) = axes.collections
    low, high = band.get_paths()[0].get_extents().get_points()
    assert (low.tolist(), high.tolist()) == ([0.0, 0.5], [1.0, 3.5])
    assert (axes.get_title(), axes.get_xlabel(), axes.get_ylabel()) == ("title", "x", "y")


def test_a_name_stands_once_in_the_legend(drawn):
    other = Series("two", "#445566", (0.0, 1.0), (1.0, 2.0), marks="markers")
    (axes,) = drawn([Panel("title", "x", "y", [_LINE, _LINE, other])]).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one", "two"]
    assert axes.lines[2].get_linestyle() == "None"


def test_density_grows_to_the_left_and_is_told_as_sparsity(drawn):
    series = Series("one", "#112233", (0.9, 0.99), (1.0, 2.0))
    (axes,) = drawn([Panel("title", "x", "y", [series], "density")]).axes
    np.testing.assert_allclose(axes.lines[0].get_xdata(), [0.1, 0.01])
    assert axes.get_xscale() == "log"
    left, right = axes.get_xlim()
    assert left > right
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0.9", "0.99"]


def test_a_band_that_reaches_zero_does_not_stretch_a_logarithmic_scale(drawn):
    series = Series("one", "#112233", (0.0, 1.0), (0.1, 1.0), (-0.1, 0.5), (0.2, 1.5))
    (axes,) = drawn([Panel("title", "x", "y", [series], log=True)]).axes
    assert axes.get_yscale() == "log"
    assert axes.get_ylim()[0] == pytest.approx(0.07)


def test_panels_may_share_their_scale(drawn):
    low = Series("two", "#445566", (0.0, 1.0), (0.0, 0.1))
    panels = [Panel("a", "x", "y", [_LINE]), Panel("b", "x", "y", [low])]
    left, right = drawn(panels, shares_y=True).axes
    assert left.get_ylim() == right.get_ylim()
    assert right.get_ylabel() == ""
    left, right = drawn(panels).axes
    assert left.get_ylim() != right.get_ylim()


@pytest.mark.parametrize("log", [False, True])
def test_a_shared_scale_shows_all_of_every_panel(drawn, log):
    """Also where neither the first panel nor the last has the highest and the lowest."""
    ranges = ((1.0, 2.0), (0.01, 9.0), (0.5, 1.0))
    panels = [Panel("a", "x", "y", [Series("one", "#112233", (0.0, 1.0), values)], log=log) for values in ranges]
    for axes in drawn(panels, shares_y=True).axes:
        bottom, top = axes.get_ylim()
        assert bottom < 0.01
        assert top > 9.0


def test_notes_stand_at_their_points(drawn):
    notes = [Note("here", 0.5, 3.0), Note("there", 1.0, 2.0, start=(0.2, 1.5))]
    (axes,) = drawn([Panel("a", "x", "y", [_LINE], notes=notes)]).axes
    assert [(note.get_text(), note.xy) for note in axes.texts] == [("here", (0.5, 3.0)), ("there", (1.0, 2.0))]
    assert axes.texts[0].arrow_patch is None
    assert axes.texts[1].arrow_patch is not None


def test_labels_are_below_their_panel_and_within_the_picture(drawn):
    """No panel gives way to its words, and none of them covers a curve."""
    words = "polygonal chain of 2 segments: barrier 0.200 (0.160 to 0.240)\nwithin 1,200 steps, undecided"
    panels = [
        Panel(str(count), "x", "y", [Series(str(n), "#112233", (0, 1), (1, 2), label=words) for n in range(count)])
        for count in (1, 3, 2)
    ]
    figure = drawn(panels, shares_y=True)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    boxes = [axes.get_legend().get_window_extent(renderer) for axes in figure.axes]
    for axes, box in zip(figure.axes, boxes, strict=True):
        assert box.y1 < axes.xaxis.get_tightbbox(renderer).y0  # the numbers of the axis, and its label
    assert all(left.x1 <= right.x0 for left, right in itertools.pairwise(boxes))
    assert figure.bbox.x0 <= boxes[0].x0 < boxes[-1].x1 <= figure.bbox.x1
    widths = [axes.get_window_extent(renderer).width for axes in figure.axes]
    assert widths == pytest.approx([widths[0]] * 3, rel=0.02)
    assert sum(widths) > 0.8 * figure.bbox.width


def test_a_curve_of_many_points_has_its_symbol_now_and_then(drawn):
    t = np.linspace(0, 1, 51)
    solid = Series("one", "#112233", t, t, symbol="s")
    dashed = Series("two", "#112233", t, 1 - t, symbol="s", dash="dash")
    (axes,) = drawn([Panel("a", "x", "y", [solid, dashed])]).axes
    assert [line.get_marker() for line in axes.lines] == ["s", "s"]
    assert [line.get_fillstyle() for line in axes.lines] == ["full", "none"]
    assert [line.is_dashed() for line in axes.lines] == [False, True]
    assert all(line.get_markevery() is not None for line in axes.lines)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_caption_is_whole(drawn, count):
    figure = drawn([Panel("a", "x", "y", [_LINE])] * count)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    (caption,) = (text for text in figure.texts if text.get_text().startswith("How to read it"))
    box = caption.get_window_extent(renderer)
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert box.width > 0.6 * figure.bbox.width
    assert figure.bbox.y0 <= box.y0
