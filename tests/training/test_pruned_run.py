"""Protects: what scratch and lottery take from a pruned run, and what is said when it is not there."""

import dataclasses

import pytest

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.points import checkpoint, initializations
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.points.point import Origin
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.training.evaluation import Evaluation
from sparse_rigl_lands.training.pruned_run import PrunedRun
from tests.random_points import random_mask

ORIGIN = Origin("small", "scratch", 3, 0)


@pytest.fixture
def mask(network):
    return random_mask(network, 0.5)


@pytest.fixture
def save(network, mask):
    """Saves checkpoints of a pruned run."""

    evaluation = dataclasses.asdict(Evaluation(10, 0.5, 0.1, 0.6, 0.9, 1.0))

    def save(run, steps, mask=mask, workload="small", finished=True):
        for step in steps:
            dense = initializations.dense(network, Origin(workload, "pruned", 3, step))
            point = dense.under(mask if step == steps[-1] else Mask({}))
            checkpoint.save(run.checkpoint(step), Checkpoint(point, {}))
        if finished:
            told = {"workload": workload, "first_step": steps[0], "global_step": steps[-1], "sparsity": 0.5}
            storage.write_json(run.summary, {**told, "layers": [], "train_augmented": evaluation, "test": evaluation})

    return save


@pytest.fixture
def run(tmp_path):
    """The run that builds upon it."""
    return files.RunFiles(tmp_path / "scratch-seed3")


def test_it_is_found_beside_by_its_seed(save, run, mask):
    save(run.beside("pruned", 3), [0, 10, 20])
    assert PrunedRun().solution(run, ORIGIN).mask == mask
    assert PrunedRun().solution(run, ORIGIN).origin.global_step == 20
    assert PrunedRun().at_step(run, ORIGIN, 10).origin.global_step == 10


def test_it_may_lie_anywhere(save, run, tmp_path, mask):
    save(files.RunFiles(tmp_path / "elsewhere"), [0, 20])
    assert PrunedRun(str(tmp_path / "elsewhere")).solution(run, ORIGIN).mask == mask


@pytest.mark.parametrize(("steps", "state"), [([], "is not the directory of a run"), ([0, 10], "is not finished")])
def test_without_it_the_command_that_makes_it_is_told(save, run, steps, state):
    save(run.beside("pruned", 3), steps, finished=False)
    directory = run.beside("pruned", 3).directory
    command = f"python train.py --gin_file=gin/digits/pruned.gin --seed=3 --output_dir={directory}"
    told = f"^{directory} {state}: it has no summary.json. scratch builds upon this pruned run; make it first: "
    with pytest.raises(InputError, match=f"{told}{command}"):
        PrunedRun(gin_file="gin/digits/pruned.gin").solution(run, ORIGIN)
    with pytest.raises(InputError, match=f"{told}python train.py"):
        PrunedRun().at_step(run, ORIGIN, 0)


def test_one_of_another_workload_is_refused(save, run):
    save(run.beside("pruned", 3), [0, 20], workload="other")
    with pytest.raises(InputError, match="is of workload other, not small"):
        PrunedRun().solution(run, ORIGIN)
    with pytest.raises(InputError, match="is of workload other, not small"):
        PrunedRun().at_step(run, ORIGIN, 0)


def test_a_pruned_run_without_its_last_checkpoint_is_refused(save, run):
    """An earlier one has another mask."""
    pruned = run.beside("pruned", 3)
    save(pruned, [0, 10, 20])
    files.index_file(pruned.checkpoint(20)).unlink()
    with pytest.raises(InputError, match="has no checkpoint of step 20; it has 0, 10"):
        PrunedRun().solution(run, ORIGIN)


def test_one_without_a_mask_is_refused(save, run):
    save(run.beside("pruned", 3), [0, 20], mask=Mask({}))
    with pytest.raises(InputError, match="has no mask: its solution is dense"):
        PrunedRun().solution(run, ORIGIN)


def test_a_step_that_was_not_kept_is_refused(save, run):
    save(run.beside("pruned", 3), [10, 20])
    with pytest.raises(InputError, match=r"has no checkpoint of step 0; it has 10, 20\. scratch starts .*keep_steps"):
        PrunedRun().at_step(run, ORIGIN, 0)


@pytest.mark.parametrize("setting", ["directory", "gin_file"])
def test_names_of_files_are_texts(setting):
    with pytest.raises(InputError, match=f"PrunedRun.{setting} is 3; it must be None or a text in quotes"):
        PrunedRun(**{setting: 3})
