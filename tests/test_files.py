"""Protects: names on disk, what cleaning and discarding leave, and what a person names."""

import pathlib

import pytest

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.errors import InputError

_OF_A_SWEEP = ["runs.csv", "table.md", *(f"figure{n}.{kind}" for n in (1, 5) for kind in ("png", "svg"))]
_OF_CURVES = [f"{name}.{kind}" for name in ("figure4", "budgets") for kind in ("png", "svg")]
_OF_A_STUDY = ["paths.csv", "claims.csv", "claims.json", "steps.csv", "report.html"]
_OF_A_STUDY += [f"figure{n}.{kind}" for n in (2, 3) for kind in ("png", "svg")]


@pytest.mark.parametrize(
    ("kind", "results"),
    [
        (files.SweepFiles, _OF_A_SWEEP),
        (files.CurveStudyFiles, ["curves.csv", "table.md", *_OF_CURVES]),
        (files.StudyFiles, [*_OF_A_SWEEP, *_OF_CURVES, *_OF_A_STUDY]),
    ],
)
def test_results_are_discarded_and_nothing_else(kind, results, tmp_path):
    """A table or a figure of other runs must not lie beside those that are made."""
    for name in (*results, "mine"):
        (tmp_path / name).touch()
    kind(tmp_path).discard_results()
    assert list(tmp_path.iterdir()) == [tmp_path / "mine"]


def test_a_checkpoint_is_named_by_its_prefix_or_its_run(tmp_path, monkeypatch):
    run = files.RunFiles(tmp_path)
    run.checkpoints.mkdir()
    for step in (0, 500, 123456789):
        files.index_file(run.checkpoint(step)).write_bytes(b"")
    assert run.checkpoint_steps() == [0, 500, 123456789]
    assert files.checkpoint_prefix(str(tmp_path)) == run.checkpoint(123456789)
    assert files.checkpoint_prefix(str(run.checkpoint(500))) == run.checkpoint(500)
    assert files.checkpoint_prefix(str(files.index_file(run.checkpoint(500)))) == run.checkpoint(500)
    assert files.run_of_checkpoint(run.checkpoint(500)).directory == tmp_path
    monkeypatch.chdir(run.checkpoints)
    prefix = files.checkpoint_prefix("step_00000500")
    assert files.run_of_checkpoint(prefix).directory == tmp_path


def test_cleaning_removes_what_kills_leave_behind(tmp_path):
    run = files.RunFiles(tmp_path)
    run.checkpoints.mkdir()
    for step in (0, 500, 1000, 1500):
        files.index_file(run.checkpoint(step)).write_bytes(b"")
        files.data_file(run.checkpoint(step)).write_bytes(b"")
    files.data_file(run.checkpoint(700)).write_bytes(b"")  # killed between its two files
    files.index_file(storage.partial(run.checkpoint(2000))).write_bytes(b"")  # killed while it was written
    (run.checkpoints / ".step_00002000.partial_temp").mkdir()
    run.clean_checkpoints(lambda step: step in (0, 1000))
    assert run.checkpoint_steps() == [0, 1000, 1500]
    assert len(list(run.checkpoints.iterdir())) == 6


def test_there_may_be_nothing_to_clean(tmp_path):
    files.RunFiles(tmp_path).clean_checkpoints(lambda step: False)
    assert not list(tmp_path.iterdir())


def test_what_is_no_checkpoint(tmp_path):
    with pytest.raises(InputError, match="holds no checkpoint"):
        files.checkpoint_prefix(str(tmp_path))
    with pytest.raises(InputError, match="no such checkpoint or run directory"):
        files.checkpoint_prefix(str(tmp_path / "absent"))


def test_runs_of_one_study_lie_beside_each_other(tmp_path):
    run = files.RunFiles(tmp_path / "anything")
    assert run.beside("pruned", 3).directory == tmp_path / "pruned-seed3"
    assert files.default_run("digits", "scratch", 3).beside("pruned", 3).directory == pathlib.Path(
        "runs/digits/pruned-seed3"
    )


@pytest.mark.parametrize(
    ("directory", "expected"),
    [
        (files.default_path_directory("a-dense-seed0-step0", "b"), "runs/paths/a-dense-seed0-step0_to_b"),
        (files.default_path_directory("a", "b", ["cubic", "sparse"]), "runs/paths/a_to_b_cubic_sparse"),
        (files.default_study_directory("digits-sweep"), "runs/digits-sweep"),
        (files.default_study_directory("/sweep"), "runs/sweep"),
        (files.default_solutions_directory(), "runs/solutions"),
        (files.default_images_directory("imagenet"), "runs/images/imagenet"),
    ],
)
def test_what_was_given_no_directory_lies_below_runs(directory, expected):
    assert directory == pathlib.Path(expected)


@pytest.mark.parametrize("kind", [files.RunFiles, files.PathFiles])
def test_small_parts_are_digested_parts_and_the_digests(kind, tmp_path):
    written = kind(tmp_path)
    assert set(written.small_parts()) < {*written.parts(), written.digests}
    assert {written.config, written.digests} < set(written.small_parts())


def test_an_unfinished_run_is_refused_by_name(tmp_path):
    run = files.RunFiles(tmp_path / "run")
    with pytest.raises(InputError, match="run is not the directory of a run: it has no summary.json"):
        files.finished_run(str(run.directory))
    run.checkpoints.mkdir(parents=True)
    files.index_file(run.checkpoint(0)).touch()
    with pytest.raises(InputError, match="run is not finished: it has no summary.json"):
        files.finished_run(str(run.directory))
    storage.write_json(run.summary, {})
    assert files.finished_run(str(run.directory)).summary == run.summary
