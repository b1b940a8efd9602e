"""Datasets of encoded photographs of many sizes, wherever they lie."""

import concurrent.futures
import dataclasses
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from sparse_rigl_lands import checks, seeds
from sparse_rigl_lands.data import crops
from sparse_rigl_lands.data.dataset import Dataset, Selection, Split, endless
from sparse_rigl_lands.data.faults import fault_of
from sparse_rigl_lands.data.record_order import RecordOrder
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.replicas import WHOLE, Share

_CORES_PER_COPY = 16  # decode 8,000 images a second, 5 GB as floats, which one thread can put into batches


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
    """Labelled photographs, cropped to one size.

    Images are pixel values, uint8: a batch takes a quarter of what floats would, in memory and on its way to
    the device, and the network standardises it there.

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
            checks.whole_number(f"{type(self).__name__}.{name}", value, least=1)
        self._source, self._image_size = source, image_size
        self._order = RecordOrder(
            source.files["train"], source.lengths["train"], source.open_files, lanes, files_per_group
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (self._image_size, self._image_size, 3)

    @property
    def image_dtype(self) -> tf.DType:
        return tf.uint8

    @property
    def num_classes(self) -> int:
        return self._source.num_classes

    def num_examples(self, split: Split) -> int:
        return int(self._source.lengths[split].sum())

    def check_there(self) -> None:
        if self._source.missing:
            raise InputError(self._source.missing)

    def check_batch_size(self, batch_size: int, hosts: int = 1) -> None:
        try:
            self._order.check(batch_size, hosts)
        except InputError as error:
            raise InputError(f"{type(self).__name__}.lanes is {self._order.lanes}: {error}") from error

    def training_batches(self, batch_size: int, seed: int, first_step: int, share: Share = WHOLE) -> tf.data.Dataset:
        self.check_there()
        augmentation_key = tf.constant(seeds.key(seed, "training augmentation"), tf.int64)
        records = self._order.records(seeds.key(seed, "training order"), batch_size, first_step, share)

        def example(epoch: tf.Tensor, record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return self._example(record, tf.stack([augmentation_key, epoch]))

        # Records are in memory already, see ``RecordOrder``: read ahead once more, or batched by more threads than it
        # takes, they would only leave the processor's cache. Two batches are ahead; of 4096 images each is 2.5 GB.
        examples = records.map(example, tf.data.AUTOTUNE, deterministic=True)
        copies = -(-(os.cpu_count() or 1) // _CORES_PER_COPY)
        in_parallel = {"num_parallel_calls": copies, "deterministic": True} if copies > 1 else {}
        batches = examples.batch(share.per_replica(batch_size), drop_remainder=True, **in_parallel)
        return endless(batches).prefetch(2)

    def evaluation_examples(self, split: Split, augmented: bool, seed: int, selection: Selection) -> tf.data.Dataset:
        self.check_there()
        key = tf.constant([seeds.key(seed, "evaluation augmentation"), 0], tf.int64) if augmented else None
        records = self._source.open_files(tf.constant(self._source.files[split]))
        known = records.apply(tf.data.experimental.assert_cardinality(self.num_examples(split)))
        wanted = selection.of(known)
        return wanted.map(lambda record: self._example(record, key), tf.data.AUTOTUNE, deterministic=True)

    def damaged(self, split: Split) -> Iterator[tuple[str, int, dict[str, str]]]:
        """Looks at a split, file by file, more strictly than training does; one file is held in memory.

        TensorFlow refuses a photograph that is no image or ends early, if the end is within the crop; one that
        is damaged within it makes grey in part, without a word. Here every fault that a decoder meets counts.

        Returns:
          Of every file its ``label_of``, how many photographs it has, and of the damaged ones the name and the fault.

        Raises:
          InputError: a file cannot be read.
        """
        self.check_there()
        for file in self._source.files[split]:
            records = self._source.open_files(tf.constant([file])).map(self._source.parse, tf.data.AUTOTUNE)
            faults, count = {}, 0
            try:
                with concurrent.futures.ThreadPoolExecutor() as pool:
                    names_and_images = ((name, encoded) for encoded, name, _ in records.as_numpy_iterator())
                    for name, fault in pool.map(lambda pair: (pair[0].decode(), fault_of(pair[1])), names_and_images):
                        count += 1
                        if fault:
                            faults[name] = fault
            except (tf.errors.DataLossError, tf.errors.NotFoundError) as error:
                reason = re.sub(r"{{.*?}} | \[Op:.*", "", error.message.splitlines()[0])
                raise InputError(f"{file} cannot be read: {reason}") from error
            yield label_of(file), count, faults

    def _example(self, record: tf.Tensor, key: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        """Image and label; cropped by draws of (key int64 [2], name), or centrally without a key."""
        encoded, name, label = self._source.parse(record)
        if key is None:
            return crops.central_crop(encoded, self._image_size), label
        identity = tf.strings.to_hash_bucket_fast(name, 2**63 - 1)
        seed = tf.random.experimental.stateless_fold_in(key, identity)
        return crops.random_resized_crop(encoded, seed, self._image_size), label
