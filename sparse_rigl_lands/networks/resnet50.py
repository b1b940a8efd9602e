"""ResNet-50 v1.5 (He et al. 2015, arXiv 1512.03385)."""

import gin
import tf_keras

from sparse_rigl_lands import checks
from sparse_rigl_lands.networks import residual

_STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))  # width of the 3x3 convolutions, blocks
_EXPANSION = 4


@gin.configurable(module="sparse_rigl_lands")
def resnet50(
    image_shape: tuple[int, int, int] = (224, 224, 3),
    num_classes: int = 1000,
    zero_gamma: bool = True,
    standardise: bool = True,
) -> tf_keras.Model:
    """Builds ResNet-50: 25,557,032 trainable parameters at 1000 classes.

    Args:
      image_shape: height, width, channels.
      num_classes: width of the logits.
      zero_gamma: whether the last gamma of every residual branch starts at zero, as the paper's does.
      standardise: whether the images are pixel values, uint8, see ``residual.images``.

    Returns:
      A functional model from images ``[n, *image_shape]`` to logits [n, num_classes].

    Raises:
      InputError: a flag is neither True nor False, or as ``residual.images``.
    """
    checks.flag("resnet50.zero_gamma", zero_gamma)
    checks.flag("resnet50.standardise", standardise)
    images, x = residual.images(image_shape, standardise)
    x = residual.stem(x, filters=64, size=7, stride=2)
    x = tf_keras.layers.MaxPooling2D(3, 2, "same", name="stem/pool")(x)
    for stage, (width, blocks) in enumerate(_STAGES, start=1):
        for block in range(1, blocks + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            branch = [(width, 1, 1), (width, 3, stride), (width * _EXPANSION, 1, 1)]
            x = residual.residual_block(x, branch, f"stage{stage}/block{block}", zero_gamma)
    return tf_keras.Model(images, residual.head(x, num_classes), name="resnet50")
