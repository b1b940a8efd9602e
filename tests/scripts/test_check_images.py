"""Protects: the look at all images as a person makes it, and a training that meets a damaged one."""

import shutil

import pytest

from sparse_rigl_lands import files, storage
from tests.data.tree import encoded, plant


@pytest.fixture
def flags(tmp_path):
    """Of a small network on a tree of images, two of them damaged."""
    damaged = {("train", 3): b"", ("test", 4): encoded(4)[:200]}
    images = [
        (split, str(i % 3), f"{i}.jpg", damaged.get((split, i), encoded(i)))
        for split, count in (("train", 12), ("test", 6))
        for i in range(count)
    ]
    settings = [
        "import sparse_rigl_lands.data.image_folder",
        "Workload.dataset=@ImageFolder()",
        f"ImageFolder.directory='{plant(tmp_path / 'tree', images)}'",
        "ImageFolder.image_size=16",
        "digits_resnet.image_shape=(16, 16, 3)",
        "digits_resnet.num_classes=3",
        "digits_resnet.standardise=True",
        "Recipe.batch_size=4",
        "Recipe.steps=5",
        "WarmupStepDecay.drops=()",
    ]
    return ["--gin_file=gin/digits/dense.gin", *(f"--gin_param={setting}" for setting in settings)]


def test_a_file_that_cannot_be_read_is_named(commands, prepared_imagenet, tmp_path):
    """A training that met it has sent the person here."""
    data = shutil.copytree(prepared_imagenet, tmp_path / "data")
    file = next(data.rglob("*train*tfrecord*"))
    file.write_bytes(file.read_bytes()[:-9])
    flags = ["--gin_file=gin/pruned.gin", f"--gin_param=ImageNet.data_dir='{data}'", "--gin_param=ImageNet.lanes=1"]
    error = commands.refuses("scripts/check_images.py", *flags, f"--output_dir={tmp_path / 'looked'}")
    assert f"{file} cannot be read: " in error
    assert "check_images.py" not in error


def test_damaged_images_are_told_named_and_skipped(commands, flags, tmp_path):
    run, looked = tmp_path / "run", tmp_path / "looked"
    error = commands.refuses("train.py", *flags, f"--output_dir={run}")
    assert "an image cannot be decoded" in error
    assert "scripts/check_images.py with the same gin file names it" in error
    output = commands.run("scripts/check_images.py", *flags, f"--output_dir={looked}")
    assert "train: 1 damaged\n  0/3.jpg: not an image\n" in output
    assert "test: 1 damaged\n  1/4.jpg: " in output
    skip = [f"--gin_param=ImageFolder.skip='{looked / 'skip.json'}'"]
    commands.run("train.py", *flags, *skip, f"--output_dir={tmp_path / 'other'}")
    summary = storage.read_json(files.RunFiles(tmp_path / "other").summary)
    assert (summary["train_augmented"]["count"], summary["test"]["count"]) == (11, 5)
