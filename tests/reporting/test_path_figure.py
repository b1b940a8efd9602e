"""Protects: the picture of a path is made whole, and is reproducible."""

from matplotlib.backends.backend_agg import FigureCanvasAgg

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.reporting import path_figure, path_words, pictures
from tests.reporting.judged_path import climb, judged


def _path(directory, losses=(2.3, 2.4, 0.1), fitting=None):
    path = files.PathFiles(directory)
    path.create()
    rows = [
        {"t": k / 2, "cross_entropy": loss, "error": 0.1, "smoothed_cross_entropy": loss + 0.1, "top1": 0.9}
        for k, loss in enumerate(losses)
    ]
    storage.write_csv(path.table, rows)
    end = {"workload": "digits", "method": "pruned", "seed": 0, "global_step": 0, "digest": ""}
    settings = {"start": end, "end": {**end, "global_step": 2000}, "curve": "line", "label_smoothing": 0.1}
    settings |= {"fitting": fitting, "looks": [1437]}
    settings |= {"augmented": True, "mask": "end", "batch_norm": "batch", "confidence": 0.95}
    result = judged("barrier", climb(0.1, 0.0, 0.5), climb(0.1, 0.0, 0.5, 0.06, 0.14), fitting)
    result |= {
        "settings": settings,
        "confidence_of_each_look": 0.95,
        "independent_units": {"unit": "batch", "count": 9},
        "ends_on_the_path": {"start": losses[0], "end": losses[-1]},
        "ends_under_their_own_statistics_and_mask": {},
        "length": 8.5,
    }
    storage.write_json(path.result, result)
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
    rise, barrier = climb(0.2, 0.4, 1.0, 0.1, 0.3), climb(0.01, lower=0.005, upper=0.02)
    result = storage.read_json(path.result)
    told = judged("no_barrier", rise, barrier, lowest=0.05, dips=True) | {"settings": result["settings"]}
    storage.write_json(path.result, result | told)
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
