"""Images in a tree of directories, one per class."""

import itertools
import os
import pathlib
from typing import get_args

import gin
import numpy as np
import tensorflow as tf

from sparse_rigl_lands import checks
from sparse_rigl_lands.data.dataset import Split
from sparse_rigl_lands.data.photographs import Photographs, Source
from sparse_rigl_lands.data.skipped import Skipped, read_skipped
from sparse_rigl_lands.errors import InputError

_TEST_NAMES = ("test", "val", "validation")
_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp"}
_IMAGES_PER_FILE = 1000  # paths that stand for a file of records
_ORDER_SEED = 0


@gin.configurable(module="sparse_rigl_lands")
class ImageFolder(Photographs):
    """Images in ``<directory>/<split>/<class>/``, JPEG, PNG or BMP by their names.

    The splits are ``train`` and one of ``test``, ``val`` and ``validation``; the classes are the directories of
    the training split in the order of their names. Hidden files and directories, and other files, are left out.
    The images are put into one random order.

    Args:
      directory: of the tree.
      image_size: height and width of the images in pixels.
      lanes: see ``record_order.RecordOrder``.
      skip: a file of ``scripts/check_images.py``: the photographs that it names are left out.

    Raises:
      InputError: the directory has no such tree, a class has no training images, an image to be skipped is
        not there, a setting is no path, or as ``photographs.Photographs``.
    """

    def __init__(self, directory: str, image_size: int = 224, lanes: int = 1, skip: str | None = None):
        checks.path("ImageFolder.directory", directory)
        checks.path("ImageFolder.skip", skip, others=(None,))
        checks.whole_number("ImageFolder.lanes", lanes, least=1)
        root = pathlib.Path(directory).expanduser()
        test = next((root / name for name in _TEST_NAMES if (root / name).is_dir()), None)
        if test is None or not (root / "train").is_dir():
            raise InputError(f"{root} holds no tree of images: needed are train/ and one of {', '.join(_TEST_NAMES)}")
        splits: dict[Split, pathlib.Path] = dict(zip(get_args(Split), (root / "train", test), strict=True))
        source = _source(splits, read_skipped(skip) if skip else {}, lanes)
        files_per_group = len(source.files["train"]) // lanes  # paths are small: all of a lane are shuffled
        super().__init__(source, image_size, lanes, files_per_group)


def _source(splits: dict[Split, pathlib.Path], skipped: Skipped, lanes: int) -> Source:
    """What stands for files of records are parts of the list of paths, as many for every lane and almost equal."""
    classes = [path.name for path in _visible(splits["train"]) if path.is_dir()]
    paths: list[str] = []
    files: dict[Split, range] = {}
    lengths: dict[Split, np.ndarray] = {}
    bounds = [0]  # of all files, one after the other
    for split, root in splits.items():
        images = {_name(path): path for path in _images(root)}
        for name in itertools.chain(*skipped.get(split, {}).values()):
            if images.pop(name, None) is None:
                raise InputError(f"{name} is to be skipped, but there is no such image in {root}")
        if not images:
            raise InputError(f"{root} holds no images: none is {root}/<class>/*{'|'.join(sorted(_SUFFIXES))}")
        of_classes = {path.parent.name for path in images.values()}
        if unknown := of_classes - set(classes):
            raise InputError(f"{root} has the class {min(unknown)}, of which there are no training images")
        if split == "train" and (empty := set(classes) - of_classes):
            raise InputError(f"{root} has the class {min(empty)}, of which there are no images")
        count = lanes * -(-len(images) // (lanes * _IMAGES_PER_FILE))
        ends = np.arange(1, count + 1) * len(images) // count
        files[split] = range(len(bounds) - 1, len(bounds) - 1 + count)
        lengths[split] = np.diff([0, *ends])
        bounds += [len(paths) + int(end) for end in ends]
        in_order = list(images.values())
        paths += [str(in_order[i]) for i in np.random.default_rng(_ORDER_SEED).permutation(len(images))]
    all_paths, all_bounds = tf.constant(paths), tf.constant(bounds)
    class_names = tf.constant(classes)

    def open_files(numbers: tf.Tensor) -> tf.data.Dataset:
        def of_file(number: tf.Tensor) -> tf.data.Dataset:
            return tf.data.Dataset.from_tensor_slices(all_paths[all_bounds[number] : all_bounds[number + 1]])

        return tf.data.Dataset.from_tensor_slices(numbers).flat_map(of_file)

    def parse(path: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        parts = tf.strings.split(path, os.sep)
        label = tf.argmax(class_names == parts[-2], output_type=tf.int32)
        return tf.io.read_file(path), tf.strings.join([parts[-2], "/", parts[-1]]), label

    return Source(files, lengths, open_files, parse, len(classes))


def _images(root: pathlib.Path) -> list[pathlib.Path]:
    of_classes = [path for path in _visible(root) if path.is_dir()]
    return [path for of_class in of_classes for path in _visible(of_class) if path.suffix.lower() in _SUFFIXES]


def _visible(directory: pathlib.Path) -> list[pathlib.Path]:
    return sorted(path for path in directory.iterdir() if not path.name.startswith("."))


def _name(path: pathlib.Path) -> str:
    """Of a photograph: ``class/file``."""
    return f"{path.parent.name}/{path.name}"
