"""Protects: a plan on the terminal tells its numbers, each with its unit."""

import dataclasses

import pytest
from rich.console import Console

from sparse_rigl_lands.paths.fitting import Fitting
from sparse_rigl_lands.paths.plan import PathPlan
from sparse_rigl_lands.reporting import plans
from sparse_rigl_lands.training.plan import KernelPlan, TrainingPlan
from sparse_rigl_lands.training.schedules import WarmupStepDecay
from sparse_rigl_lands.training.stage import Stage


@pytest.fixture
def training():
    memory = {"masks": 102_000_000, "momentum": 0, "activations kept for the backward pass": 22_400_000_000}
    return TrainingPlan(
        directory="runs/[a]",
        workload="imagenet",
        dataset="ImageNet",
        network="resnet50",
        method="pruned",
        image_shape=(224, 224, 3),
        images={"train": 1_281_167, "test": 50_000},
        weights=25_557_032,
        kernels=[KernelPlan("stem/conv/kernel", (7, 7, 3, 64), 9408, 9408, 1882, 236_027_904)],
        mask_updates=range(10_000, 25_001, 500),
        first_step=0,
        last_step=32_000,
        batch_size=4096,
        replicas=8,
        replica_memory=16 * 2**30,
        precision="mixed_bfloat16",
        learning_rate={"schedule": "WarmupStepDecay", "peak": 1.6, "drops": (9384, 18767)},
        stages=[Stage("training", 131_072_000, 131_072_000, 3_215_881_941_614_592_000, memory)],
        checkpoint_bytes=230_172_200,
        kept_checkpoints=[0, 32_000],
    )


@pytest.fixture
def path():
    return PathPlan(
        directory="runs/paths/a_to_b",
        curve="cubic Bezier curve",
        start="a",
        end="b",
        mask="end",
        control_points=4,
        fitting=Fitting(steps=8000, batch_size=1024, learning_rate=WarmupStepDecay(0.4), manifold="sparse"),
        workload="imagenet",
        dataset="ImageNet",
        network="resnet50",
        images=1_281_167,
        looks=[4096, 8192, 500_000],
        places=51,
        batch_norm="batch",
        batch_size=128,
        replicas=1,
        replica_memory=None,
        precision="float32",
        forward_flops=8_178_368_512,
        stages=[
            Stage("fit", 8_192_000, 8_192_000, 2 * 10**17, {}),
            Stage("evaluation", 26_500_000, 0, 217 * 10**15, {}),
        ],
    )


def _shown(renderable):
    console = Console(width=200, record=True, quiet=False)
    console.print(renderable)
    return console.export_text()


def test_plan_of_training(training):
    text = _shown(plans.training_table(training))
    for words in (
        "Sparsity after step 32,000",
        "7x7x3x64",
        "imagenet: ImageNet, 1,281,167 training and 50,000 test images of 224x224x3",
        "resnet50, 25,557,032 weights, 1 kernels",
        "pruned, to a sparsity of 0.8000 of all kernels",
        "31, the first before step 10,000, the last before step 25,000",
        "from step 0 to 32,000, 102.3 epochs; batches of 4,096 images on 8 replicas, 512 on each; mixed_bfloat16",
        "WarmupStepDecay: peak 1.6, drops 9,384, 18,767",
        "236 MFLOPs an image, 2 for every multiply-add of a kernel; 47.2 MFLOPs if the zeros",
        "230 MB each with their momentum and masks; kept are those of the steps 0, 32,000",
        "runs/[a]; nothing was written",
        "3.22 E",
        "Memory of a replica, training",
        "22.4 GB",
        "22.5 GB",  # all
        "its device has                          17.2 GB",
        "By this estimate there is too little memory for: training. Memory is estimated from shapes",
    ):
        assert words in text
    assert "momentum  " not in text  # there is none
    assert "none" in _shown(plans.training_table(dataclasses.replace(training, mask_updates=[])))


def test_what_fits_or_is_not_known_to_is_not_warned_of(training):
    for memory in (None, 23 * 10**9):
        text = _shown(plans.training_table(dataclasses.replace(training, replica_memory=memory)))
        assert "too little memory" not in text
        assert ("its device has" in text) == (memory is not None)


def test_every_stage_of_a_path_that_does_not_fit_is_named(path):
    stages = [
        dataclasses.replace(stage, memory={"weights": size}) for stage, size in zip(path.stages, (5, 7), strict=True)
    ]
    for memory, named in ((4, "fit, evaluation"), (6, "evaluation")):
        text = _shown(plans.path_table(dataclasses.replace(path, stages=stages, replica_memory=memory)))
        assert f"too little memory for: {named}. " in text


def test_plan_of_a_path(path):
    text = _shown(plans.path_table(path))
    for words in (
        "cubic Bezier curve from a to b, mask: end",
        "2 control points, sparse; 8,000 steps, batches of 1,024 images on 1 replica; float32",
        "51 values of t, and the two ends by their own statistics and mask",
        "at most 500,000 of 1,281,167 images, each read once for all places; looks at 4,096, 8,192, 500,000",
        "8.18 GFLOPs an image",
        "417 P",  # all
    ):
        assert words in text
    assert "Memory of a replica" not in text
    line = _shown(plans.path_table(dataclasses.replace(path, fitting=None, looks=[500_000])))
    assert "none" in line
    assert "looks" not in line
    assert " 500,000 of 1,281,167 images" in line
