"""Protects: a row per finished run and path of a study, and none of what is not finished."""

import csv

import pytest

from sparse_rigl_lands import files, gin_files
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.finished_path import FinishedPath
from sparse_rigl_lands.studies import study_jobs, study_results
from sparse_rigl_lands.studies.jobs import Failure
from tests.studies import finished_study


@pytest.fixture
def finished(tmp_path):
    """A study, its files, and the names of its steps."""
    study, written = finished_study.study(), files.StudyFiles(tmp_path)
    return study, written, finished_study.write(study, written)


def test_every_finished_step_is_a_row(finished):
    study, written, names = finished
    found = study_results.collect(study, written, [], names)
    assert len(found.runs) == 18 + 6
    assert [row["run"] for row in found.paths] == [path.name for path in study.paths()]
    assert len(found.solutions) == 12
    for rows, table in ((found.runs, written.table), (found.paths, written.paths_table)):
        with table.open() as lines:
            assert [row["run"] for row in csv.DictReader(lines)] == [row["run"] for row in rows]


def test_a_path_tells_its_seed_its_ends_and_its_claim(finished):
    study, written, names = finished
    found = study_results.collect(study, written, [], names)
    row = next(row for row in found.paths if row["run"] == "paths/S-S_to_P-S/cubic_sparse-1200-seed1")
    assert (row["seed"], row["start"], row["end"], row["claim"]) == (1, "S-S", "P-S", 3)
    assert (row["title"], row["manifold"], row["steps"]) == ("cubic Bezier curve", "sparse", 1200)
    assert (row["barrier"], row["barrier_lower"]) == (0.5, 0.45)


def test_bounds_for_a_claim_are_those_of_all_its_paths_together(finished):
    """Wider than a path's own, with the share of the error that six paths leave to each."""
    study, written, names = finished
    row, *_ = [row for row in study_results.collect(study, written, [], names).paths if row["claim"] == 3]
    assert row["confidence_for_claim"] == pytest.approx(1 - 0.05 / 6)
    own = FinishedPath.read(written.path(row["run"])).judge(0.95).barrier
    assert row["barrier_lower_for_claim"] < own.lower < own.height < own.upper < row["barrier_upper_for_claim"]
    others = [row for row in study_results.collect(study, written, [], names).paths if not row["claim"]]
    assert {row["barrier_upper_for_claim"] for row in others} == {""}


def test_every_step_is_told_with_its_state_and_command(finished, tmp_path):
    study, written, _ = finished
    steps = study_jobs.jobs_of(study, written, gin_files.configuration)[:3]
    done = {steps[0].name}
    failure = Failure(steps[1].name, "no such file", tmp_path / "log")
    rows = study_results.collect(study, written, steps, done, [failure]).steps
    assert [(row["state"], row["seconds"]) for row in rows] == [("done", 30.0), ("failed", ""), ("not done", "")]
    assert [row["failure"] for row in rows] == ["", f"no such file ({tmp_path / 'log'})", ""]
    assert rows[0]["command"].startswith("python train.py --gin_file=gin/digits/dense.gin")
    with written.steps_table.open() as lines:
        assert [row["step"] for row in csv.DictReader(lines)] == [step.name for step in steps]


def test_what_a_solution_lacks_is_none(finished):
    study, written, names = finished
    dense, pruned, *_ = study_results.collect(study, written, [], names).solutions
    assert (dense["point"], dense["distance_to_pruned"]) == ("D-S", None)
    assert (pruned["point"], pruned["distance_to_pruned"]) == ("P-S", 3.5)


def test_what_is_not_finished_is_left_out(finished):
    """Though its files are there: they are of another configuration."""
    study, written, names = finished
    left_out = {"solutions", "dense-seed0", "paths/S-S_to_P-S/line-seed0"}
    found = study_results.collect(study, written, [], names - left_out)
    assert not left_out & {row["run"] for row in (*found.runs, *found.paths)}
    assert found.solutions == []


def test_no_tables_where_nothing_is_finished(finished):
    study, written, _ = finished
    assert study_results.collect(study, written, [], ()) == study_results.Found([], [], [], [])
    assert not written.table.exists()
    assert not written.paths_table.exists()


def test_a_path_that_was_fitted_with_another_budget_is_refused(finished):
    study, written, names = finished
    result = written.path("paths/S-S_to_P-S/cubic_sparse-1200-seed1").result
    result.write_text(result.read_text().replace('"steps": 1200', '"steps": 300'))
    with pytest.raises(InputError, match="was fitted in 300 steps, not in 1200"):
        study_results.collect(study, written, [], names)
