"""A residual network for 8x8 images, from the building blocks of ResNet-50."""

import gin
import tf_keras

from sparse_rigl_lands import checks
from sparse_rigl_lands.networks import residual

_BLOCKS = ((16, 1), (32, 2), (64, 2))  # filters, stride


@gin.configurable(module="sparse_rigl_lands")
def digits_resnet(
    image_shape: tuple[int, int, int] = (8, 8, 1),
    num_classes: int = 10,
    zero_gamma: bool = False,
    standardise: bool = False,
) -> tf_keras.Model:
    """Builds a stem of 16 filters and three residual blocks: 77,754 trainable parameters.

    Args:
      image_shape: height, width, channels.
      num_classes: width of the logits.
      zero_gamma: whether the last gamma of every residual branch starts at zero. Under a sparse mask
        most channels of so narrow a network would then be dead from the start, see ``residual``.
      standardise: whether the images are pixel values, uint8, see ``residual.images``.

    Returns:
      A functional model from images ``[n, *image_shape]`` to logits [n, num_classes].

    Raises:
      InputError: a flag is neither True nor False, or as ``residual.images``.
    """
    checks.flag("digits_resnet.zero_gamma", zero_gamma)
    checks.flag("digits_resnet.standardise", standardise)
    images, x = residual.images(image_shape, standardise)
    x = residual.stem(x, filters=16, size=3, stride=1)
    for block, (filters, stride) in enumerate(_BLOCKS, start=1):
        x = residual.residual_block(x, [(filters, 3, stride), (filters, 3, 1)], f"block{block}", zero_gamma)
    return tf_keras.Model(images, residual.head(x, num_classes), name="digits_resnet")
