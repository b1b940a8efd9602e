"""Protects: the work that a plan of a study tells, against counting it by hand."""

import pytest

from sparse_rigl_lands import gin_files
from sparse_rigl_lands.networks import cost
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.studies import study_plan
from tests.studies.finished_study import study


class _Everything:
    def __contains__(self, name):
        return True


@pytest.fixture(scope="module")
def stages():
    of = study(path_bindings=("Sample.images = 1000", "interpolate.num_points = 11"), bindings=("Recipe.steps = 60",))
    return {stage.name: stage for stage in study_plan.plan_of(of, _Everything(), gin_files.configured)}


def test_there_is_a_stage_for_every_kind(stages):
    assert list(stages) == [
        "training, dense (3)",
        "training, pruned (5)",
        "training, lottery (5)",
        "training, scratch (5)",
        "training, zeroed_init (6)",
        "lines (14)",
        "curves, 1,200 steps (8)",
        "curves, 300 steps (4)",
    ]


def test_training_is_its_batches_and_an_evaluation_of_all_images(stages):
    stage = stages["training, pruned (5)"]
    assert (stage.forward, stage.backward) == (5 * (60 * 128 + 1437 + 360), 5 * 60 * 128)


def test_a_path_is_evaluated_at_all_places_and_at_both_ends(stages):
    assert (stages["lines (14)"].forward, stages["lines (14)"].backward) == (14 * 13 * 1000, 0)
    fit = 300 * 128
    curves = stages["curves, 300 steps (4)"]
    assert (curves.forward, curves.backward) == (4 * (fit + 13 * 1000), 4 * fit)


def test_a_backward_pass_is_two_forward_passes(stages):
    per_image = sum(cost.forward_flops(digits_resnet()).values())
    for stage in stages.values():
        assert stage.flops == per_image * (stage.forward + 2 * stage.backward)


def test_only_what_is_asked_for_is_told():
    names = {"dense-seed0", "paths/S-I_to_P-S/line-seed1"}
    assert [each.name for each in study_plan.plan_of(study(), names, gin_files.configured)] == [
        "training, dense (1)",
        "lines (1)",
    ]
