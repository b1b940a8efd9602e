"""The interface of a dataset: what training and the evaluation of paths ask of one."""

import abc
import dataclasses
from typing import Any, Literal

import tensorflow as tf

from sparse_rigl_lands.replicas import WHOLE, Share

Split = Literal["train", "test"]


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which examples of a sequence one host evaluates.

    Args:
      first: how many to pass over.
      last: before which to stop.
      batch_size: examples per global batch, of which the first begins at ``first``.
      share: the part of every batch that is the host's.
    """

    first: int
    last: int
    batch_size: int
    share: Share = WHOLE

    def of(self, sequence: tf.data.Dataset) -> tf.data.Dataset:
        """What is selected of a sequence, in its order."""
        wanted = sequence.take(self.last).skip(self.first)
        if self.share.hosts == 1:
            return wanted
        begin, end = self.share.positions(self.batch_size)

        def is_own(i: tf.Tensor, _: Any) -> tf.Tensor:
            position = i % self.batch_size
            return tf.logical_and(position >= begin, position < end)

        return wanted.enumerate().filter(is_own).map(lambda _, element: element)


class Dataset(abc.ABC):
    """Labelled images, in two splits.

    Both streams are pure functions of their arguments: the position in the data is the global
    step alone, so that a run goes on from any checkpoint with the very batches it would have seen.
    """

    @property
    @abc.abstractmethod
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""

    @property
    def image_dtype(self) -> tf.DType:
        """uint8, pixel values 0 to 255 that the network standardises, or float32, images that are standardised."""
        return tf.float32

    @property
    @abc.abstractmethod
    def num_classes(self) -> int: ...

    @abc.abstractmethod
    def num_examples(self, split: Split) -> int: ...

    def check_there(self) -> None:
        """Refuses, before anything is written, what cannot be read.

        Raises:
          InputError: the data is missing; where all else about it is known, this is the first to say so.
        """

    def check_batch_size(self, batch_size: int, hosts: int = 1) -> None:
        """Refuses, before anything is written, global batches that this dataset cannot be trained on in.

        Args:
          batch_size: examples per global batch.
          hosts: how many share it, of ``replicas.hosts_of``.

        Raises:
          InputError: naming what does not fit.
        """

    @abc.abstractmethod
    def training_batches(self, batch_size: int, seed: int, first_step: int, share: Share = WHOLE) -> tf.data.Dataset:
        """The endless stream of augmented training batches, from a global step onwards.

        Every epoch holds every example once, in an order keyed by (seed, epoch), augmented by
        draws keyed by (seed, epoch, example index). Batches run on over the ends of epochs, so
        that all are full. A dataset may consist of parts that each have such epochs of their own, of
        almost equal length, and of each of which every batch holds equally many, see ``RecordOrder``.

        Args:
          batch_size: examples per global batch.
          seed: keys the order and the augmentation.
          first_step: the global step of the first batch returned; step s holds the same examples
            wherever the stream is entered, and whoever reads it.
          share: what a host reads of every global batch.

        Returns:
          Batches of (images image_dtype ``[n, *image_shape]``, labels int32 [n]), where n is the number of
          examples of one replica; a host with several replicas is given theirs in turn.
        """

    @abc.abstractmethod
    def evaluation_examples(self, split: Split, augmented: bool, seed: int, selection: Selection) -> tf.data.Dataset:
        """Examples of a split in one fixed order: a random one, so that the first n are a sample.

        Args:
          split: ``"train"`` or ``"test"``.
          augmented: whether the images are augmented as in training, by draws that are a pure
            function of (seed, example index).
          seed: keys the augmentation.
          selection: which of them; the images of others are not decoded where that takes time.

        Returns:
          Examples (image image_dtype ``[*image_shape]``, label int32).
        """

    def evaluation_batches(
        self,
        split: Split,
        batch_size: int,
        augmented: bool = False,
        seed: int = 0,
        limit: int | None = None,
        first_batch: int = 0,
        share: Share = WHOLE,
    ) -> tf.data.Dataset:
        """Batches of ``evaluation_examples``.

        Args:
          split, augmented, seed: see there.
          batch_size: examples per global batch.
          limit: how many examples to stop after; None for all.
          first_batch: how many batches to pass over.
          share: what a host reads of every global batch.

        Returns:
          Batches of (images image_dtype ``[n, *image_shape]``, labels int32 [n], weights float32 [n]), where n is
          the number of examples of one replica; a host with several replicas is given theirs in turn.
          The weight is 1 for an example and 0 for the padding that fills the last global batch: shapes
          are static and counts exact.
        """
        last = self.num_examples(split) if limit is None else min(limit, self.num_examples(split))
        first = min(first_batch * batch_size, last)
        examples = self.evaluation_examples(split, augmented, seed, Selection(first, last, batch_size, share))
        batches = _padded(examples, share.per_replica(batch_size))
        # The last global batch may leave a replica without any example.
        count = -(-(last - first) // batch_size) * share.replicas // share.hosts
        padding = tf.data.Dataset.from_tensors(tf.nest.map_structure(_zeros, batches.element_spec)).repeat()
        return batches.concatenate(padding).take(count).prefetch(tf.data.AUTOTUNE)


def padded_batches(examples: tf.data.Dataset, batch_size: int, share: Share = WHOLE) -> tf.data.Dataset:
    """Batches of any examples, the last global one filled up with zeros of weight zero.

    Args:
      examples: (image, label), of static shapes, the same ones on every host.
      batch_size: examples per global batch.
      share: what a host returns of every global batch.

    Returns:
      Batches (images, labels, weights) as in ``Dataset.evaluation_batches``.
    """
    return divided(_padded(examples, batch_size), batch_size, share).prefetch(tf.data.AUTOTUNE)


def endless(batches: tf.data.Dataset) -> tf.data.Dataset:
    """The same batches, known to have no end: several workers then need not ask each other whether there is another."""
    return batches.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))


def divided(batches: tf.data.Dataset, batch_size: int, share: Share) -> tf.data.Dataset:
    """Global batches, tuples of tensors [batch_size, ...], as batches of a host's replicas in turn."""
    begin, end = share.positions(batch_size)

    def of_replicas(*batch: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """[replicas of the host, examples of a replica, ...]"""
        return tuple(tf.reshape(x[begin:end], [-1, share.per_replica(batch_size), *x.shape[1:]]) for x in batch)

    return batches.map(of_replicas).unbatch()


def _padded(examples: tf.data.Dataset, size: int) -> tf.data.Dataset:
    def fill(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        missing = size - tf.shape(labels)[0]
        return tuple(_filled(tensor, missing, size) for tensor in (images, labels, tf.ones_like(labels, tf.float32)))

    return examples.batch(size, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).map(fill)


def _filled(tensor: tf.Tensor, missing: tf.Tensor, size: int) -> tf.Tensor:
    paddings = [[0, missing]] + [[0, 0]] * (tensor.shape.rank - 1)
    return tf.ensure_shape(tf.pad(tensor, paddings), [size, *tensor.shape[1:]])


def _zeros(spec: tf.TensorSpec) -> tf.Tensor:
    return tf.zeros(spec.shape, spec.dtype)
