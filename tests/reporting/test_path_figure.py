"""Protects: the picture of a path is made whole, is reproducible, and its words are true."""

import pytest

from sparse_rigl_lands import files
from sparse_rigl_lands.reporting import path_figure


def _climb(height, start=0.0, end=0.0):
    return {"height": height, "start": start, "end": end}


def _path(directory, losses=(2.3, 2.4, 0.1)):
    path = files.PathFiles(directory)
    path.create()
    rows = [
        {"t": k / 2, "cross_entropy": loss, "smoothed_cross_entropy": loss + 0.1, "l2": 0, "top1": 0.5, "count": 9}
        for k, loss in enumerate(losses)
    ]
    files.write_csv(path.table, rows)
    end = {"workload": "digits", "method": "pruned", "seed": 0, "global_step": 0, "digest": ""}
    settings = {"start": end, "end": {**end, "global_step": 2000}, "curve": "line", "label_smoothing": 0.1}
    settings |= {"augmented": True, "images": 9, "mask": "end", "batch_norm": "batch"}
    climb = _climb(0.1, 0.0, 0.5)
    files.write_json(path.result, {"settings": settings, "largest_rise": climb, "barrier": climb})
    return path


def test_png_and_svg_are_drawn_and_reproducible(tmp_path):
    first, second = (path_figure.draw_path(_path(tmp_path / name)) for name in ("first", "second"))
    for file, again in zip(first, second, strict=True):
        assert file.read_bytes() == again.read_bytes()
        assert file.stat().st_size > 10_000
    assert first[0].read_bytes().startswith(b"\x89PNG")
    svg = first[1].read_text()
    for words in ("pruned (seed 0, initialization)", "pruned (seed 0, step 2,000)", "smoothed", "0.100"):
        assert words in svg
    assert not list(tmp_path.rglob("*.partial*"))


@pytest.mark.parametrize(
    ("rise", "barrier", "words"),
    [
        (_climb(0.0), _climb(0.0), "never rises"),
        (_climb(0.2, 0.4, 0.6), _climb(0.0), r"largest rise is 0.200, from t = 0.40 to 0.60; no barrier"),
        (_climb(2.0, 0.0, 0.5), _climb(1.5, 0.0, 0.5), r"a barrier of 1.500 above the higher end, at t = 0.50"),
    ],
)
def test_words_of_a_path(rise, barrier, words):
    assert words in path_figure.describe_path({"largest_rise": rise, "barrier": barrier})
