"""Protects: scratch and lottery start where they should and never leave the sparse subspace."""

import dataclasses

import numpy as np
import pytest
import tf_keras

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.points import checkpoint, initializations
from sparse_rigl_lands.points.point import Origin
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.distributions import erdos_renyi_kernel, uniform
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.sparsity.pruned import PruningSchedule
from sparse_rigl_lands.training.fixed_mask import (
    Lottery,
    Scratch,
    checkpoint_mask,
    pruned_mask,
    random_mask,
    shuffled_mask,
)
from sparse_rigl_lands.training.methods import Pruned, ZeroedInit
from sparse_rigl_lands.training.pruned_run import PrunedRun
from sparse_rigl_lands.training.recipe import Recipe
from sparse_rigl_lands.training.run import prepare_run, train
from sparse_rigl_lands.training.schedules import WarmupStepDecay
from sparse_rigl_lands.training.trainer import Trainer

_RATE = WarmupStepDecay(0.2, drops=(12,))
_RECIPE = Recipe(steps=20, batch_size=64, learning_rate=_RATE, keep_steps=(4, 10), log_every=10)


@pytest.fixture
def study(one_device, workload, tmp_path):
    """Trains a run of the study, and returns its first and last point."""

    def train_run(method, seed=0, recipe=_RECIPE, name=None):
        directory = str(tmp_path / (name or f"{method.name}-seed{seed}"))
        run = train(prepare_run(directory, one_device, workload, method, recipe, seed))
        steps = run.checkpoint_steps()
        return [checkpoint.load(run.checkpoint(step)).point for step in (steps[0], steps[-1])], run

    return train_run


def _pruned(sparsity=0.8):
    return Pruned(PruningSchedule(5, 15, 5), lambda shapes: uniform(shapes, sparsity))


def test_lottery_is_the_pruned_runs_own_start_under_its_mask(study, workload):
    (dense, solution), _ = study(_pruned())
    (first, last), run = study(Lottery())
    assert first.mask == last.mask == solution.mask
    assert first.digest() == dense.under(solution.mask).digest()
    assert (first.origin, last.origin.global_step) == (Origin("small", "lottery", 0, 0), 20)
    summary = storage.read_json(run.summary)
    assert summary["sparsity"] == solution.mask.sparsity_of_all(variants.kernel_shapes(workload.network))
    assert all(layer["kept"] == layer["nonzero_at_start"] for layer in summary["layers"])


def test_lottery_rewinds_to_a_later_step_and_goes_on_from_there(study, streams, monkeypatch):
    (_, solution), pruned = study(_pruned())
    streams.clear()
    first_steps, take_steps = [], Trainer.take_steps

    def spy(self, batches, count):
        first_steps.append(int(self._optimizer.iterations))
        return take_steps(self, batches, count)

    monkeypatch.setattr(Trainer, "take_steps", spy)
    (first, last), run = study(Lottery(rewind_step=4), recipe=dataclasses.replace(_RECIPE, keep_steps=()))
    ticket = checkpoint.load(pruned.checkpoint(4)).point
    assert first.digest() == ticket.under(solution.mask).digest()
    assert first_steps[0] == 4  # of the learning rate
    assert [first_step for _, first_step in streams] == [4]
    assert storage.read_json(run.summary)["first_step"] == 4
    assert run.checkpoint_steps() == [4, 20]  # its own first is kept
    assert last.origin.global_step == 20


def test_a_rewound_run_that_was_stopped_goes_on_to_the_same_bits(study, stopped_after, tmp_path):
    study(_pruned())
    (_, undisturbed), _ = study(Lottery(rewind_step=4))
    with stopped_after(1):
        study(Lottery(rewind_step=4), name="stopped")
    assert files.RunFiles(tmp_path / "stopped").checkpoint_steps() == [4, 10]
    (first, last), _ = study(Lottery(rewind_step=4), name="stopped")
    assert first.origin.global_step == 4
    assert last.digest() == undisturbed.digest()


def test_scratch_starts_afresh_under_the_pruned_mask(study, workload):
    (dense, solution), _ = study(_pruned())
    (first, last), _ = study(Scratch())
    assert first.mask == last.mask == solution.mask
    assert first.digest() == initializations.scratch(workload.network, first.origin, solution.mask).digest()
    live = solution.mask.arrays["block1/conv2/kernel"]
    assert not np.any(first.weights["block1/conv2/kernel"][live] == dense.weights["block1/conv2/kernel"][live])
    assert first.distance(last) > 0.1


def test_scratch_with_the_variance_of_the_live_fan_in(study, workload):
    (_, solution), _ = study(_pruned())
    (first, _), _ = study(Scratch(live_fan_in=True))
    assert first.digest() == initializations.scratch(workload.network, first.origin, solution.mask, True).digest()


def test_other_masks(study, workload):
    (_, solution), pruned = study(_pruned())
    (shuffled, _), _ = study(Scratch(mask=shuffled_mask), name="shuffled")
    shapes = variants.kernel_shapes(workload.network)
    assert shuffled.mask.live_weights(shapes) == solution.mask.live_weights(shapes)
    assert shuffled.mask.overlap(solution.mask) < 0.3

    def mask_of_step_10(*arguments):
        return checkpoint_mask(*arguments, checkpoint=str(pruned.checkpoint(10)))

    (early, _), _ = study(Scratch(mask=mask_of_step_10), name="early")
    assert early.mask == checkpoint.load(pruned.checkpoint(10)).point.mask != solution.mask

    def erk_mask(*arguments):
        return random_mask(*arguments, distribution=lambda shapes: erdos_renyi_kernel(shapes, 0.6))

    (of_seed_5, _), _ = study(Scratch(mask=erk_mask), seed=5)  # there is no pruned run of seed 5
    assert of_seed_5.mask.sparsity_of_all(shapes) == pytest.approx(0.6, abs=len(shapes) / 1500)


def test_zeroed_is_the_dense_run_of_a_start_with_zeros(study, workload):
    (first, last), run = study(ZeroedInit(lambda shapes: uniform(shapes, 0.9)))
    assert not first.mask.arrays
    assert not last.mask.arrays
    dense = initializations.dense(workload.network, first.origin)
    fractions = uniform(variants.kernel_shapes(workload.network), 0.9)
    assert first.digest() == initializations.zeroed(dense, fractions).digest()
    name = "block1/conv2/kernel"
    assert np.mean(last.weights[name][first.weights[name] == 0] != 0) > 0.3  # nothing holds them at zero
    layers = {layer["kernel"]: layer for layer in storage.read_json(run.summary)["layers"]}
    assert layers["block1/conv2/kernel"]["nonzero_at_start"] == 576 - int(0.9 * 576)
    assert layers["block1/conv2/kernel"]["kept"] == 576


@pytest.mark.parametrize("method", [Scratch, Lottery])
def test_without_the_pruned_run_nothing_is_written(study, tmp_path, method):
    with pytest.raises(InputError, match="pruned-seed0 is not the directory of a run: .* builds upon this pruned run"):
        study(method())
    assert list(tmp_path.iterdir()) == []


def test_a_lottery_whose_run_kept_no_first_checkpoint_is_refused(study):
    _, pruned = study(_pruned())
    files.index_file(pruned.checkpoint(0)).unlink()
    with pytest.raises(InputError, match="has no checkpoint of step 0; it has 4, 10, 20. lottery starts from that"):
        study(Lottery())


def test_a_pruned_run_of_another_network_is_refused(study, workload, one_device, tmp_path):
    other = dataclasses.replace(workload, network=digits_resnet())
    train(prepare_run(str(tmp_path / "pruned-seed0"), one_device, other, _pruned(), _RECIPE))
    for method in (Scratch(), Lottery()):
        with pytest.raises(InputError, match="the mask is of another network: "):
            study(method)


def _empty_stem(shapes, seed, pruned_solution):
    return Mask({"stem/conv/kernel": np.zeros(shapes["stem/conv/kernel"], bool)})


def test_a_ticket_of_another_network_under_a_mask_that_fits_leaves_no_directory(study, workload, one_device, tmp_path):
    """The directory would belong to the configuration that failed."""
    images = workload.network.input
    x = tf_keras.layers.Dense(10, use_bias=False, name="head/dense")(workload.network.get_layer("head/pool").output)
    other = dataclasses.replace(workload, network=tf_keras.Model(images, x))
    train(prepare_run(str(tmp_path / "pruned-seed0"), one_device, other, _pruned(), _RECIPE))
    with pytest.raises(InputError, match="is of another network: it lacks head/dense/bias"):
        study(Lottery())
    assert not (tmp_path / "lottery-seed0").exists()


def test_a_mask_that_is_no_function_is_refused():
    with pytest.raises(InputError, match="Scratch.mask is 'pruned_mask'; it must be a function: @pruned_mask"):
        Scratch(mask="pruned_mask")


def test_a_mask_with_an_empty_kernel_is_refused_unless_asked_for(study):
    with pytest.raises(InputError, match=r"no weight in stem/conv/kernel.*Scratch.allow_empty_kernels = True"):
        study(Scratch(mask=_empty_stem))
    (first, last), _ = study(Scratch(mask=_empty_stem, allow_empty_kernels=True))
    assert not first.weights["stem/conv/kernel"].any()
    assert not last.weights["stem/conv/kernel"].any()


def test_a_sparsity_that_leaves_a_kernel_empty_is_refused_when_pruning(study, tmp_path):
    with pytest.raises(InputError, match=r"no weight is left in stem/conv/kernel \(of 36\)"):
        study(_pruned(0.99))
    assert list(tmp_path.iterdir()) == []
    (_, last), _ = study(Pruned(PruningSchedule(5, 15, 5), lambda shapes: uniform(shapes, 0.99), True))
    assert set(last.mask.empty_kernels()) == {"stem/conv/kernel", "block1/projection/conv/kernel"}  # of 36 and 32


def test_an_impossible_rewind_is_refused(study):
    with pytest.raises(InputError, match="Lottery.rewind_step is 20; it must be a step before 20"):
        study(Lottery(rewind_step=20))
    for step in (-1, 2.5, True):
        with pytest.raises(InputError, match=f"Lottery.rewind_step is {step}; it must be a whole number of at least 0"):
            Lottery(rewind_step=step)


@pytest.mark.parametrize("method", [Scratch, Lottery])
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"allow_empty_kernels": "False"}, "allow_empty_kernels is 'False'; it must be True or False"),
        ({"pruned_run": PrunedRun}, "pruned_run is <class .*, not a PrunedRun: in a gin file, @PrunedRun"),
    ],
)
def test_settings_of_another_kind_are_refused(method, settings, words):
    with pytest.raises(InputError, match=f"{method.__name__}.{words}"):
        method(**settings)


def test_a_flag_in_quotes_is_refused():
    """It would be true, whatever it says."""
    with pytest.raises(InputError, match="Scratch.live_fan_in is 'False'; it must be True or False"):
        Scratch(live_fan_in="False")
    with pytest.raises(InputError, match="Pruned.allow_empty_kernels is 'False'; it must be True or False"):
        Pruned(PruningSchedule(5, 15, 5), allow_empty_kernels="False")


def test_the_sources_mask_is_told_in_the_record(study):
    study(_pruned())
    for method, name in ((Scratch(), "scratch-seed0"), (Scratch(mask=shuffled_mask), "shuffled")):
        _, run = study(method, name=name)
        source = pruned_mask if name == "scratch-seed0" else shuffled_mask
        assert f"mask = '{source.__name__}'" in run.config.read_text()
