"""Protects: a plan of training tells what the run then does; on digits its numbers are those of a pencil."""

import dataclasses

import pytest

from sparse_rigl_lands import devices, files
from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.sparsity.distributions import uniform
from sparse_rigl_lands.sparsity.pruned import PruningSchedule
from sparse_rigl_lands.training.methods import Dense, Pruned, ZeroedInit
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.plan import plan_of
from sparse_rigl_lands.training.recipe import Recipe
from sparse_rigl_lands.training.run import prepare_run, train
from sparse_rigl_lands.training.schedules import WarmupStepDecay
from sparse_rigl_lands.training.workload import Workload

_WEIGHTS, _KERNELS, _STATISTICS = 77_754, 77_072, 672  # 2 for each of the 336 channels that BatchNorm normalizes


@pytest.fixture
def digits():
    return Workload("digits", Digits(), digits_resnet(), Objective())


def _recipe(**settings):
    defaults = {"steps": 2000, "batch_size": 128, "learning_rate": WarmupStepDecay(1.0, 50, (1200, 1600))}
    return Recipe(**{**defaults, **settings})


def _pruned(begin=100, end=1000, frequency=10):
    caps = {"stem/conv/kernel": 0.0, "head/dense/kernel": 0.8}
    return Pruned(PruningSchedule(begin, end, frequency), lambda shapes: uniform(shapes, 0.99, caps))


def test_the_pruned_run_on_digits(digits, one_device, tmp_path):
    plan = plan_of(prepare_run(str(tmp_path / "run"), one_device, digits, _pruned(), _recipe()))
    assert (plan.workload, plan.dataset, plan.network, plan.method) == ("digits", "Digits", "digits_resnet", "pruned")
    assert plan.images == {"train": 1437, "test": 360}
    assert plan.epochs == pytest.approx(178.15, abs=0.01)
    assert plan.weights == _WEIGHTS
    assert (len(plan.mask_updates), plan.mask_updates[0], plan.mask_updates[-1]) == (91, 100, 1000)
    assert plan.kept_checkpoints == [0, 2000]
    assert plan.learning_rate["drops"] == (1200, 1600)
    assert (plan.replicas, plan.batch_size, plan.precision) == (1, 128, "float32")

    flops = {kernel.kernel: kernel.flops for kernel in plan.kernels}
    assert flops == {
        "stem/conv/kernel": 2 * 144 * 64,  # weights, places
        "block1/conv1/kernel": 2 * 2304 * 64,
        "block1/conv2/kernel": 2 * 2304 * 64,
        "block2/conv1/kernel": 2 * 4608 * 16,
        "block2/projection/conv/kernel": 2 * 512 * 16,
        "block2/conv2/kernel": 2 * 9216 * 16,
        "block3/conv1/kernel": 2 * 18432 * 4,
        "block3/projection/conv/kernel": 2 * 2048 * 4,
        "block3/conv2/kernel": 2 * 36864 * 4,
        "head/dense/kernel": 2 * 640,
    }
    assert plan.forward_flops == 1_527_040
    kept = {kernel.kernel: kernel.kept for kernel in plan.kernels}
    assert kept["block3/conv2/kernel"] == 369
    assert plan.sparsity == pytest.approx(1 - 1034 / _KERNELS)
    at_places = 144 * 64 + 2 * 23 * 64 + (46 + 5 + 92) * 16 + (184 + 20 + 369) * 4 + 128
    assert plan.sparse_forward_flops == 2 * at_places

    training, evaluation = plan.stages
    assert (training.forward, training.backward) == (2000 * 128, 2000 * 128)
    assert training.flops == 3 * 1_527_040 * 2000 * 128
    assert (evaluation.forward, evaluation.backward, evaluation.flops) == (1797, 0, 1797 * 1_527_040)
    stem, block1, block2, block3 = 2 * 1024, 4 * 1024, 1600 + 5 * 512, 1152 + 5 * 256  # with the padded images
    assert training.memory == {
        "weights and moving statistics": 4 * (_WEIGHTS + _STATISTICS),
        "masks": 4 * (_KERNELS - 144),  # the first kernel has none
        "gradients": 4 * _WEIGHTS,
        "momentum": 4 * _WEIGHTS,
        "activations kept for the backward pass": 4 * 128 * (stem + block1 + block2 + block3 + 64),
        "images of a batch": 4 * 128 * 64,
    }
    assert plan.replica_memory == devices.replica_memory(one_device)
    assert not (tmp_path / "run").exists()


def test_replicas_share_the_batch_and_bfloat16_halves_the_activations(digits, one_device, mirrored, tmp_path):
    one, two = (
        plan_of(prepare_run(str(tmp_path), strategy, digits, Dense(), _recipe(precision=precision)))
        for strategy, precision in ((one_device, "float32"), (mirrored, "mixed_bfloat16"))
    )
    assert (one.replicas, two.replicas) == (1, 2)
    before, after = one.stages[0].memory, two.stages[0].memory
    activations, images = "activations kept for the backward pass", "images of a batch"
    assert after[activations] * 4 == before[activations]
    assert after[images] * 2 == before[images]
    assert {**after, activations: 0, images: 0} == {**before, activations: 0, images: 0}
    assert one.stages[0].flops == two.stages[0].flops


def test_without_masks(digits, one_device, tmp_path):
    recipe = _recipe(keep_steps=(500, 700))
    method = ZeroedInit(lambda shapes: uniform(shapes, 0.5))
    prepared = prepare_run(str(tmp_path), one_device, digits, method, recipe)
    plan = plan_of(prepared)
    assert (plan.mask_updates, plan.sparsity, plan.stages[0].memory["masks"]) == ([], 0, 0)
    assert plan.sparse_forward_flops == plan.forward_flops
    assert plan.checkpoint_bytes == 4 * (2 * _WEIGHTS + _STATISTICS)
    assert sum(kernel.nonzero_at_start for kernel in plan.kernels) == _KERNELS / 2
    assert plan.kept_checkpoints == [0, 500, 700, 2000]

    point = prepared.initialization
    later = dataclasses.replace(point, origin=dataclasses.replace(point.origin, global_step=500))  # as of a lottery
    rewound = plan_of(dataclasses.replace(prepared, initialization=later))
    assert rewound.kept_checkpoints == [500, 700, 2000]
    assert rewound.stages[0].forward == 1500 * 128


def test_a_run_does_what_its_plan_says(digits, one_device, tmp_path):
    prepared = prepare_run(str(tmp_path), one_device, digits, _pruned(1, 3, 1), _recipe(steps=5, batch_size=32))
    plan, updates = plan_of(prepared), []
    intervention = prepared.method.intervention

    def counted(model, momentum):
        update = intervention(model, momentum)
        return lambda step: (updates.append(step), update(step))

    prepared.method.intervention = counted
    run = train(prepared)
    assert updates == plan.mask_updates == [1, 2, 3]
    assert run.checkpoint_steps() == plan.kept_checkpoints
    size = files.data_file(run.checkpoint(5)).stat().st_size
    assert size == pytest.approx(plan.checkpoint_bytes, rel=0.02)
