"""Augmentations as functions of stateless draws."""

import tensorflow as tf


def shift(images: tf.Tensor, offsets: tf.Tensor) -> tf.Tensor:
    """Shifts every image by whole pixels; what comes in from outside is zero.

    Args:
      images: [n, height, width, channels].
      offsets: int32 [n, 2], pixels down and to the right, each smaller than the image.

    Returns:
      The shifted images: the shape and dtype of ``images``.
    """
    height, width = images.shape[1], images.shape[2]
    rows = tf.range(height)[tf.newaxis] - offsets[:, :1]
    columns = tf.range(width)[tf.newaxis] - offsets[:, 1:]
    inside = tf.logical_and(
        tf.logical_and(rows >= 0, rows < height)[:, :, tf.newaxis],
        tf.logical_and(columns >= 0, columns < width)[:, tf.newaxis, :],
    )
    shifted = tf.gather(images, tf.clip_by_value(rows, 0, height - 1), axis=1, batch_dims=1)
    shifted = tf.gather(shifted, tf.clip_by_value(columns, 0, width - 1), axis=2, batch_dims=1)
    return tf.where(inside[..., tf.newaxis], shifted, tf.zeros_like(shifted))


def draw_shifts(key: int, epoch: tf.Tensor, num_examples: int, pixels: int) -> tf.Tensor:
    """One shift for every example of an epoch, a pure function of (key, epoch, example index).

    Args:
      key: of ``seeds.key``.
      epoch: integer scalar.
      num_examples: n, the size of the split; row i belongs to example i.
      pixels: the largest shift in each direction.

    Returns:
      int32 [n, 2], uniform over {-pixels, ..., pixels}.
    """
    seed = tf.stack([tf.constant(key, tf.int64), tf.cast(epoch, tf.int64)])
    return tf.random.stateless_uniform([num_examples, 2], seed, -pixels, pixels + 1, tf.int32)
