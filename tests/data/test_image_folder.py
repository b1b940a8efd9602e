"""Protects: a tree of images as a dataset: classes by name, every kind of file, damaged ones named and skipped."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from sparse_rigl_lands.data import image_folder
from sparse_rigl_lands.data.image_folder import ImageFolder
from sparse_rigl_lands.data.imagenet import ImageNet
from sparse_rigl_lands.data.skipped import write_skipped
from sparse_rigl_lands.data.tfds_images import TfdsImages
from sparse_rigl_lands.errors import DECODING_SCOPE, InputError
from tests.data.tree import encoded, plant, which

KINDS = [("JPEG", "jpg"), ("PNG", "png"), ("JPEG", "JPEG"), ("BMP", "bmp")]


@pytest.fixture
def root(tmp_path):
    train = [("train", "abc"[i % 3], f"{i}.{KINDS[i % 4][1]}", encoded(i, KINDS[i % 4][0])) for i in range(14)]
    test = [("val", "ca"[i % 2], f"{i}.png", encoded(i, "PNG")) for i in range(5)]
    return plant(tmp_path / "tree", [*train, *test, ("train", "a", "notes.txt", b"no image")])


def test_splits_classes_and_counts(root):
    folder = ImageFolder(str(root), 16)
    assert (folder.image_shape, folder.num_classes) == ((16, 16, 3), 3)
    assert (folder.num_examples("train"), folder.num_examples("test")) == (14, 5)
    for split, classes in (("train", [0, 1, 2]), ("test", [2, 0])):
        images, labels, weights = next(iter(folder.evaluation_batches(split, 20)))
        found = which(images)[weights > 0]
        assert sorted(found) == list(range(folder.num_examples(split)))
        np.testing.assert_array_equal(labels[weights > 0], [classes[i % len(classes)] for i in found])
        assert list(found) != sorted(found)


def test_training_stream_holds_every_image_once_an_epoch_and_can_be_entered(root, monkeypatch):
    monkeypatch.setattr(image_folder, "_IMAGES_PER_FILE", 4)  # 14 images are four files of paths
    folder = ImageFolder(str(root), 16)
    batches = list(itertools.islice(folder.training_batches(7, 0, 0), 4))
    epochs = np.array([which(images) for images, _ in batches]).reshape(2, 14)
    np.testing.assert_array_equal(np.sort(epochs), np.tile(np.arange(14), (2, 1)))
    assert list(epochs[0]) != list(epochs[1])
    images, labels = next(iter(folder.training_batches(7, 0, 3)))
    np.testing.assert_array_equal(images, batches[3][0])
    np.testing.assert_array_equal(labels, batches[3][1])


def test_damaged_images_are_named_and_skipped(root, tmp_path):
    plant(root, [("train", "a", "broken.jpg", encoded(7)[:300]), ("train", "b", "empty.png", b"")])
    folder = ImageFolder(str(root), 16)
    ((file, count, damaged),) = folder.damaged("train")
    assert (count, sorted(damaged)) == (16, ["a/broken.jpg", "b/empty.png"])
    assert [faults for _, _, faults in folder.damaged("test")] == [{}]
    with pytest.raises(tf.errors.InvalidArgumentError, match=DECODING_SCOPE):
        list(folder.evaluation_batches("train", 16))
    write_skipped(tmp_path / "skip.json", {"train": {file: list(damaged)}, "test": {}})
    sound = ImageFolder(str(root), 16, skip=str(tmp_path / "skip.json"))
    assert sound.num_examples("train") == 14
    images, _, weights = next(iter(sound.evaluation_batches("train", 16)))
    assert sorted(which(images)[weights > 0]) == list(range(14))
    (root / "train" / "b" / "empty.png").unlink()
    with pytest.raises(InputError, match="b/empty.png is to be skipped, but there is no such image in"):
        ImageFolder(str(root), 16, skip=str(tmp_path / "skip.json"))


def test_hidden_files_and_directories_are_left_out(root):
    plant(root, [("train", ".checkpoints", "1.jpg", encoded(1)), ("train", "a", "._0.jpg", b"")])
    folder = ImageFolder(str(root), 16)
    assert (folder.num_classes, folder.num_examples("train")) == (3, 14)


@pytest.mark.parametrize("lanes", [1, 3, 7])
def test_lanes_are_almost_equal(root, lanes, monkeypatch):
    """Of 14 images 3 lanes cannot be; of ImageNet's 1,281,167 any number can."""
    monkeypatch.setattr(image_folder, "_IMAGES_PER_FILE", 2)
    if lanes == 3:
        with pytest.raises(InputError, match="of 3 lanes one would have 4 examples and another 5"):
            ImageFolder(str(root), 16, lanes)
        return
    batches = itertools.islice(ImageFolder(str(root), 16, lanes).training_batches(7, 0, 0), 2)
    assert sorted(np.concatenate([which(images) for images, _ in batches])) == list(range(14))


@pytest.mark.parametrize(
    ("kind", "setting", "others"),
    [
        (ImageFolder, "directory", {}),
        (ImageFolder, "skip", {"directory": "x"}),
        (ImageNet, "data_dir", {}),
        (ImageNet, "skip", {}),
        (TfdsImages, "data_dir", {"name": "x"}),
        (TfdsImages, "skip", {"name": "x"}),
    ],
)
def test_what_is_no_path_is_refused(kind, setting, others):
    with pytest.raises(InputError, match=rf"^{kind.__name__}\.{setting} is 3; it must be .*a text in quotes"):
        kind(**others, **{setting: 3})


@pytest.mark.parametrize("lanes", [0, "2", 1.5])
def test_impossible_lanes_are_refused(root, lanes):
    with pytest.raises(InputError, match=f"ImageFolder.lanes is {lanes!r}; it must be a whole number"):
        ImageFolder(str(root), 16, lanes)


def test_a_batch_or_hosts_that_lanes_do_not_divide(root):
    folder = ImageFolder(str(root), 16, lanes=2)
    folder.check_batch_size(4, hosts=2)
    with pytest.raises(InputError, match="ImageFolder.lanes is 2: a batch of 5 does not divide among 2 lanes"):
        folder.check_batch_size(5)
    with pytest.raises(InputError, match="ImageFolder.lanes is 2: 2 lanes do not divide among 3 hosts"):
        folder.check_batch_size(6, hosts=3)


def test_what_is_no_tree_of_images(root, tmp_path):
    with pytest.raises(InputError, match="ImageFolder.directory is 3; it must be a text in quotes"):
        ImageFolder(3)
    with pytest.raises(InputError, match="holds no tree of images: needed are train/ and one of test, val, validation"):
        ImageFolder(str(tmp_path))
    (tmp_path / "empty" / "train").mkdir(parents=True)
    (tmp_path / "empty" / "test").mkdir()
    with pytest.raises(InputError, match="train holds no images"):
        ImageFolder(str(tmp_path / "empty"))
    (root / "train" / "z").mkdir()
    with pytest.raises(InputError, match="train has the class z, of which there are no images"):
        ImageFolder(str(root))
    (root / "train" / "z").rmdir()
    plant(root, [("val", "z", "1.png", encoded(1, "PNG"))])
    with pytest.raises(InputError, match="val has the class z, of which there are no training images"):
        ImageFolder(str(root))
