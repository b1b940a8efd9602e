"""The interface of a dataset: what training and the evaluation of paths ask of one."""

import abc
from typing import Literal

import tensorflow as tf

Split = Literal["train", "test"]


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
    @abc.abstractmethod
    def num_classes(self) -> int: ...

    @abc.abstractmethod
    def num_examples(self, split: Split) -> int: ...

    @abc.abstractmethod
    def training_batches(self, batch_size: int, seed: int, first_step: int) -> tf.data.Dataset:
        """The endless stream of augmented training batches, from a global step onwards.

        Every epoch holds every example once, in an order keyed by (seed, epoch), augmented by
        draws keyed by (seed, epoch, example index). Batches run on over the ends of epochs, so
        that all are full.

        Args:
          batch_size: examples per global batch.
          seed: keys the order and the augmentation.
          first_step: the global step of the first batch returned; step s holds the examples at
            positions s * batch_size, ..., (s + 1) * batch_size - 1 of the endless sequence.

        Returns:
          Batches of (images float32 [batch_size, *image_shape], labels int32 [batch_size]).
        """

    @abc.abstractmethod
    def evaluation_examples(self, split: Split, augmented: bool, seed: int, first: int, last: int) -> tf.data.Dataset:
        """Examples of a split in one fixed order: a random one, so that the first n are a sample.

        Args:
          split: ``"train"`` or ``"test"``.
          augmented: whether the images are augmented as in training, by draws that are a pure
            function of (seed, example index).
          seed: keys the augmentation.
          first: how many to pass over, without decoding their images where that takes time.
          last: before which to stop.

        Returns:
          Examples (image float32 [*image_shape], label int32).
        """

    def evaluation_batches(
        self,
        split: Split,
        batch_size: int,
        augmented: bool = False,
        seed: int = 0,
        limit: int | None = None,
        first_batch: int = 0,
    ) -> tf.data.Dataset:
        """Batches of ``evaluation_examples``.

        Args:
          split, augmented, seed: see there.
          batch_size: examples per global batch.
          limit: how many examples to stop after; None for all.
          first_batch: how many batches to pass over.

        Returns:
          Batches of (images float32 [batch_size, *image_shape], labels int32 [batch_size],
          weights float32 [batch_size]). The weight is 1 for an example and 0 for the padding
          that fills the last batch: shapes are static and counts exact.
        """
        last = self.num_examples(split) if limit is None else min(limit, self.num_examples(split))
        first = min(first_batch * batch_size, last)
        return padded_batches(self.evaluation_examples(split, augmented, seed, first, last), batch_size)


def padded_batches(examples: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
    """Batches of examples, the last one filled up with zeros of weight zero.

    Args:
      examples: (image, label), of static shapes.
      batch_size: examples per batch.

    Returns:
      Batches (images, labels, weights) as in ``Dataset.evaluation_batches``.
    """

    def fill(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        missing = batch_size - tf.shape(labels)[0]
        filled = (_filled(tensor, missing, batch_size) for tensor in (images, labels, tf.ones_like(labels, tf.float32)))
        images, labels, weights = filled
        return images, labels, weights

    batches = examples.batch(batch_size, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return batches.map(fill).prefetch(tf.data.AUTOTUNE)


def _filled(tensor: tf.Tensor, missing: tf.Tensor, size: int) -> tf.Tensor:
    paddings = [[0, missing]] + [[0, 0]] * (tensor.shape.rank - 1)
    return tf.ensure_shape(tf.pad(tensor, paddings), [size, *tensor.shape[1:]])
