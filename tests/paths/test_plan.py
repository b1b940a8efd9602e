"""Protects: a plan of a path counts every pass and refuses what the path would; its numbers are those of a pencil."""

import pytest

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.curves import Bezier
from sparse_rigl_lands.paths.fitting import Fitting
from sparse_rigl_lands.paths.plan import plan_of
from sparse_rigl_lands.paths.preparation import prepare_path
from sparse_rigl_lands.paths.sample import Sample
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin
from sparse_rigl_lands.training.schedules import WarmupStepDecay

_WEIGHTS, _STATISTICS = 1078, 56  # of the small network
_POINT = 4 * (_WEIGHTS + _STATISTICS)
_FLOPS = 2 * (36 * 64 + (288 + 32 + 576) * 16 + 80)  # weights, places
_KEPT = 2 * 256 + 400 + 5 * 128 + 8  # the stem, the padded images, the block, the head
_LARGEST = 256 + 400  # padding, before and after


@pytest.fixture
def ends(network, sparse_point):
    return initializations.dense(network, Origin("small", "dense", 1, 0)), sparse_point


def _fitting(**settings):
    defaults = {"steps": 6, "batch_size": 32, "learning_rate": WarmupStepDecay(0.1), "manifold": "sparse"}
    return Fitting(**{**defaults, **settings})


def test_a_line_with_everything(workload, ends, one_device, tmp_path):
    settings = {"batch_norm": "recalibrated", "recalibration_images": 300, "gradient_batches": 2, "num_points": 5}
    sample = Sample("until_decided", first=200, limit=1000)
    prepared = prepare_path(
        str(tmp_path / "path"), one_device, *ends, workload, sample=sample, batch_size=100, **settings
    )
    plan = plan_of(prepared)
    assert (plan.curve, plan.places, plan.control_points, plan.mask, plan.fitting) == ("line", 5, 2, "end", None)
    assert (plan.images, list(plan.looks)) == (1437, [200, 400, 800, 1000])
    assert plan.forward_flops == _FLOPS
    statistics, evaluation, gradients = plan.stages
    assert (statistics.forward, statistics.backward, statistics.flops) == (5 * 300, 0, 5 * 300 * _FLOPS)
    assert (evaluation.forward, evaluation.flops) == ((5 + 2) * 1000, (5 + 2) * 1000 * _FLOPS)
    assert evaluation.memory == {
        "control points": 2 * _POINT,
        "ends under their own mask": 2 * _POINT,
        "weights at t": 4 * _WEIGHTS,
        "activations of one layer": 4 * 100 * _LARGEST,
        "images of a batch": 4 * 100 * 64,
    }
    assert (gradients.forward, gradients.backward) == (5 * 200, 5 * 200)
    assert gradients.flops == 3 * 5 * 200 * _FLOPS
    assert gradients.memory["activations kept for the backward pass"] == 4 * 100 * _KEPT
    assert gradients.memory["images of all batches"] == 4 * 200 * 64
    assert not (tmp_path / "path").exists()


@pytest.mark.parametrize("manifold", ["sparse", "dense"])
def test_a_fitted_curve(workload, ends, mirrored, tmp_path, manifold):
    """On two replicas, in bfloat16."""
    settings = {"fitting": _fitting(precision="mixed_bfloat16", manifold=manifold), "precision": "mixed_bfloat16"}
    prepared = prepare_path(
        str(tmp_path / "path"), mirrored, *ends, workload, curve=Bezier(3), num_points=5, batch_size=50, **settings
    )
    plan = plan_of(prepared)
    fit, evaluation = plan.stages
    assert (plan.control_points, plan.replicas, plan.batch_size) == (4, 2, 50)
    assert (fit.forward, fit.backward, fit.flops) == (6 * 32, 6 * 32, 3 * 6 * 32 * _FLOPS)
    assert fit.memory == {
        "control points": 4 * _POINT,
        "momentum of those between the ends": 2 * 4 * _WEIGHTS,
        "mask": 36 + 288 + 32 + 576 + 80 if manifold == "sparse" else 0,
        "weights at t": 4 * _WEIGHTS,
        "their gradient": 4 * _WEIGHTS,
        "activations kept for the backward pass": 2 * 16 * _KEPT,
        "images of a batch": 4 * 16 * 64,
    }
    assert (evaluation.name, evaluation.forward) == ("evaluation", (5 + 2) * 1437)
    assert evaluation.memory["control points"] == 4 * _POINT
    assert evaluation.memory["activations of one layer"] == 2 * 50 * _LARGEST


def test_what_a_fit_refuses_is_refused(workload, ends, one_device, tmp_path):
    line = prepare_path(str(tmp_path / "path"), one_device, *ends, workload, fitting=_fitting())
    with pytest.raises(InputError, match="there is nothing to fit"):
        plan_of(line)


def test_files_of_another_path_are_refused(workload, ends, one_device, tmp_path):
    (tmp_path / "path.csv").write_text("mine")
    prepared = prepare_path(str(tmp_path), one_device, *ends, workload, num_points=2)
    with pytest.raises(InputError, match="holds path.csv but no config.gin"):
        plan_of(prepared)
