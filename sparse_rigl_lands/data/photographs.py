"""Datasets of encoded photographs of many sizes, wherever they lie."""

import dataclasses
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from sparse_rigl_lands import seeds
from sparse_rigl_lands.data import crops
from sparse_rigl_lands.data.dataset import Dataset, Selection, Split
from sparse_rigl_lands.data.record_order import RecordOrder
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.replicas import WHOLE, Share

_READ_AHEAD = 4096  # encoded examples, 0.5 GB: what is decoded next


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """Where photographs lie.

    Args:
      files: the files of each split, elements of whatever ``open_files`` takes.
      lengths: the records of each file.
      open_files: from a tensor of files to their records, scalars, in one fixed order.
      parse: from a record to (encoded image string, name string, label int32); the name is the
        photograph's own, whatever file it is in.
      num_classes: the labels are 0, ..., num_classes - 1.
      missing: what to tell where nothing is there, and the files and lengths are those that it would have.
    """

    files: Mapping[Split, Sequence[Any]]
    lengths: Mapping[Split, np.ndarray]
    open_files: Callable[[tf.Tensor], tf.data.Dataset]
    parse: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]
    num_classes: int
    missing: str | None = None


def label_of(file: Any) -> str:
    """What a file of a source is called: the last part of its path, or its number."""
    return os.path.basename(str(file))


class Photographs(Dataset):
    """Labelled photographs, cropped to one size and standardised.

    Training images are random crops, mirrored half of the time; test images are central crops. The
    training order is that of ``RecordOrder``; the evaluation order that of the files, as random as the
    records were dealt out to them. A photograph that cannot be decoded ends whatever meets it, unless it
    was left out by a file of ``scripts/check_images.py``, see ``skipped``.

    Args:
      source: where they lie.
      image_size: height and width of the images in pixels.
      lanes, files_per_group: see ``RecordOrder``.

    Raises:
      InputError: a number is not positive, or as ``RecordOrder``.

    Sources: the augmentation of Goyal et al. 2017 (arXiv 1706.02677) as in the reference ResNet for TPUs,
    see ``crops``.
    """

    def __init__(self, source: Source, image_size: int, lanes: int, files_per_group: int):
        for name, value in {"image_size": image_size, "lanes": lanes, "files_per_group": files_per_group}.items():
            if not isinstance(value, int) or value < 1:
                raise InputError(f"{type(self).__name__}.{name} is {value!r}; it must be a whole number of at least 1")
        self._source, self._image_size = source, image_size
        self._order = RecordOrder(
            source.files["train"], source.lengths["train"], source.open_files, lanes, files_per_group
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (self._image_size, self._image_size, 3)

    @property
    def num_classes(self) -> int:
        return self._source.num_classes

    def num_examples(self, split: Split) -> int:
        return int(self._source.lengths[split].sum())

    def check_there(self) -> None:
        if self._source.missing:
            raise InputError(self._source.missing)

    def training_batches(self, batch_size: int, seed: int, first_step: int, share: Share = WHOLE) -> tf.data.Dataset:
        self.check_there()
        augmentation_key = tf.constant(seeds.key(seed, "training augmentation"), tf.int64)
        records = self._order.records(seeds.key(seed, "training order"), batch_size, first_step, share)

        def example(epoch: tf.Tensor, record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return self._example(record, tf.stack([augmentation_key, epoch]))

        examples = records.prefetch(_READ_AHEAD).map(example, tf.data.AUTOTUNE, deterministic=True)
        size = share.per_replica(batch_size)
        batches = examples.batch(size, drop_remainder=True, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        return batches.prefetch(tf.data.AUTOTUNE)

    def evaluation_examples(self, split: Split, augmented: bool, seed: int, selection: Selection) -> tf.data.Dataset:
        self.check_there()
        key = tf.constant([seeds.key(seed, "evaluation augmentation"), 0], tf.int64) if augmented else None
        records = self._source.open_files(tf.constant(self._source.files[split]))
        known = records.apply(tf.data.experimental.assert_cardinality(self.num_examples(split)))
        wanted = selection.of(known)
        return wanted.map(lambda record: self._example(record, key), tf.data.AUTOTUNE, deterministic=True)

    def damaged(self, split: Split) -> Iterator[tuple[str, int, list[str]]]:
        """Looks at a split, file by file.

        Returns:
          Of every file its ``label_of``, how many photographs it has, and the names of those that cannot be decoded.

        Raises:
          InputError: a file cannot be read.
        """
        self.check_there()
        parse = self._source.parse
        for file in self._source.files[split]:
            records = self._source.open_files(tf.constant([file]))
            try:
                names = [name.decode() for name in records.map(lambda r: parse(r)[1]).as_numpy_iterator()]
            except (tf.errors.DataLossError, tf.errors.NotFoundError) as error:
                reason = re.sub(r"{{.*?}} | \[Op:.*", "", error.message.splitlines()[0])
                raise InputError(f"{file} cannot be read: {reason}") from error
            images = records.enumerate().map(
                lambda i, record: (i, tf.reduce_max(crops.decoded(parse(record)[0]))), tf.data.AUTOTUNE
            )
            sound = {int(i) for i, _ in images.ignore_errors().as_numpy_iterator()}
            yield label_of(file), len(names), [name for i, name in enumerate(names) if i not in sound]

    def _example(self, record: tf.Tensor, key: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        """Image and label; cropped by draws of (key int64 [2], name), or centrally without a key."""
        encoded, name, label = self._source.parse(record)
        if key is None:
            image = crops.central_crop(encoded, self._image_size)
        else:
            identity = tf.strings.to_hash_bucket_fast(name, 2**63 - 1)
            seed = tf.random.experimental.stateless_fold_in(key, identity)
            image = crops.random_resized_crop(encoded, seed, self._image_size)
        return crops.standardise(image), label
