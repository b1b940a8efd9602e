"""Protects: Figures 1 and 5 show every run of the sweep, at its place, and no others."""

import pandas as pd
import pytest

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.reporting import pictures, sweep_figures


def _row(method, seed, sparsity=0.0, zeroed=0.0, loss=0.1, accuracy=0.9):
    return {
        "method": method,
        "seed": seed,
        "sparsity": sparsity,
        "zeroed_fraction": zeroed,
        "training_loss": loss,
        "test_accuracy": accuracy,
        "run": f"{method}-seed{seed}",
    }


DENSE = [_row("dense", seed, loss=0.01 + 0.01 * seed) for seed in (0, 1)]
SPARSE = [
    _row(method, seed, sparsity, loss=0.1 + 0.01 * seed + place * 0.2 + sparsity)
    for place, method in enumerate(("pruned", "lottery", "scratch"))
    for sparsity in (0.8, 0.99)
    for seed in (0, 1)
]
ZEROED = [
    _row("zeroed_init", seed, zeroed=fraction, loss=0.5 + fraction) for fraction in (0.9, 0.999) for seed in (0, 1)
]


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Draws a sweep of rows, and returns the figures by name, and the files written."""

    def draw(rows):
        sweep, figures = files.SweepFiles(tmp_path), {}
        sweep.create()
        storage.write_csv(sweep.table, rows)
        monkeypatch.setattr(pictures, "save", lambda figure, paths: figures.update({paths[0].stem: figure}))
        return figures, sweep_figures.draw_sweep(sweep)

    return draw


def _dots(axes):
    return sorted(
        (round(float(x), 9), round(float(y), 9))
        for line in axes.lines
        if line.get_marker() == "."
        for x, y in line.get_xydata()
    )


def test_figure_1_has_every_sparse_run_and_the_dense_level(drawn):
    figures, written = drawn(DENSE + SPARSE)
    assert [path.name for path in written] == ["figure1.png", "figure1.svg"]
    accuracy, loss = figures["figure1"].axes
    for axes, column in ((accuracy, "test_accuracy"), (loss, "training_loss")):
        assert _dots(axes) == sorted((round(1 - row["sparsity"], 9), round(row[column], 9)) for row in SPARSE)
        assert [text.get_text() for text in axes.get_xticklabels()] == ["0.8", "0.99"]
    labels = [text.get_text() for text in loss.get_legend().get_texts()]
    assert labels == ["pruned", "lottery", "scratch", "dense"]
    (dense,) = [line for line in loss.lines if line.get_label() == "dense"]
    assert set(dense.get_ydata()) == {0.015}
    (pruned,) = [line for line in loss.lines if line.get_label() == "pruned"]
    means = pd.DataFrame(SPARSE).query("method == 'pruned'").groupby("sparsity")["training_loss"].mean()
    assert list(pruned.get_ydata()) == list(means)


def test_figure_5_starts_at_the_dense_run(drawn):
    figures, written = drawn(DENSE + ZEROED)
    assert [path.name for path in written] == ["figure5.png", "figure5.svg"]
    _, loss = figures["figure5"].axes
    expected = [(1.0, row["training_loss"]) for row in DENSE]
    expected += [(1 - row["zeroed_fraction"], row["training_loss"]) for row in ZEROED]
    assert _dots(loss) == sorted((round(x, 9), round(y, 9)) for x, y in expected)
    assert [text.get_text() for text in loss.get_xticklabels()] == ["0", "0.9", "0.999"]


def test_both_are_drawn_where_there_are_both(drawn):
    figures, _ = drawn(DENSE + SPARSE + ZEROED)
    assert list(figures) == ["figure1", "figure5"]
    assert len(_dots(figures["figure1"].axes[0])) == len(SPARSE)


def test_more_sparsity_and_more_zeros_are_to_the_right(drawn):
    figures, _ = drawn(DENSE + SPARSE + ZEROED)
    for figure in figures.values():
        for axes in figure.axes:
            left, right = axes.get_xlim()
            assert left > right  # of the density


def test_dense_runs_alone_draw_nothing(drawn):
    assert drawn(DENSE) == ({}, [])
