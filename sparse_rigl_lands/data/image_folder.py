"""Images in a tree of directories, one per class."""

import os
import pathlib
from typing import get_args

import gin
import numpy as np
import tensorflow as tf

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
    """Images in ``<directory>/<split>/<class>/``, as torchvision's ``ImageFolder`` reads them.

    The splits are ``train`` and one of ``test``, ``val`` and ``validation``; the classes are the directories of
    the training split in the order of their names. The images are put into one random order.

    Args:
      directory: of the tree.
      image_size: height and width of the images in pixels.
      lanes: see ``record_order.RecordOrder``.
      skip: a file of ``scripts/check_images.py``: the photographs that it names are left out.

    Raises:
      InputError: the directory has no such tree, a test image is of a class without training images, or as
        ``photographs.Photographs``.
    """

    def __init__(self, directory: str, image_size: int = 224, lanes: int = 1, skip: str | None = None):
        root = pathlib.Path(directory).expanduser()
        test = next((root / name for name in _TEST_NAMES if (root / name).is_dir()), None)
        if test is None or not (root / "train").is_dir():
            raise InputError(f"{root} holds no tree of images: needed are train/ and one of {', '.join(_TEST_NAMES)}")
        splits: dict[Split, pathlib.Path] = dict(zip(get_args(Split), (root / "train", test), strict=True))
        source = _source(splits, read_skipped(skip) if skip else {})
        files_per_group = -(-len(source.files["train"]) // lanes)  # paths are small: all of them are shuffled
        super().__init__(source, image_size, lanes, files_per_group)


def _source(splits: dict[Split, pathlib.Path], skipped: Skipped) -> Source:
    classes = sorted(path.name for path in splits["train"].iterdir() if path.is_dir())
    paths: list[str] = []
    files: dict[Split, range] = {}
    lengths: dict[Split, np.ndarray] = {}
    begins: list[int] = []  # of every file, its first path
    for split, root in splits.items():
        unwanted = {name for names in skipped.get(split, {}).values() for name in names}
        found = [path for path in _images(root) if _name(path) not in unwanted]
        if not found:
            raise InputError(f"{root} holds no images: none is {root}/<class>/*{'|'.join(sorted(_SUFFIXES))}")
        if unknown := {path.parent.name for path in found} - set(classes):
            raise InputError(f"{root} has the class {min(unknown)}, of which there are no training images")
        of_files = range(0, len(found), _IMAGES_PER_FILE)
        files[split] = range(len(begins), len(begins) + len(of_files))
        lengths[split] = np.diff([*of_files, len(found)])
        begins += [len(paths) + begin for begin in of_files]
        paths += [str(found[i]) for i in np.random.default_rng(_ORDER_SEED).permutation(len(found))]
    all_paths, bounds = tf.constant(paths), tf.constant([*begins, len(paths)])
    class_names = tf.constant(classes)

    def open_files(numbers: tf.Tensor) -> tf.data.Dataset:
        def of_file(number: tf.Tensor) -> tf.data.Dataset:
            return tf.data.Dataset.from_tensor_slices(all_paths[bounds[number] : bounds[number + 1]])

        return tf.data.Dataset.from_tensor_slices(numbers).flat_map(of_file)

    def parse(path: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        parts = tf.strings.split(path, os.sep)
        label = tf.argmax(class_names == parts[-2], output_type=tf.int32)
        return tf.io.read_file(path), tf.strings.join([parts[-2], "/", parts[-1]]), label

    return Source(files, lengths, open_files, parse, len(classes))


def _images(root: pathlib.Path) -> list[pathlib.Path]:
    return sorted(path for path in root.glob("*/*") if path.suffix.lower() in _SUFFIXES)


def _name(path: pathlib.Path) -> str:
    """Of a photograph: ``class/file``."""
    return f"{path.parent.name}/{path.name}"
