"""Protects: the figures of a study show its runs and paths, each with its own numbers."""

import numpy as np
import pandas as pd
import pytest

from sparse_rigl_lands import files
from sparse_rigl_lands.reporting.study_figures import LABELS, figures_of
from sparse_rigl_lands.studies import study_results
from tests.studies import finished_study


@pytest.fixture
def figures(tmp_path):
    """The figures of a study without some of its steps, by name."""

    def figures(study, without=lambda name: False):
        written = files.StudyFiles(tmp_path)
        names = finished_study.write(study, written)
        written.discard_results()
        study_results.collect(study, written, [], {name for name in names if not without(name)})
        return {figure.name: figure for figure in figures_of(study, written)}

    return figures


def test_all_are_there_in_order(figures):
    assert list(figures(finished_study.study())) == [
        "figure1",
        "figure2",
        "figure3",
        "figure4",
        "budgets",
        "figure5",
    ]


def test_no_picture_of_a_figure_outlives_what_it_was_drawn_from(tmp_path):
    written = files.StudyFiles(tmp_path)
    for picture in (path for name in LABELS for path in written.figure(name)):
        picture.touch()
    written.discard_results()
    assert not list(tmp_path.iterdir())


def test_a_figure_without_results_is_not(figures):
    small = finished_study.study(zeroed_fractions=(), other_budgets=())
    assert list(figures(small)) == ["figure1", "figure2", "figure3", "figure4"]
    assert list(figures(small, lambda name: name.startswith("paths/"))) == ["figure1", "figure2"]


def test_figure_2_is_the_first_seeds_training(figures, tmp_path):
    density, loss = figures(finished_study.study(seeds=(2, 0, 1)))["figure2"].panels
    assert {series.seed for panel in (density, loss) for series in panel.series} == {2}
    pruned, lottery, scratch = density.series
    metrics = pd.read_csv(tmp_path / "sparsity-0.99/pruned-seed2/metrics.csv")
    assert (pruned.x[0], pruned.y[0]) == (0, 1.0)  # dense at first
    assert list(pruned.y[1:]) == pytest.approx(list(1 - metrics["sparsity"]))
    assert list(loss.series[0].y) == list(metrics["smoothed_cross_entropy"])
    for sparse in (lottery, scratch):
        assert sparse.y[0] == sparse.y[1] < 1
    assert [series.name.partition(" (")[0] for series in density.series] == [
        "pruned: D-I to P-S",
        "lottery: L-I to L-S",
        "scratch: S-I to S-S",
    ]


def test_figure_3_has_every_line_at_its_place(figures, tmp_path):
    panels = figures(finished_study.study())["figure3"].panels
    assert [sorted({series.name for series in panel.series}) for panel in panels] == [
        ["L-I to P-S", "S-I to P-S"],
        ["L-I to L-S", "S-I to S-S"],
        ["L-S to P-S", "S-S to L-S", "S-S to P-S"],
    ]
    for panel in panels:
        for series in panel.series:
            directory = f"paths/{series.name.replace(' ', '_')}/line-seed{series.seed}"
            table = pd.read_csv(tmp_path / directory / "path.csv")
            assert (list(series.x), list(series.y)) == (list(table["t"]), list(table["cross_entropy"]))
            # 3.106 errors: Student's quantile of 0.995 with 11 degrees of freedom
            np.testing.assert_allclose(
                np.subtract(series.upper, series.y), 3.1058 * table["error"], rtol=1e-4, atol=1e-9
            )
            np.testing.assert_allclose(
                np.subtract(series.y, series.lower), 3.1058 * table["error"], rtol=1e-4, atol=1e-9
            )


def test_figure_4_has_the_line_and_the_curves_of_the_main_budget(figures):
    panels = figures(finished_study.study())["figure4"].panels
    assert [panel.title for panel in panels] == [
        "straight line",
        "within the sparse subspace",
        "with every connection",
    ]
    assert [len(panel.series) for panel in panels] == [2, 4, 4]
    assert {series.seed for panel in panels for series in panel.series} == {0, 1}


def test_budgets_are_those_of_the_first_seed_beside_the_tolerance(figures):
    (panel,) = figures(finished_study.study(path_seeds=(1, 0)))["budgets"].panels
    *curves, tolerance = panel.series
    assert [(series.name, list(series.x), series.seed) for series in curves] == [
        (f"{degree} Bezier curve, {manifold}", [300, 1200], 1)
        for manifold in ("sparse", "dense")
        for degree in ("quadratic", "cubic")
    ]
    assert list(curves[0].lower) == [0.45, 0.45]
    assert (tolerance.name, list(tolerance.y)) == ("tolerance", [0.05, 0.05])
    assert not panel.scales  # where there is no barrier, a logarithm has no place for it


def test_every_scale_that_is_chosen_is_of_a_loss_above_zero_without_notes(figures):
    for figure in figures(finished_study.study()).values():
        for panel in figure.panels:
            if panel.scales:
                assert panel.unit == "nats"
                assert not panel.notes
                assert all(y > 0 for series in panel.series for y in series.y)
