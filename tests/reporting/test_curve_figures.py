"""Protects: Figure 4 has its panels on one scale with true words, and the barriers stand against their budgets."""

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.reporting import curve_figures, pictures
from tests import finished_path

_T = np.linspace(0, 1, 11)


def _path(directory, curve, manifold, barrier, losses):
    path = files.PathFiles(directory / f"{curve}_{manifold}")
    climb = finished_path.climb(barrier, 0.0, 0.5, 0.8 * barrier, 1.2 * barrier)
    lowest = min(losses)
    finished_path.write(
        path,
        losses,
        curve,
        {"manifold": manifold, "steps": 1200} if manifold else None,
        settings={"start": finished_path.origin("scratch")},
        verdict="barrier" if barrier else "no_barrier",
        barrier=climb,
        largest_rise=climb,
        lowest={"t": 0.5, "cross_entropy": lowest, "below_both_ends": bool(lowest < losses[0])},
        confidence_of_each_look=0.975,
    )
    return curve, path


@pytest.fixture
def paths(tmp_path):
    hump = np.sin(np.pi * _T)
    return [
        _path(tmp_path, "line", "", 4.0, 0.1 + 4.0 * hump),
        _path(tmp_path, "quadratic Bezier curve", "sparse", 0.4, 0.1 + 0.4 * hump),
        _path(tmp_path, "cubic Bezier curve", "sparse", 0.3, 0.1 + 0.3 * hump),
        _path(tmp_path, "cubic Bezier curve", "dense", 0.0, 0.1 - 0.098 * hump),
    ]


@pytest.fixture
def drawn(monkeypatch):
    """The figures, before they become pictures."""
    figures: list[Figure] = []
    save = pictures.save

    def keep(figure, paths):
        figures.append(figure)
        save(figure, paths)

    monkeypatch.setattr(pictures, "save", keep)
    return figures


def test_three_panels_on_one_scale(paths, drawn, tmp_path):
    figure = tmp_path / "figure4.png", tmp_path / "figure4.svg"
    assert curve_figures.draw_figure4(paths, figure) == figure
    panels = drawn[0].axes
    titles = [axes.get_title() for axes in panels]
    assert titles == ["straight line", "within the sparse subspace", "with every connection"]
    assert len({axes.get_ylim() for axes in panels}) == 1
    assert [len(axes.collections) for axes in panels] == [1, 2, 1]  # a band for every curve
    curve, ends = panels[2].lines
    np.testing.assert_allclose(curve.get_ydata(), 0.1 - 0.098 * np.sin(np.pi * _T))
    np.testing.assert_allclose(ends.get_xdata(), [0, 1])
    words = [[text.get_text() for text in axes.get_legend().get_texts()] for axes in panels]
    assert words == [
        ["line: barrier 4.000 (3.200 to 4.800)"],
        [
            "quadratic: barrier 0.400 (0.320 to 0.480)\nwithin 1,200 steps",
            "cubic: barrier 0.300 (0.240 to 0.360)\nwithin 1,200 steps",
        ],
        ["cubic: no barrier, at most 0.000\nwithin 1,200 steps, dips to 0.002"],
    ]
    assert drawn[0].get_supxlabel() == (
        "t from 0: scratch (seed 0, step 2,000) to 1: pruned (seed 0, step 2,000)\n"
        "1,437 augmented training images, BatchNorm: batch\n"
        "confidence: 0.95 of the bounds, for all t at once, 0.975 of the bands, for each t by itself"
    )
    assert all(file.stat().st_size > 10_000 for file in figure)


def test_a_panel_without_a_path_is_left_out(paths, drawn, tmp_path):
    curve_figures.draw_figure4(paths[1:3], (tmp_path / "figure4.png",))
    assert [axes.get_title() for axes in drawn[0].axes] == ["within the sparse subspace"]


def test_bands_are_the_margins_of_each_value(paths, drawn, tmp_path):
    """2.593 standard errors for 97.5 % and eleven degrees of freedom, above and below."""
    curve_figures.draw_figure4(paths[:1], (tmp_path / "figure4.png",))
    (band,) = drawn[0].axes[0].collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.max() == pytest.approx(4.1 + 2.593 * 0.01, rel=1e-4)
    assert heights.min() == pytest.approx(0.1 - 2.593 * 0.01, rel=1e-3)


def test_a_band_that_reaches_zero_leaves_the_picture(paths, drawn, tmp_path):
    """Its lower bound is not made up; all that was estimated is on the scale."""
    curve_figures.draw_figure4(paths, (tmp_path / "figure4.png",))
    dense = drawn[0].axes[2]
    bottom, _ = dense.get_ylim()
    assert dense.get_yscale() == "log"
    assert dense.collections[0].get_paths()[0].vertices[:, 1].min() < 0
    assert 0 < bottom < min(dense.lines[0].get_ydata())


def test_a_curve_looks_the_same_wherever_it_is_and_a_manifold_needs_no_color(paths, drawn, tmp_path):
    curve_figures.draw_figure4(paths, (tmp_path / "figure4.png",))
    line, sparse, dense = drawn[0].axes
    quadratic, _, cubic, _ = sparse.lines
    (again, _), (straight, _) = dense.lines, line.lines
    assert (cubic.get_color(), cubic.get_marker()) == (again.get_color(), again.get_marker())
    assert len({curve.get_color() for curve in (straight, quadratic, cubic)}) == 3
    assert len({curve.get_marker() for curve in (straight, quadratic, cubic)}) == 3
    assert cubic.get_linestyle() != again.get_linestyle()
    assert cubic.get_fillstyle() != again.get_fillstyle()


def test_a_barrier_outside_of_its_bounds_is_refused(tmp_path):
    row = {"title": "cubic Bezier curve", "manifold": "dense", "steps": 300, "confidence": 0.95, "tolerance": 0.05}
    bounds = {"barrier": 0.1, "barrier_lower": 0.2, "barrier_upper": 0.3}
    storage.write_csv(tmp_path / "curves.csv", [{**row, **bounds}])
    with pytest.raises(InputError, match="curves.csv is damaged: a barrier lies outside of its bounds"):
        curve_figures.draw_budgets(tmp_path / "curves.csv", (tmp_path / "budgets.png",))


def test_no_curve_is_left_out_though_styles_run_short(drawn, tmp_path):
    paths = [_path(tmp_path, f"Bezier curve of degree {n}", "dense", 0.2, 0.1 + 0 * _T) for n in range(2, 8)]
    curve_figures.draw_figure4(paths, (tmp_path / "figure4.png",))
    assert len(drawn[0].axes[0].collections) == 6


def test_words_are_below_their_panel_and_within_the_picture(paths, drawn, tmp_path):
    long_words = _path(tmp_path, "polygonal chain of 2 segments", "sparse", 0.2, 0.1 + 0 * _T)
    curve_figures.draw_figure4([*paths, long_words], (tmp_path / "figure4.png",))
    (figure,) = drawn
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    boxes = [axes.get_legend().get_window_extent(renderer) for axes in figure.axes]
    for axes, box in zip(figure.axes, boxes, strict=True):
        assert box.y1 < axes.get_window_extent(renderer).y0
    assert all(left.x1 <= right.x0 for left, right in itertools.pairwise(boxes))
    assert figure.bbox.x0 <= boxes[0].x0 < boxes[-1].x1 <= figure.bbox.x1
    widths = [axes.get_window_extent(renderer).width for axes in figure.axes]
    assert widths == pytest.approx([widths[0]] * 3, rel=0.02)
    assert sum(widths) > 0.8 * figure.bbox.width  # no panel gives way to its words


def test_grounds_that_differ_are_all_told(paths, drawn, tmp_path):
    _, path = paths[1]
    storage.write_json(path.result, storage.read_json(path.result) | {"images": 400})
    curve_figures.draw_figure4(paths, (tmp_path / "figure4.png",))
    assert "1,437 or 400 augmented training images" in drawn[0].get_supxlabel()


def test_barriers_against_their_budgets(drawn, tmp_path):
    rows = [{"title": "line", "manifold": "", "steps": 0, "barrier": 4.0, "barrier_lower": 3.0, "barrier_upper": 5.0}]
    for steps, barrier in ((1200, 0.5), (300, 0.8)):
        for manifold, part in (("sparse", 1.0), ("dense", 0.0)):
            bounds = {"barrier_lower": 0.9 * part * barrier, "barrier_upper": 1.2 * part * barrier}
            rows.append(
                {
                    "title": "cubic Bezier curve",
                    "manifold": manifold,
                    "steps": steps,
                    "barrier": part * barrier,
                    **bounds,
                }
            )
    storage.write_csv(tmp_path / "curves.csv", [{**row, "confidence": 0.95, "tolerance": 0.05} for row in rows])
    figure = tmp_path / "budgets.png", tmp_path / "budgets.svg"
    assert curve_figures.draw_budgets(tmp_path / "curves.csv", figure) == figure
    (axes,) = drawn[0].axes
    sparse, dense = (container.lines[0] for container in axes.containers)
    places = np.array([sparse.get_xdata(), dense.get_xdata()], np.float64)
    np.testing.assert_allclose(np.sqrt(places.prod(0)), [300, 1200])  # side by side, around the budget
    assert (places[0] < places[1]).all()
    assert (np.abs(places / [300, 1200] - 1) < 0.03).all()
    assert [text.get_text() for text in axes.get_xticklabels()] == ["300", "1,200"]
    assert axes.get_xscale() == "log"
    np.testing.assert_array_equal(sparse.get_ydata(), [0.8, 0.5])
    bars = [segment[:, 1] for segment in axes.containers[0].lines[2][0].get_segments()]
    np.testing.assert_allclose(bars, [[0.72, 0.96], [0.45, 0.6]])
    np.testing.assert_array_equal(dense.get_ydata(), [0, 0])
    labels = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    curves = {f"cubic Bezier curve, {manifold}" for manifold in ("sparse", "dense")}
    assert set(labels) == {"line, not fitted", "tolerance, 0.05", *curves}
    assert sparse.get_linestyle() != dense.get_linestyle()
    assert axes.get_ylim()[1] > 5.0  # the upper bound of the line's barrier
    levels = {line.get_label(): line.get_ydata()[0] for line in axes.lines if line.get_label() in labels}
    assert levels == {"line, not fitted": 4.0, "tolerance, 0.05": 0.05}
    dashed = {line.get_label(): line.is_dashed() for line in axes.lines if line.get_label() in levels}
    assert dashed == {"line, not fitted": False, "tolerance, 0.05": True}
    (band,) = axes.patches  # of the line's barrier
    bounds = band.get_extents().transformed(axes.transData.inverted()).intervaly
    np.testing.assert_allclose(bounds, [3.0, 5.0])
