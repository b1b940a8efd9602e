"""Protects: a run's summary holds all that is read from it, and one that does not is refused."""

import pytest

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.points import checkpoint
from sparse_rigl_lands.training.summary import Summary, load_initialization, load_solution


def test_a_finished_run_has_told_all(small_run):
    assert storage.read_json(files.RunFiles(small_run).summary, Summary)["workload"] == "digits"


@pytest.mark.parametrize("missing", sorted(Summary.__required_keys__))
def test_what_is_missing_is_named(small_run, tmp_path, missing):
    summary = storage.read_json(files.RunFiles(small_run).summary)
    del summary[missing]
    storage.write_json(tmp_path / "summary.json", summary)
    with pytest.raises(InputError, match=f"summary.json is damaged: it lacks {missing}"):
        storage.read_json(tmp_path / "summary.json", Summary)


def test_a_run_of_earlier_days_need_not_tell_its_environment(small_run, tmp_path):
    summary = storage.read_json(files.RunFiles(small_run).summary)
    del summary["environment"]
    storage.write_json(tmp_path / "summary.json", summary)
    assert storage.read_json(tmp_path / "summary.json", Summary) == summary


def test_its_first_and_last_point_are_those_of_its_steps(small_run, tmp_path):
    run = files.RunFiles(small_run)
    for step, load in zip(run.checkpoint_steps(), (load_initialization, load_solution), strict=True):
        assert load(run).digest() == checkpoint.load(run.checkpoint(step)).point.digest()
    storage.write_json(tmp_path / "summary.json", storage.read_json(run.summary))
    with pytest.raises(InputError, match="has no checkpoint of step 0; it has none"):
        load_initialization(files.RunFiles(tmp_path))
