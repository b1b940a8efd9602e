"""Protects: Figure 4 has its panels on one scale with true words, and the barriers stand against their budgets."""

import numpy as np
import pandas as pd
import pytest

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.finished_path import FinishedPath
from sparse_rigl_lands.reporting import curve_figures
from sparse_rigl_lands.studies.path_runs import PathRun, path_row
from tests import finished_path

_T = np.linspace(0, 1, 11)
_HUMP = np.sin(np.pi * _T)


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
def written(tmp_path):
    """A line and three curves between two solutions."""
    return _study(
        tmp_path,
        ("line", "", 4.0, 0.1 + 4.0 * _HUMP),
        ("quadratic Bezier curve", "sparse", 0.4, 0.1 + 0.4 * _HUMP),
        ("cubic Bezier curve", "sparse", 0.3, 0.1 + 0.3 * _HUMP),
        ("cubic Bezier curve", "dense", 0.0, 0.1 - 0.098 * _HUMP),
    )


def _study(directory, *paths):
    written, rows = files.CurveStudyFiles(directory), []
    for curve, manifold, barrier, losses in paths:
        _, path = _path(directory, curve, manifold, barrier, losses)
        rows.append(path_row(PathRun(path.directory.name, curve, "", 1200 if manifold else 0), path))
    storage.write_csv(written.table, rows)
    return written


def _figure4(written, of=slice(None)):
    rows = pd.read_csv(written.table, keep_default_na=False)[of]
    finished = {run: FinishedPath.read(written.path(run)) for run in rows["run"]}
    return curve_figures.figure4(rows, finished, 1200, "t", "The end.")


def test_three_panels_on_one_scale(written):
    figure = _figure4(written)
    assert [panel.title for panel in figure.panels] == [
        "straight line",
        "within the sparse subspace",
        "with every connection",
    ]
    assert figure.shares_y
    assert all(panel.log for panel in figure.panels)
    assert [[series.label for series in panel.series] for panel in figure.panels] == [
        ["line: barrier 4.000 (3.200 to 4.800)"],
        [
            "quadratic: barrier 0.400 (0.320 to 0.480)\nwithin 1,200 steps",
            "cubic: barrier 0.300 (0.240 to 0.360)\nwithin 1,200 steps",
        ],
        ["cubic: no barrier, at most 0.000\nwithin 1,200 steps, dips to 0.002"],
    ]
    (dense,) = figure.panels[2].series
    np.testing.assert_allclose(dense.y, 0.1 - 0.098 * _HUMP)
    np.testing.assert_allclose(dense.x, _T)
    assert figure.caption == (
        "On 1,437 augmented training images, BatchNorm: batch. Bands: confidence 0.975 for each t by itself. "
        "Bounds of barriers: confidence 0.95, for all t at once. Every curve was fitted in 1,200 steps. The end."
    )


def test_a_panel_without_a_path_is_left_out(written):
    assert [panel.title for panel in _figure4(written, slice(1, 3)).panels] == ["within the sparse subspace"]


def test_the_main_budget_and_the_line_are_shown(written):
    rows = pd.read_csv(written.table, keep_default_na=False)
    rows.loc[rows["manifold"] == "dense", "steps"] = 300
    rows.to_csv(written.table, index=False)
    names = [series.name for panel in _figure4(written).panels for series in panel.series]
    assert names == ["line", "quadratic Bezier curve", "cubic Bezier curve"]
    assert curve_figures.figure4(rows[rows["steps"] > 0].assign(steps=300), {}, 1200, "t", "") is None


def test_bands_are_the_margins_of_each_value(written):
    """2.593 standard errors for 97.5 % and eleven degrees of freedom, above and below."""
    (line,) = _figure4(written).panels[0].series
    np.testing.assert_allclose(np.subtract(line.upper, line.y), 2.593 * 0.01, rtol=1e-3)
    np.testing.assert_allclose(np.subtract(line.y, line.lower), 2.593 * 0.01, rtol=1e-3)


def test_a_curve_looks_the_same_wherever_it_is_and_a_manifold_needs_no_color(written):
    (line,), (quadratic, cubic), (again,) = (panel.series for panel in _figure4(written).panels)
    assert (cubic.color, cubic.symbol) == (again.color, again.symbol)
    assert len({series.color for series in (line, quadratic, cubic)}) == 3
    assert len({series.symbol for series in (line, quadratic, cubic)}) == 3
    assert (cubic.dash, again.dash) == ("solid", "dash")


def test_where_every_curve_is_there_for_several_seeds_none_tells_its_own_barrier(written):
    rows = pd.read_csv(written.table, keep_default_na=False)
    finished = {run: FinishedPath.read(written.path(run)) for run in rows["run"]}
    both = pd.concat([rows.assign(seed=0), rows.assign(seed=1)])
    figure = curve_figures.figure4(both, finished, 1200, "t", "A curve for every seed.")
    assert [[series.seed for series in panel.series] for panel in figure.panels] == [[0, 1], [0, 0, 1, 1], [0, 1]]
    assert not any(series.label or series.symbol for panel in figure.panels for series in panel.series)
    assert "Bounds of barriers" not in figure.caption


def test_no_curve_is_left_out_though_colors_run_short(tmp_path):
    many = [(f"Bezier curve of degree {n}", "dense", 0.2, 0.1 + 0 * _T) for n in range(2, 14)]
    assert len(_figure4(_study(tmp_path, *many)).panels[0].series) == 12


def test_grounds_that_differ_are_all_told(written):
    path = written.path("quadratic Bezier curve_sparse")
    storage.write_json(path.result, storage.read_json(path.result) | {"images": 400})
    assert "1,437 or 400 augmented training images" in _figure4(written).caption


def test_what_there_are_paths_for_is_drawn(written):
    assert curve_figures.draw_curves(written, 1200) == [*written.figure4]
    rows = pd.read_csv(written.table, keep_default_na=False)
    rows.loc[rows["manifold"] == "dense", "steps"] = 300
    rows.to_csv(written.table, index=False)
    assert curve_figures.draw_curves(written, 1200) == [*written.figure4, *written.budgets]
    assert all(path.stat().st_size > 10_000 for path in (*written.figure4, *written.budgets))


def test_a_barrier_outside_of_its_bounds_is_refused(written):
    rows = pd.read_csv(written.table, keep_default_na=False)
    rows.assign(barrier_lower=5.0).to_csv(written.table, index=False)
    with pytest.raises(InputError, match="curves.csv is damaged: a barrier lies outside of its bounds"):
        curve_figures.draw_curves(written, 1200)


def test_barriers_against_their_budgets():
    rows = [{"title": "line", "manifold": "", "steps": 0, "barrier": 4.0, "barrier_lower": 3.0, "barrier_upper": 5.0}]
    for steps, barrier in ((1200, 0.5), (300, 0.8)):
        for manifold, part in (("sparse", 1.0), ("dense", 0.0)):
            bounds = {"barrier_lower": 0.9 * part * barrier, "barrier_upper": 1.2 * part * barrier}
            of_curve = {"title": "cubic Bezier curve", "manifold": manifold, "steps": steps}
            rows.append({**of_curve, "barrier": part * barrier, **bounds})
    table = pd.DataFrame([{**row, "confidence": 0.95, "tolerance": 0.05} for row in rows])
    (panel,) = curve_figures.budgets(table, "From here to there.", seed=3).panels
    sparse, dense, tolerance = panel.series
    assert (sparse.name, dense.name) == ("cubic Bezier curve, sparse", "cubic Bezier curve, dense")
    assert (list(sparse.x), list(sparse.y)) == ([300, 1200], [0.8, 0.5])
    np.testing.assert_allclose([sparse.lower, sparse.upper], [[0.72, 0.45], [0.96, 0.6]])
    assert list(dense.y) == [0, 0]
    assert sparse.color != dense.color
    assert (sparse.symbol, sparse.dash, dense.dash) == (dense.symbol, "solid", "dash")
    assert (list(tolerance.x), list(tolerance.y), tolerance.label) == ([300, 1200], [0.05, 0.05], "tolerance, 0.05")
    assert [series.seed for series in panel.series] == [3, 3, None]
    assert panel.x_scale == "log"
    assert not panel.log  # a barrier may be zero
    assert curve_figures.budgets(table[table["steps"] != 300], "") is None
