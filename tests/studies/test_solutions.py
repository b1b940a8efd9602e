"""Protects: the row of the table of solutions is what its columns say, by independent means."""

import dataclasses

import numpy as np
import pytest

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.points import checkpoint
from sparse_rigl_lands.sparsity.distributions import uniform
from sparse_rigl_lands.sparsity.pruned import PruningSchedule
from sparse_rigl_lands.studies.solutions import describe_solution
from sparse_rigl_lands.training.fixed_mask import Lottery, Scratch, shuffled_mask
from sparse_rigl_lands.training.methods import Dense, Pruned
from sparse_rigl_lands.training.pruned_run import PrunedRun
from sparse_rigl_lands.training.recipe import Recipe
from sparse_rigl_lands.training.run import prepare_run, train
from sparse_rigl_lands.training.schedules import WarmupStepDecay
from sparse_rigl_lands.training.workload import Workload

_RECIPE = Recipe(steps=20, batch_size=64, learning_rate=WarmupStepDecay(0.2))


def _pruned():
    return Pruned(PruningSchedule(5, 15, 5), lambda shapes: uniform(shapes, 0.8))


@pytest.fixture
def study(one_device, workload, tmp_path):
    def study(method, directory=None):
        directory = tmp_path / (directory or f"{method.name}-seed0")
        return train(prepare_run(str(directory), one_device, workload, method, _RECIPE))

    study(_pruned())
    return study


@pytest.fixture
def describe(one_device, workload):
    return lambda run, **settings: describe_solution(run, one_device, workload, _RECIPE, **settings)


def _vector(point):
    return np.concatenate([point.weights[name].ravel() for name in sorted(point.weights)]).astype("float64")


def test_a_row(study, describe):
    pruned = files.RunFiles(study(Lottery()).directory.parent / "pruned-seed0")
    run = study(Scratch(mask=shuffled_mask))
    first, last, reference = (
        checkpoint.load(where.checkpoint(step)).point for where, step in ((run, 0), (run, 20), (pruned, 20))
    )
    row = describe(run)
    summary = storage.read_json(run.summary)
    assert (row["point"], row["seed"], row["sparsity"]) == ("S-S", 0, summary["sparsity"])
    assert row["training_loss"] == summary["train_augmented"]["cross_entropy"]
    assert row["training_loss_error"] == summary["train_augmented"]["cross_entropy_error"]
    assert row["test_accuracy"] == summary["test"]["accuracy"]
    assert row["distance_from_initialization"] == pytest.approx(np.linalg.norm(_vector(last) - _vector(first)))
    assert row["distance_to_pruned"] == pytest.approx(np.linalg.norm(_vector(last) - _vector(reference)))
    assert row["mask_overlap_with_pruned"] == last.mask.overlap(reference.mask)
    assert 0.05 < row["mask_overlap_with_pruned"] < 0.2  # of random masks at 0.8: 0.2^2 / (1 - 0.8^2) = 0.11
    assert 0 < row["gradient_norm_sparse"] < row["gradient_norm_dense"]
    assert describe(run) == row


def test_points_of_the_paper(study, describe):
    rows = [describe(study(method), gradient_batches=1) for method in (Lottery(), Dense())]
    assert [row["point"] for row in rows] == ["L-S", "D-S"]
    lottery, dense = rows
    assert lottery["mask_overlap_with_pruned"] == 1
    assert lottery["distance_to_pruned"] > 0
    assert dense["mask_overlap_with_pruned"] == pytest.approx(1 - lottery["sparsity"], abs=1e-9)
    assert dense["gradient_norm_sparse"] == pytest.approx(dense["gradient_norm_dense"])


def test_the_pruned_solution_is_none_of_its_own_distance(study, describe):
    pruned = files.RunFiles(study(Lottery()).directory.parent / "pruned-seed0")
    row = describe(pruned, gradient_batches=1)
    assert (row["point"], row["distance_to_pruned"], row["mask_overlap_with_pruned"]) == ("P-S", 0, 1)


def test_without_a_pruned_run_there_is_nothing_to_compare_with(study, describe):
    row = describe(study(Dense(), "elsewhere/dense-seed0"), gradient_batches=1)
    assert row["distance_to_pruned"] is None
    assert row["mask_overlap_with_pruned"] is None


def test_the_samples_of_the_gradient_are_independent(study, describe, streams):
    run = study(Dense())
    streams.clear()
    describe(run, gradient_samples=5, gradient_batches=1)
    assert len({seed for seed, _ in streams}) == len(streams) == 5


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"gradient_samples": 1}, "it must be a whole number of at least 2"),
        ({"gradient_batches": 0}, "it must be a whole number of at least 1"),
        ({"seed": 2**63}, f"describe_solution.seed is {2**63}; it must be a whole number that 64 bits hold"),
        ({"pruned_run": PrunedRun}, "describe_solution.pruned_run is .*, not a PrunedRun: in a gin file, @PrunedRun"),
    ],
)
def test_too_few_are_refused(study, describe, settings, words):
    with pytest.raises(InputError, match=words):
        describe(study(Dense()), **settings)


def test_a_run_whose_first_or_last_checkpoint_is_gone_is_refused(study, describe):
    run = study(Dense())
    files.index_file(run.checkpoint(0)).unlink()
    with pytest.raises(InputError, match="dense-seed0 has no checkpoint of step 0; it has 20"):
        describe(run)


def test_a_pruned_run_of_another_network_is_refused(study, one_device, workload, tmp_path):
    run = study(Dense())
    other = Workload("small", Digits(), digits_resnet(), workload.objective)
    train(prepare_run(str(tmp_path / "other"), one_device, other, _pruned(), _RECIPE))
    with pytest.raises(InputError, match="is of another network"):
        describe_solution(run, one_device, workload, _RECIPE, PrunedRun(str(tmp_path / "other")))
    with pytest.raises(InputError, match="is of workload small, not another"):
        describe_solution(run, one_device, dataclasses.replace(workload, name="another"), _RECIPE)


def test_what_was_not_made_is_refused(study, one_device, workload):
    run = study(Dense())
    with pytest.raises(InputError, match="describe_solution.workload is .*, not a Workload: in a gin file, @Workload"):
        describe_solution(run, one_device, Workload, _RECIPE)
    with pytest.raises(InputError, match="describe_solution.recipe is .*, not a Recipe: in a gin file, @Recipe"):
        describe_solution(run, one_device, workload, Recipe)
