"""Protects: ``train.py`` as a person runs it, killed and restarted, and given bad input."""

import shutil
import signal
import subprocess
import sys

import pytest

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.points import checkpoint
from tests.commands import ROOT, SMALL_TRAINING


@pytest.mark.slow
def test_killed_or_asked_to_end_at_any_moment_it_ends_with_the_same_bits(commands, small_run, tmp_path):
    run, undisturbed = files.RunFiles(tmp_path / "killed"), files.RunFiles(small_run)
    steps_at_kill = []
    # after the first checkpoint, and after later ones
    for moment, how in ((0, signal.SIGKILL), (15, signal.SIGTERM), (45, signal.SIGKILL)):
        process = commands.start("train.py", *SMALL_TRAINING, f"--output_dir={run.directory}")
        commands.until(lambda moment=moment: max(run.checkpoint_steps(), default=-1) >= moment, process)
        process.send_signal(how)
        _, errors = process.communicate()
        steps_at_kill.append(run.checkpoint_steps()[-1])
        if how == signal.SIGTERM:
            assert process.returncode == 75
            told = f"stopped by SIGTERM after step {steps_at_kill[-1]}, which is saved; run the same command to go on"
            assert told in errors
        assert not run.summary.exists()
    assert steps_at_kill == sorted(set(steps_at_kill))  # each went on from the one before
    commands.run("train.py", *SMALL_TRAINING, f"--output_dir={run.directory}")
    for file in (files.data_file(run.checkpoint(60)), run.metrics, run.config):
        expected = undisturbed.directory / file.relative_to(run.directory)
        assert file.read_bytes() == expected.read_bytes(), file
    assert run.checkpoint_steps() == [0, 60]
    summaries = [storage.read_json(each.summary) for each in (run, undisturbed)]
    for summary in summaries:
        del summary["seconds_of_last_process"]
    assert summaries[0] == summaries[1]


def test_what_it_prints(commands, small_run):
    """Run again, a finished run is recognised and told once more."""
    output = commands.run("train.py", *SMALL_TRAINING, f"--output_dir={small_run}")
    for words in ("block3/conv2/kernel", "369", "Sparsity after step 60", "test: cross-entropy", "on 360 images"):
        assert words in output
    assert f"checkpoint: {small_run}/checkpoints/step_00000060" in output


@pytest.mark.parametrize("method", ["lottery", "scratch"])
def test_after_the_pruned_run_others_are_trained_under_its_mask(commands, small_run, tmp_path, method):
    pruned, run = files.RunFiles(tmp_path / "pruned-seed0"), files.RunFiles(tmp_path / f"{method}-seed0")
    flags = [f"--gin_file=gin/digits/{method}.gin", *SMALL_TRAINING[1:], f"--output_dir={run.directory}"]
    error = commands.refuses("train.py", *flags)
    assert f"{pruned.directory} is not the directory of a run: it has no summary.json. " in error
    assert f"{method} builds upon this pruned run; make it first: " in error
    command = f"python train.py --gin_file=gin/digits/pruned.gin --seed=0 --output_dir={pruned.directory}"
    assert command in error
    assert not run.directory.exists()
    shutil.copytree(small_run, pruned.directory)
    commands.run("train.py", *flags)
    masks = [checkpoint.load(each.checkpoint(60)).point.mask for each in (run, pruned)]
    assert masks[0] == masks[1]
    assert masks[0].arrays


@pytest.mark.parametrize(("method", "at_start"), [("dense", 36864), ("zeroed_init", 36864 - 33177)])
def test_dense_and_zeroed_runs_need_no_other(commands, tmp_path, method, at_start):
    run = files.RunFiles(tmp_path / "run")
    flags = [f"--gin_file=gin/digits/{method}.gin", *SMALL_TRAINING[1:], f"--output_dir={run.directory}"]
    commands.run("train.py", *flags)
    layers = {layer["kernel"]: layer for layer in storage.read_json(run.summary)["layers"]}
    largest = layers["block3/conv2/kernel"]
    assert (largest["nonzero_at_start"], largest["kept"]) == (at_start, 36864)


@pytest.mark.slow(minutes=3)
def test_the_papers_file_on_a_small_imagenet(commands, prepared_imagenet, tmp_path):
    """ResNet-50 at 224 is trained, asked to end, goes on, and is interpolated."""
    run = files.RunFiles(tmp_path / "run")
    settings = {
        "ImageNet.data_dir": f"{str(prepared_imagenet)!r}",
        "ImageNet.lanes": 1,  # of five files of 4 or 5 images no more are equal
        "Recipe.steps": 4,
        "Recipe.batch_size": 4,
        "Recipe.checkpoint_every": 1,
        "WarmupStepDecay.peak": 0.01,
        "PruningSchedule.begin_step": 2,
        "PruningSchedule.end_step": 3,
        "PruningSchedule.frequency": 1,
    }
    arguments = ["train.py", "--gin_file=gin/pruned.gin", f"--output_dir={run.directory}"]
    arguments += [f"--gin_param={name}={value}" for name, value in settings.items()]
    process = commands.start(*arguments)
    commands.until(lambda: max(run.checkpoint_steps(), default=-1) >= 1, process)
    process.terminate()
    process.communicate()
    assert process.returncode == 75
    stopped_at = run.checkpoint_steps()[-1]
    assert 1 <= stopped_at < 4
    output = commands.run(*arguments)
    assert "on 7 images" in output
    mask = checkpoint.load(run.checkpoint(4)).point.mask
    assert mask.sparsity("stem/conv/kernel") == pytest.approx(0.8, abs=1e-4)
    path = ["--gin_param=interpolate.num_points=2", "--gin_param=interpolate.batch_size=2"]
    path += ["--gin_file=gin/line.gin", "--gin_param=Sample.images=16", f"--output_dir={tmp_path / 'path'}"]
    commands.run("interpolate.py", f"--start={run.checkpoint(0)}", f"--end={run.directory}", *path)
    assert storage.read_json(files.PathFiles(tmp_path / "path").result)["images"] == 16


def test_a_dry_run_tells_the_plan_and_writes_nothing(commands, tmp_path):
    memory = "--gin_param=replica_memory.gib=0.001"
    output = commands.run("train.py", *SMALL_TRAINING, "--dry_run", memory, f"--output_dir={tmp_path / 'run'}")
    for words in (
        "block3/conv2/kernel",
        "digits: Digits, 1,437 training and 360 test images of 8x8x1",
        "3, the first before step 10, the last before step 30",
        "1.53 MFLOPs an image",
        "Memory of a replica, training",
        "1.07 MB",  # its device has
        "too little memory for: training.",
    ):
        assert words in output
    assert not any(tmp_path.iterdir())


def test_a_dry_run_refuses_what_the_run_would(commands, tmp_path):
    stops_short = ["--gin_param=PruningSchedule.end_step=35", "--dry_run", f"--output_dir={tmp_path / 'run'}"]
    assert "end at 30, not at end_step 35" in commands.refuses("train.py", *SMALL_TRAINING, *stops_short)
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
def test_the_plan_of_the_papers_pruned_run_needs_no_data_to_be_told(commands, tmp_path):
    """As it is, images of 224 and batches of 4096."""
    where = f"--gin_param=ImageNet.data_dir={str(tmp_path / 'nowhere')!r}"
    process = commands.start(
        "train.py", "--gin_file=gin/pruned.gin", where, "--dry_run", f"--output_dir={tmp_path / 'run'}"
    )
    output, errors = process.communicate()
    assert process.returncode == 1
    assert errors.startswith("error: imagenet2012, version 5.1.0 or 5.0.0, is not prepared in")
    output = " ".join(output.split())
    for words in (
        "imagenet: ImageNet, 1,281,167 training and 50,000 test images of 224x224x3",
        "from step 0 to 32,000, 102.3 epochs",
        "resnet50, 25,557,032 weights, 54 kernels",
        "pruned, to a sparsity of 0.8000 of all kernels",
        "31, the first before step 10,000, the last before step 25,000",
        "batches of 4,096 images on 1 replica; mixed_bfloat16",
        "peak 1.6, warmup_steps 1,564, drops 9,384, 18,767, 25,023, factor 0.1",
        "8.18 GFLOPs an image, 2 for every multiply-add of a kernel; 1.64 GFLOPs if the zeros",
        "training 131,072,000 131,072,000 3.22 E",
        "activations kept for the backward pass 179 GB",
        "images of a batch 617 MB",
        "230 MB each",
    ):
        assert words in output
    assert not any(tmp_path.iterdir())


def test_without_imagenet_its_preparation_is_told(commands, tmp_path):
    where = f"--gin_param=ImageNet.data_dir={str(tmp_path / 'nowhere')!r}"
    flags = ["--gin_file=gin/pruned.gin", where, f"--output_dir={tmp_path / 'run'}"]
    error = commands.refuses("train.py", *flags, afresh=True)  # so that TensorFlow has its chance to say more
    assert "imagenet2012, version 5.1.0 or 5.0.0, is not prepared in" in error
    assert "gin/digits/ has the same experiments" in error
    assert not (tmp_path / "run").exists()


def test_help_does_not_wait_for_what_takes_seconds_to_import():
    command = [sys.executable, "-X", "importtime", "train.py", "--help"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for flag in ("--gin_file", "--gin_param", "--output_dir", "--[no]dry_run", "--[no]debug", "--seed"):
        assert flag in process.stdout
    assert "absl.flags" in process.stderr
    for slow in ("tensorflow", "pandas", "matplotlib"):
        assert slow not in process.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--gin_param=Recipe.step=5"], "close names: steps"),
        (
            ["--gin_param=uniform.sparsity=1.0"],
            "uniform.sparsity is 1.0; it must be a number of at least 0",
        ),
        (["--gin_param=uniform.sparsity=-0.5"], "uniform.sparsity is -0.5; it must be a number of at least 0"),
        (["--gin_param=uniform.sparsity='0.5'"], "uniform.sparsity is '0.5'; it must be a number of at least 0"),
        (["--gin_param=Recipe.steps=@Recipe()"], "gin: something is bound to be made of itself, without end"),
        (["--gin_param=PruningSchedule.end_step=35"], "end at 30, not at end_step 35"),
        (["--gin_param=PruningSchedule.end_step=100"], "ends at step 100, but training at 60"),
        (["--gin_param=WarmupStepDecay.peak=1e30"], "at step "),
    ],
)
def test_bad_settings(commands, tmp_path, arguments, words):
    assert words in commands.refuses("train.py", *SMALL_TRAINING, *arguments, f"--output_dir={tmp_path / 'run'}")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--gin_fil=x"], "Unknown command line flag 'gin_fil'"),
        ([], "gin_file"),
        (["--gin_file=gin/digits/pruned.gin", "train"], "unexpected argument 'train'"),
    ],
)
def test_wrong_usage(commands, arguments, words):
    assert words in commands.refuses("train.py", *arguments, status=2)


def test_incomplete_configuration(commands, tmp_path):
    error = commands.refuses("train.py", "--gin_file=gin/digits/workload.gin", f"--output_dir={tmp_path}")
    assert "'method'" in error


def test_directory_of_another_configuration_is_left_alone(commands, small_run, tmp_path):
    shutil.copytree(small_run, tmp_path / "run")
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    error = commands.refuses(
        "train.py", *SMALL_TRAINING, "--gin_param=uniform.sparsity=0.9", f"--output_dir={tmp_path / 'run'}"
    )
    assert "belongs to another configuration (uniform.sparsity is 0.99 there and 0.9 here)" in error
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before


def test_a_dry_run_tells_that_the_directory_is_of_another_configuration(commands, small_run):
    other = ["--gin_param=uniform.sparsity=0.9", f"--output_dir={small_run}"]
    before = {path: path.read_bytes() for path in small_run.rglob("*") if path.is_file()}
    assert "belongs to another configuration" in commands.refuses("train.py", *SMALL_TRAINING, *other, "--dry_run")
    assert "Memory of a replica" in commands.run("train.py", *SMALL_TRAINING, f"--output_dir={small_run}", "--dry_run")
    assert {path: path.read_bytes() for path in small_run.rglob("*") if path.is_file()} == before


def test_directory_that_cannot_be_written(commands, tmp_path):
    (tmp_path / "file").write_text("")
    error = commands.refuses("train.py", *SMALL_TRAINING, f"--output_dir={tmp_path / 'file' / 'run'}")
    assert "cannot write to" in error
