"""Protects: the picture of a path is made whole, is reproducible, and its words are true."""

import re

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.reporting import path_figure, pictures


def _climb(height, start=0.0, end=0.0, lower=0.0, upper=None):
    return {"height": height, "start": start, "end": end, "lower": lower, "upper": height if upper is None else upper}


def _path(directory, losses=(2.3, 2.4, 0.1), fitting=None):
    path = files.PathFiles(directory)
    path.create()
    rows = [
        {"t": k / 2, "cross_entropy": loss, "error": 0.1, "smoothed_cross_entropy": loss + 0.1}
        for k, loss in enumerate(losses)
    ]
    storage.write_csv(path.table, rows)
    end = {"workload": "digits", "method": "pruned", "seed": 0, "global_step": 0, "digest": ""}
    settings = {"start": end, "end": {**end, "global_step": 2000}, "curve": "line", "label_smoothing": 0.1}
    settings |= {"fitting": fitting}
    settings |= {"augmented": True, "mask": "end", "batch_norm": "batch", "confidence": 0.95}
    result = _result("barrier", _climb(0.1, 0.0, 0.5), _climb(0.1, 0.0, 0.5, 0.06, 0.14), fitting)
    result |= {
        "settings": settings,
        "confidence_of_each_look": 0.95,
        "independent_units": {"unit": "batch", "count": 9},
    }
    storage.write_json(path.result, result)
    return path


def _result(verdict, rise, barrier, fitting=None, lowest=0.1, dips=False):
    judged = {"verdict": verdict, "largest_rise": rise, "barrier": barrier}
    judged |= {"tolerance": 0.05, "confidence": 0.95, "images": 1437, "settings": {"fitting": fitting}}
    return {**judged, "lowest": {"t": 0.3, "cross_entropy": lowest, "below_both_ends": dips}}


def test_png_and_svg_are_drawn_and_reproducible(tmp_path):
    first, second = (path_figure.draw_path(_path(tmp_path / name)) for name in ("first", "second"))
    for file, again in zip(first, second, strict=True):
        assert file.read_bytes() == again.read_bytes()
        assert file.stat().st_size > 10_000
    assert first[0].read_bytes().startswith(b"\x89PNG")
    svg = first[1].read_text()
    names = "pruned (seed 0, initialization)", "pruned (seed 0, step 2,000)"
    for words in (*names, "smoothed", "0.95 interval of each value", "0.100"):
        assert words in svg
    assert not list(tmp_path.rglob("*.partial*"))


def test_margins_are_students():
    """A table of t says 2.306 for 95 % and eight degrees of freedom."""
    np.testing.assert_allclose(path_figure.margins(np.array([0.1, 0.0]), 0.95, units=9), [0.2306, 0.0], atol=1e-5)


@pytest.mark.parametrize(
    ("verdict", "rise", "barrier", "words"),
    [
        ("monotone", _climb(0.0, upper=0.0101), _climb(0.0), "Monotone: the loss rises by at most 0.011; "),
        ("monotone", _climb(0.02, lower=0.01, upper=0.03), _climb(0.0), "Monotone: .* by 0.020 .0.010 to 0.030.; "),
        (
            "barrier",
            _climb(2.0, 0.0, 0.5),
            _climb(1.5, 0.0, 0.5, 1.4, 1.6),
            "A barrier of 1.500 .1.400 to 1.600. above the higher end, at t = 0.50; ",
        ),
        (
            "no_barrier",
            _climb(0.2, 0.4, 0.6, 0.1, 0.3),
            _climb(0.0, upper=0.02),
            "No barrier, at most 0.020, but the loss rises by 0.200 .0.100 to 0.300. from t = 0.40 to 0.60; ",
        ),
        (
            "undecided",
            _climb(0.06, upper=0.13),
            _climb(0.04, lower=0.01, upper=0.06),
            "Undecided: the largest rise is 0.060 .0.000 to 0.130., the barrier 0.040 .0.010 to 0.060.; ",
        ),
        (
            "undecided",
            _climb(0.04, 0.5, 1.0, 0.01, 0.07),
            _climb(0.0, upper=0.01),
            "No barrier, at most 0.010; a rise is undecided: 0.040 .0.010 to 0.070. from t = 0.50 to 1.00; ",
        ),
    ],
)
def test_words_of_a_path(verdict, rise, barrier, words):
    found = path_figure.describe_path(_result(verdict, rise, barrier))
    assert re.match(words, found)
    assert found.endswith("; tolerance 0.05, 95% confidence, 1,437 images.")


def test_words_of_the_ends():
    own = {"cross_entropy": 0.04321}
    result = {"ends_under_their_own_statistics_and_mask": {"start": own, "end": None}}
    result["ends_on_the_path"] = {"start": 2.3, "end": 1.0}
    assert path_figure.describe_ends(result) == [
        "start: cross-entropy 2.3000 on the path, 0.0432 by its own statistics and mask",
        "end: a control point of a fitted curve, without statistics of its own",
    ]
    result["ends_on_the_path"]["start"] = None
    assert path_figure.describe_ends(result)[0].startswith("start: cross-entropy not on the path, 0.0432")


@pytest.mark.parametrize(
    ("verdict", "barrier", "words", "few_words"),
    [
        (
            "barrier",
            _climb(0.5, 0, 0.5, 0.4, 0.6),
            "at t = 0.50, is left within 1,200 steps; ",
            "barrier 0.500 (0.400 to 0.600)\nwithin 1,200 steps",
        ),
        (
            "no_barrier",
            _climb(0.0),
            "No barrier within 1,200 steps, at most 0.000, but ",
            "no barrier, at most 0.000\nwithin 1,200 steps, dips to 0.050",
        ),
        (
            "monotone",
            _climb(0.0),
            "Nowhere a rise above the tolerance within 1,200 steps: the loss ",
            "no barrier, at most 0.000\nwithin 1,200 steps, dips to 0.050",
        ),
        (
            "undecided",
            _climb(0.0),
            "No barrier within 1,200 steps, ",
            "no barrier, at most 0.000\nwithin 1,200 steps, dips to 0.050",
        ),
        (
            "undecided",
            _climb(0.02, 0, 0.5, 0.0, 0.1),
            "Undecided within 1,200 steps: ",
            "barrier 0.020 (0.000 to 0.100)\nwithin 1,200 steps, undecided",
        ),
    ],
)
def test_of_a_fitted_curve_the_budget_is_told(verdict, barrier, words, few_words):
    result = _result(verdict, _climb(0.1), barrier, {"manifold": "dense", "steps": 1200}, 0.05, dips=True)
    assert words in path_figure.describe_path(result)
    assert path_figure.barrier_in_words(result) == few_words


def test_few_words_of_a_line_name_no_budget():
    barrier = _climb(0.5, 0, 0.5, 0.4, 0.6)
    assert path_figure.barrier_in_words(_result("barrier", barrier, barrier)) == "barrier 0.500 (0.400 to 0.600)"


@pytest.mark.parametrize("verdict", ["monotone", "no_barrier", "undecided"])
def test_a_dip_below_both_ends_is_told(verdict):
    def words(dips):
        return path_figure.describe_path(_result(verdict, _climb(0.1), _climb(0.0), lowest=0.02, dips=dips))

    assert "; it dips below both ends, to 0.020 at t = 0.30; tolerance" in words(dips=True)
    assert "onotone" not in words(dips=True)
    assert "dips" not in words(dips=False)
    assert ("Monotone: " in words(dips=False)) == (verdict == "monotone")


def test_the_title_fits_above_the_picture(tmp_path, monkeypatch):
    path = _path(tmp_path, fitting={"manifold": "dense", "steps": 1200})
    rise, barrier = _climb(0.2, 0.4, 1.0, 0.1, 0.3), _climb(0.01, lower=0.005, upper=0.02)
    result = storage.read_json(path.result)
    told = _result("no_barrier", rise, barrier, lowest=0.05, dips=True) | {"settings": result["settings"]}
    storage.write_json(path.result, result | told)
    figures = []
    monkeypatch.setattr(pictures, "save", lambda figure, _: figures.append(figure))
    path_figure.draw_path(path)
    figure, renderer = figures[0], FigureCanvasAgg(figures[0]).get_renderer()
    figure.draw(renderer)
    box = figure.axes[0].title.get_window_extent(renderer)
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert figure.axes[0].get_title().replace("\n", " ") == path_figure.describe_path(storage.read_json(path.result))


def test_the_picture_of_a_fitted_curve_names_manifold_and_budget(tmp_path):
    svg = path_figure.draw_path(_path(tmp_path, fitting={"manifold": "sparse", "steps": 1200}))[1].read_text()
    assert "sparse, fitted in 1,200 steps" in svg
