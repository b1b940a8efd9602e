"""Encoded photographs to images of one size, cropped as networks for ImageNet are trained and tested.

Both crops follow the reference ResNet for TPUs, whose inception-style augmentation is also that of
Goyal et al. 2017 (arXiv 1706.02677):
https://github.com/tensorflow/tpu/blob/master/models/official/resnet/resnet_preprocessing.py

It hands on what the bicubic interpolation gives; here that is rounded to whole pixel values, and clipped to 0 to 255.
Rounding changes a value by at most 0.5, where the values of a channel deviate by 57.
"""

from collections.abc import Callable

import tensorflow as tf

from sparse_rigl_lands.errors import DECODING_SCOPE

_MARGIN = 32  # pixels that a test image of image_size loses in height and width together


def random_resized_crop(encoded: tf.Tensor, seed: tf.Tensor, image_size: int) -> tf.Tensor:
    """A random part of a photograph, mirrored half of the time.

    Args:
      encoded: string scalar, a whole JPEG file, or a PNG or BMP file.
      seed: integer [2], of which the image is a pure function.
      image_size: height and width of the result in pixels.

    Returns:
      uint8 [image_size, image_size, 3], pixel values 0 to 255.
    """
    box_seed, flip_seed = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    image = _cropped(encoded, lambda shape: random_box(shape, box_seed), image_size)
    flipped = tf.random.stateless_uniform([], flip_seed) < 0.5
    # tf.where(flipped, image[:, ::-1], image) was measured to take longer than the decoding.
    return tf.ensure_shape(tf.cond(flipped, lambda: tf.reverse(image, [1]), lambda: image), image.shape)


def random_box(image_shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """A box of 8 to 100 % of the image's area and of an aspect from 3:4 to 4:3.

    Args:
      image_shape: int32 [3], height, width, channels.
      seed: integer [2], of which the box is a pure function.

    Returns:
      int32 [4], the box's top, left, height and width in pixels; the whole image if ten attempts
      have found no such box in it.
    """
    begin, size, _ = tf.image.stateless_sample_distorted_bounding_box(
        image_shape,
        bounding_boxes=tf.constant([[[0.0, 0.0, 1.0, 1.0]]]),
        seed=seed,
        min_object_covered=0.1,
        aspect_ratio_range=(3 / 4, 4 / 3),
        area_range=(0.08, 1.0),
        max_attempts=10,
        use_image_if_no_bounding_boxes=True,
    )
    return tf.concat([begin[:2], size[:2]], axis=0)


def central_crop(encoded: tf.Tensor, image_size: int) -> tf.Tensor:
    """The central square whose side is image_size / (image_size + 32) of the shorter side.

    Args:
      encoded: as in ``random_resized_crop``.
      image_size: height and width of the result in pixels.

    Returns:
      uint8 [image_size, image_size, 3], pixel values 0 to 255.
    """
    share = image_size / (image_size + _MARGIN)

    def central_box(shape: tf.Tensor) -> tf.Tensor:
        height, width, _ = tf.unstack(shape, num=3)
        side = tf.cast(share * tf.cast(tf.minimum(height, width), tf.float64), tf.int32)
        return tf.stack([(height - side + 1) // 2, (width - side + 1) // 2, side, side])

    return _cropped(encoded, central_box, image_size)


def resized(image: tf.Tensor, image_size: int) -> tf.Tensor:
    """Bicubic interpolation to a square, rounded and clipped to uint8 [image_size, image_size, 3]."""
    interpolated = tf.image.resize(image, [image_size, image_size], tf.image.ResizeMethod.BICUBIC)
    nearest = tf.clip_by_value(tf.round(interpolated), 0, 255)
    return tf.ensure_shape(tf.cast(nearest, tf.uint8), [image_size, image_size, 3])


def _cropped(encoded: tf.Tensor, box_of: Callable[[tf.Tensor], tf.Tensor], image_size: int) -> tf.Tensor:
    """The part of a photograph that is in the box for its shape (int32 [3] -> int32 [4]), scaled."""

    def of_jpeg() -> tf.Tensor:
        # Decoding only the box is about a third faster than decoding the whole photograph. The accurate
        # transform costs nothing measurable over the default one, and gives the pixels that Pillow gives.
        with tf.name_scope(DECODING_SCOPE):
            box = box_of(tf.io.extract_jpeg_shape(encoded))
            return tf.image.decode_and_crop_jpeg(encoded, box, channels=3, dct_method="INTEGER_ACCURATE")

    def of_any() -> tf.Tensor:
        with tf.name_scope(DECODING_SCOPE):
            image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
        return tf.slice(image, *_begin_and_size(box_of(tf.shape(image))))

    image = tf.cond(tf.io.is_jpeg(encoded), of_jpeg, of_any)
    return resized(image, image_size)


def _begin_and_size(box: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    top, left, height, width = tf.unstack(box, num=4)
    return tf.stack([top, left, 0]), tf.stack([height, width, 3])
