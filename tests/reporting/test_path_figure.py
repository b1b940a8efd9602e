"""Protects: the picture of a path is made whole, and is reproducible."""

from matplotlib.backends.backend_agg import FigureCanvasAgg

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.reporting import path_figure, path_words, pictures
from tests import finished_path
from tests.finished_path import climb, origin


def _path(directory, fitting=None):
    path = files.PathFiles(directory)
    finished_path.write(
        path,
        (2.3, 2.4, 0.1),
        fitting=fitting,
        error=0.1,
        settings={"start": origin(global_step=0), "label_smoothing": 0.1},
        barrier=climb(0.1, 0.0, 0.5, 0.06, 0.14),
        largest_rise=climb(0.1, 0.0, 0.5),
    )
    return path


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


def test_the_title_fits_above_the_picture(tmp_path, monkeypatch):
    path = _path(tmp_path, fitting={"manifold": "dense", "steps": 1200})
    told = {
        "verdict": "no_barrier",
        "largest_rise": climb(0.2, 0.4, 1.0, 0.1, 0.3),
        "barrier": climb(0.01, lower=0.005, upper=0.02),
        "lowest": {"t": 0.3, "cross_entropy": 0.05, "below_both_ends": True},
    }
    storage.write_json(path.result, storage.read_json(path.result) | told)
    figures = []
    monkeypatch.setattr(pictures, "save", lambda figure, _: figures.append(figure))
    path_figure.draw_path(path)
    figure, renderer = figures[0], FigureCanvasAgg(figures[0]).get_renderer()
    figure.draw(renderer)
    box = figure.axes[0].title.get_window_extent(renderer)
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert figure.axes[0].get_title().replace("\n", " ") == path_words.describe_path(storage.read_json(path.result))


def test_the_picture_of_a_fitted_curve_names_manifold_and_budget(tmp_path):
    svg = path_figure.draw_path(_path(tmp_path, fitting={"manifold": "sparse", "steps": 1200}))[1].read_text()
    assert "sparse, fitted in 1,200 steps" in svg
