"""Protects: Figure 4 has its panels on one scale with true words, and the barriers stand against their budgets."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from sparse_rigl_lands import files
from sparse_rigl_lands.reporting import curve_figures, pictures

_T = np.linspace(0, 1, 11)


def _path(directory, curve, manifold, barrier, losses):
    path = files.PathFiles(directory / f"{curve}_{manifold}")
    path.create()
    files.write_csv(
        path.table, [{"t": t, "cross_entropy": loss, "error": 0.01} for t, loss in zip(_T, losses, strict=True)]
    )
    end = {"workload": "digits", "method": "pruned", "seed": 0, "global_step": 2000, "digest": ""}
    settings = {"start": {**end, "method": "scratch"}, "end": end, "curve": curve, "batch_norm": "batch"}
    settings["fitting"] = {"manifold": manifold, "steps": 1200} if manifold else None
    climb = {"height": barrier, "start": 0.0, "end": 0.5, "lower": 0.8 * barrier, "upper": 1.2 * barrier}
    result = {"settings": settings, "verdict": "barrier" if barrier else "no_barrier", "barrier": climb}
    result |= {"tolerance": 0.05, "confidence": 0.95, "confidence_of_each_look": 0.95, "images": 1437}
    files.write_json(path.result, {**result, "independent_units": {"unit": "batch", "count": 12}})
    return path


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
    svg = figure[1].read_text()
    for words in (
        "barrier 4.000 (3.200 to 4.800)",
        "barrier 0.400 (0.320 to 0.480) within 1,200 steps",
        "no barrier within 1,200 steps: at most 0.000",
        "0: scratch (seed 0, step 2,000)",
        "1: pruned (seed 0, step 2,000)",
        "BatchNorm: batch",
    ):
        assert words in svg
    assert all(file.stat().st_size > 10_000 for file in figure)


def test_a_panel_without_a_path_is_left_out(paths, drawn, tmp_path):
    curve_figures.draw_figure4(paths[1:3], (tmp_path / "figure4.png",))
    assert [axes.get_title() for axes in drawn[0].axes] == ["within the sparse subspace"]


def test_bands_are_the_margins_of_each_value(paths, drawn, tmp_path):
    """2.201 standard errors for 95 % and eleven degrees of freedom."""
    curve_figures.draw_figure4(paths[:1], (tmp_path / "figure4.png",))
    (band,) = drawn[0].axes[0].collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.max() == pytest.approx(4.1 + 2.201 * 0.01, rel=1e-4)


def test_barriers_against_their_budgets(drawn, tmp_path):
    rows = [{"title": "line", "manifold": "", "steps": 0, "barrier": 4.0, "barrier_lower": 3.0, "barrier_upper": 5.0}]
    for steps, barrier in ((1200, 0.5), (300, 0.8)):
        for manifold, part in (("sparse", 1.0), ("dense", 0.0)):
            bounds = {"barrier_lower": 0.9 * part * barrier, "barrier_upper": 1.1 * part * barrier}
            rows.append(
                {
                    "title": "cubic Bezier curve",
                    "manifold": manifold,
                    "steps": steps,
                    "barrier": part * barrier,
                    **bounds,
                }
            )
    files.write_csv(tmp_path / "curves.csv", [{**row, "tolerance": 0.05} for row in rows])
    figure = tmp_path / "budgets.png", tmp_path / "budgets.svg"
    assert curve_figures.draw_budgets(tmp_path / "curves.csv", figure) == figure
    (axes,) = drawn[0].axes
    sparse, dense = (container.lines[0] for container in axes.containers)
    np.testing.assert_array_equal(sparse.get_xdata(), [300, 1200])
    np.testing.assert_array_equal(sparse.get_ydata(), [0.8, 0.5])
    np.testing.assert_array_equal(dense.get_ydata(), [0, 0])
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert set(labels) == {"line", "tolerance, 0.05", "cubic Bezier curve, sparse", "cubic Bezier curve, dense"}
    levels = {line.get_label(): line.get_ydata()[0] for line in axes.lines if line.get_label() in labels}
    assert levels == {"line": 4.0, "tolerance, 0.05": 0.05}
