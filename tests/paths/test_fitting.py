"""Protects: a fit minimises what it says where it says, goes on where it was stopped, and refuses the impossible."""

import dataclasses
import functools

import numpy as np
import pytest
import tf_keras

from sparse_rigl_lands import files
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.curves import Bezier
from sparse_rigl_lands.paths.evaluator import PathEvaluator
from sparse_rigl_lands.paths.fitting import CurveFit, Fitting
from sparse_rigl_lands.paths.partial_sums import added_up
from sparse_rigl_lands.paths.weight_path import WeightPath
from sparse_rigl_lands.training.schedules import WarmupStepDecay
from sparse_rigl_lands.training.trainer import Trainer
from tests.random_points import random_mask, random_point


def _fitting(**settings):
    rate = WarmupStepDecay(0.1)
    return Fitting(
        **{"steps": 20, "batch_size": 32, "learning_rate": rate, "log_every": 5, "checkpoint_every": 10, **settings}
    )


@pytest.fixture
def path(network):
    """A cubic between two points of one mask."""
    mask = random_mask(network, 0.5)
    return WeightPath.between(network, *(random_point(network, seed).under(mask) for seed in (0, 1)), Bezier(3))


@pytest.mark.parametrize("manifold", ["sparse", "dense"])
def test_the_expected_loss_falls_within_the_manifold(workload, path, one_device, tmp_path, manifold):
    fitting = _fitting(manifold=manifold, steps=80, learning_rate=WarmupStepDecay(0.5))
    fitted = CurveFit(one_device, workload, path, fitting, seed=0).run(files.RunFiles(tmp_path))

    def mean_loss(path):
        evaluator = PathEvaluator(workload.network, path, np.linspace(0.2, 0.8, 3), workload.objective, one_device)
        batches = functools.partial(workload.dataset.evaluation_batches, "train", 128, True, 0, 512, 0)
        return evaluator.path_of(added_up(evaluator.losses("batch")(batches))).losses.cross_entropy.mean()

    assert mean_loss(fitted) < mean_loss(path) - 0.1
    for point, start in zip(fitted.inner, path.inner, strict=True):
        assert (point.mask == path.mask) == (manifold == "sparse")
        assert point.digest() != start.digest()
        assert point.origin.method in (f"cubic_{manifold}_1", f"cubic_{manifold}_2")
        assert point.origin.global_step == 80
        outside = sum(np.count_nonzero(point.weights[name][~live]) for name, live in path.mask.arrays.items())
        assert (outside == 0) == (manifold == "sparse")
    assert [fitted.control_points[i] is path.control_points[i] for i in (0, -1)] == [True, True]


def test_stopped_anywhere_it_goes_on_to_the_same_bits(workload, path, one_device, tmp_path, monkeypatch, stopped_after):
    def fit(directory):
        fit = CurveFit(one_device, workload, path, _fitting(manifold="sparse"), seed=3)
        return fit.run(files.RunFiles(tmp_path / directory))

    expected = fit("undisturbed")
    with stopped_after(3):
        fit("stopped")
    assert files.RunFiles(tmp_path / "stopped").checkpoint_steps() == [0, 10]
    found = fit("stopped")
    assert [p.digest() for p in found.inner] == [p.digest() for p in expected.inner]
    tables = [files.RunFiles(tmp_path / name).metrics.read_bytes() for name in ("undisturbed", "stopped")]
    assert tables[0] == tables[1]
    assert tables[0].count(b"\n") == 1 + 4
    monkeypatch.setattr(Trainer, "take_steps", None)
    assert [p.digest() for p in fit("stopped").inner] == [p.digest() for p in expected.inner]


def test_its_images_are_keyed_apart_from_trainings_and_evaluations(workload, path, one_device, tmp_path, streams):
    """No batch of the fit is one of training with this seed, or one of the evaluation."""
    CurveFit(one_device, workload, path, _fitting(steps=1), seed=0).run(files.RunFiles(tmp_path / "fit"))
    CurveFit(one_device, workload, path, _fitting(steps=1), seed=1).run(files.RunFiles(tmp_path / "other"))
    seeds, digits = [seed for seed, _ in streams], workload.dataset
    assert len({0, 1, *seeds}) == 4
    batches = {
        "fit": digits.training_batches(128, seeds[0], 0).take(11),
        "training": digits.training_batches(128, 0, 0).take(11),
        "evaluation": digits.evaluation_batches("train", 128, True, 0, limit=11 * 128),
    }
    found = {name: {images.numpy().tobytes() for images, *_ in stream} for name, stream in batches.items()}
    assert not found["fit"] & found["training"]
    assert not found["fit"] & found["evaluation"]


def test_a_point_outside_of_the_sparse_manifold_is_no_start(workload, path, one_device):
    outside = path.through([random_point(workload.network, seed) for seed in (5, 6)])
    CurveFit(one_device, workload, outside, _fitting(manifold="dense"), seed=0)
    with pytest.raises(InputError, match="control point 1 is not in the sparse subspace"):
        CurveFit(one_device, workload, outside, _fitting(manifold="sparse"), seed=0)


def test_what_cannot_be_fitted(workload, path, mirrored):
    unmasked = WeightPath.between(workload.network, path.start, path.end, path.curve, "none")
    with pytest.raises(InputError, match="Fitting.manifold is 'sparse', but the path has no mask"):
        CurveFit(mirrored, workload, unmasked, _fitting(manifold="sparse"), seed=0)
    with pytest.raises(InputError, match="Fitting.batch_size 33 does not divide among 2 replicas"):
        CurveFit(mirrored, workload, path, _fitting(batch_size=33), seed=0)
    too_short = tf_keras.optimizers.schedules.CosineDecay(0.1, 10)
    with pytest.raises(InputError, match="Fitting.learning_rate falls to zero before the last of 20 steps"):
        CurveFit(mirrored, workload, path, _fitting(learning_rate=too_short), seed=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "Fitting.steps is 0; it must be a whole number of at least 1"),
        ({"momentum": 1.0}, "Fitting.momentum is 1.0; it must be a number of at least 0 and below 1"),
        ({"learning_rate": 0.1}, "Fitting.learning_rate is 0.1, not a LearningRateSchedule: in a gin file, @WarmupS"),
        ({"manifold": "both"}, "Fitting.manifold is 'both'; known are sparse, dense"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(InputError, match=message):
        _fitting(**settings)


def test_all_of_it_is_recorded():
    settings = _fitting(manifold="sparse").settings()
    assert settings.keys() == {field.name for field in dataclasses.fields(Fitting)}
    assert settings["learning_rate"] == {"WarmupStepDecay": WarmupStepDecay(0.1).get_config()}
