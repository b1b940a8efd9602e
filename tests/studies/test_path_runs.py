"""Protects: what studies share of their paths. The commands and rows are looked at through the studies."""

import pytest

from sparse_rigl_lands.studies import path_runs
from sparse_rigl_lands.studies.path_runs import PathRun, fitted


def test_curves_are_fitted_in_the_steps_asked_for_whatever_else_is_bound():
    runs = fitted(("line", "cubic_dense"), "gin/digits", 300, ("BUDGET = 7", "Sample.images = 3"))
    assert runs == [
        PathRun(
            name="cubic_dense-300",
            curve="cubic_dense",
            gin_file="gin/digits/cubic_dense.gin",
            steps=300,
            bindings=("BUDGET = 7", "Sample.images = 3", "BUDGET = 300"),
        )
    ]


@pytest.mark.parametrize("configuration", ["Fitting.steps = 300", "Fitting.steps = %BUDGET", "a/Fitting.steps = 300"])
def test_a_budget_that_is_heeded(configuration):
    PathRun("a-300", "a", "a.gin", 300).check_budget(configuration)


def test_titles_that_are_alike_are_told_apart_within_a_manifold():
    rows = [
        {"title": "curve", "manifold": manifold, "curve": curve}
        for manifold, curve in (("sparse", "a"), ("sparse", "b"), ("dense", "c"), ("dense", "c"))
    ]
    path_runs.tell_apart(rows)
    assert [row["title"] for row in rows] == ["curve (a)", "curve (b)", "curve", "curve"]
