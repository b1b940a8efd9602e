"""Protects: what is refused of a path, and that nothing is written before it is evaluated."""

import dataclasses

import numpy as np
import pytest

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.curves import Bezier
from sparse_rigl_lands.paths.evaluator import PathEvaluator
from sparse_rigl_lands.paths.fitting import CurveFit, Fitting
from sparse_rigl_lands.paths.preparation import prepare_path
from sparse_rigl_lands.paths.sample import Sample
from sparse_rigl_lands.points import checkpoint, initializations
from sparse_rigl_lands.points.point import Origin
from sparse_rigl_lands.training.schedules import WarmupStepDecay
from sparse_rigl_lands.training.workload import Workload


@pytest.fixture
def prepare(one_device):
    """``prepare_path`` on one device."""
    return lambda output_dir, *given, **settings: prepare_path(output_dir, one_device, *given, **settings)


@pytest.fixture
def ends(network, sparse_point):
    """A dense start, and a sparse end."""
    return initializations.dense(network, Origin("small", "dense", 1, 0)), sparse_point


def test_a_line_is_checked_and_built_without_a_file(prepare, workload, ends, tmp_path):
    prepared = prepare(str(tmp_path / "path"), *ends, workload, num_points=5, recalibration_images=10**6)
    np.testing.assert_array_equal(prepared.t, [0, 0.25, 0.5, 0.75, 1])
    assert prepared.global_batch == 128
    assert prepared.recalibration_images == prepared.looks[-1] == 1437
    assert prepared.path.mask == ends[1].mask
    assert isinstance(prepared.fit_or_evaluator(), PathEvaluator)
    assert not (tmp_path / "path").exists()


def test_of_a_fitted_curve_the_fit_is_built_first(prepare, workload, ends, tmp_path):
    fitting = Fitting(steps=6, batch_size=32, learning_rate=WarmupStepDecay(0.1), manifold="sparse")
    prepared = prepare(str(tmp_path / "path"), *ends, workload, curve=Bezier(3), fitting=fitting)
    assert isinstance(prepared.fit_or_evaluator(), CurveFit)
    line = prepare(str(tmp_path / "path"), *ends, workload, fitting=fitting)
    with pytest.raises(InputError, match="a line has no control point between its ends: there is nothing to fit"):
        line.fit_or_evaluator()
    assert not (tmp_path / "path").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_points": 1}, "num_points is 1; it must be a whole number of at least 2"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"num_points": 3.0}, "num_points is 3.0"),
        ({"augmented": "no"}, "augmented is 'no'"),
        ({"seed": "a"}, "seed is 'a'"),
        ({"seed": 2**63}, f"seed is {2**63}; it must be a whole number that 64 bits hold"),
        ({"batch_norm": "none"}, "batch_norm is 'none'"),
        ({"mask": "both"}, "mask is 'both'"),
        ({"mask": ["end"]}, r"mask is \['end'\]; known are auto, start"),
        ({"precision": "float8"}, "interpolate.precision is 'float8'; known are float32, mixed_bfloat16"),
        ({"precision": None}, "precision is None"),
        ({"t_range": (0.0, 1.1)}, r"t_range is \(0.0, 1.1\); outside \[0, 1\] a path is evaluated with"),
        ({"t_range": (0.5, 0.5)}, "the first t must be below the last"),
        ({"t_range": 1.0}, "t_range is 1.0; it must be a list"),
        ({"t_range": (0.0, 0.5, 1.0)}, "it must be two numbers"),
        ({"t_range": ("0", "1")}, "t_range names '0'; it must be a finite number"),
        ({"tolerance": True}, "tolerance is True"),
        ({"sample": Sample(1), "batch_norm": "stored"}, "1 images in batches of 128 are one example by itself"),
        ({"extrapolate": 1}, "extrapolate is 1; it must be True or False"),
        ({"confidence": 1.0}, "confidence is 1.0; it must be a number above 0 and below 1"),
        ({"tolerance": -0.1}, "tolerance is -0.1; it must be a finite number of at least 0"),
        ({"save_every": 0}, "save_every is 0"),
        ({"gradient_batches": 1}, "gradient_batches is 1; it must be 0 or a whole number of at least 2"),
        ({"gradient_batches": 20}, "gradient_batches asks for 2560 of 1437 training images"),
        ({"recalibration_images": 0}, "recalibration_images is 0"),
        ({"batch_size": 1438}, "batch_size is 1438, but there are 1437 training images"),
        ({"batch_size": 1437}, "1437 images in batches of 1437 are one batch by itself"),
        ({"sample": Sample(2000)}, "Sample.images is 2000; there are 1437"),
        ({"curve": Bezier}, "interpolate.curve is <class .*Bezier'>, not a Curve: in a gin file, @Bezier"),
        ({"fitting": 7}, "interpolate.fitting is 7, not a Fitting"),
        ({"sample": Sample}, "interpolate.sample is <class .*Sample'>, not a Sample: in a gin file, @Sample"),
        ({"control_points": "runs/a"}, "interpolate.control_points is 'runs/a'; it must be a list"),
        ({"control_points": ["runs/a"]}, "runs/a: no such checkpoint or run directory"),
    ],
)
def test_settings_out_of_range(prepare, workload, ends, tmp_path, settings, message):
    with pytest.raises(InputError, match=message):
        prepare(str(tmp_path / "path"), *ends, workload, **settings)
    assert not (tmp_path / "path").exists()


def test_a_workload_that_was_not_made_is_refused(prepare, ends, tmp_path):
    with pytest.raises(InputError, match="interpolate.workload is <class .*, not a Workload: in a gin file, @Workload"):
        prepare(str(tmp_path / "path"), *ends, Workload)
    assert not (tmp_path / "path").exists()


def test_points_of_different_workloads(prepare, workload, ends, tmp_path):
    other = dataclasses.replace(ends[0], origin=dataclasses.replace(ends[0].origin, workload="imagenet"))
    with pytest.raises(InputError, match="the start is of workload imagenet, the end of small"):
        prepare(str(tmp_path / "path"), other, ends[1], workload)
    checkpoint.save(tmp_path / "between", checkpoint.Checkpoint(other, {}))
    between = {"curve": Bezier(2), "control_points": [str(tmp_path / "between")]}
    with pytest.raises(InputError, match="the start is of workload small, a control point of imagenet"):
        prepare(str(tmp_path / "path"), *ends, workload, **between)
