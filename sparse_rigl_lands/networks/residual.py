"""The building blocks of residual networks, as the field trains them on ImageNet.

ResNet v1.5: the stride sits in the 3x3 convolution; strided convolutions are padded explicitly, so
that the result does not depend on the image's parity; no convolution has a bias; BatchNorm has
momentum 0.9 and epsilon 1e-5; the last gamma of every residual branch may start at zero.

A zero gamma and a sparse mask do not agree. A channel whose projection has no live weight is then
exactly zero after the sum, where the rectifier's gradient is zero: it never learns. In the network
for digits, at a sparsity of 0.99, that would take 71 of the last 96 channels or more from a lottery
or scratch run before its first step.

Sources: He et al. 2015 (arXiv 1512.03385), Goyal et al. 2017 (arXiv 1706.02677, the zero gamma),
and the reference TPU implementation of ResNet-50 that Gale et al. 2019 (arXiv 1902.09574) train.

Layers are named by their place, such as ``stage2/block1/conv2``.
"""

import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import InputError

# Of ImageNet's red, green and blue, as the reference ResNet for TPUs has them, see ``data.crops``.
_MEAN = 255 * np.array([0.485, 0.456, 0.406])
_DEVIATION = 255 * np.array([0.229, 0.224, 0.225])
_BATCH_NORM_MOMENTUM = 0.9
_BATCH_NORM_EPSILON = 1e-5


def images(image_shape: tuple[int, int, int], standardise: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """The input of a network, and what its first layer is given.

    Args:
      image_shape: height, width, channels.
      standardise: whether the images are pixel values 0 to 255 of red, green and blue, uint8, that are shifted and
        scaled by the mean and the deviation of ImageNet's channels; otherwise they are float32, and taken as they are.

    Returns:
      The images ``[n, *image_shape]`` as they come, and as float32.

    Raises:
      InputError: pixel values of other than three channels.
    """
    if not standardise:
        taken = tf_keras.Input(image_shape, name="images")
        return taken, taken
    if image_shape[-1] != len(_MEAN):
        raise InputError(f"images of shape {image_shape} have no three channels to standardise (standardise=False)")
    pixels = tf_keras.Input(image_shape, dtype="uint8", name="images")
    scale, offset = (1 / _DEVIATION).tolist(), (-_MEAN / _DEVIATION).tolist()
    return pixels, tf_keras.layers.Rescaling(scale, offset, name="images/standardise")(pixels)


def convolution(x: tf.Tensor, filters: int, size: int, stride: int, name: str) -> tf.Tensor:
    """A convolution without bias that maps [n, h, w, c] to [n, ceil(h / stride), ceil(w / stride), filters]."""
    padding = "same"
    if stride > 1 and size > 1:
        before = (size - 1) // 2
        after = size - 1 - before
        x = tf_keras.layers.ZeroPadding2D(((before, after), (before, after)), name=f"{name}/pad")(x)
        padding = "valid"
    return tf_keras.layers.Conv2D(
        filters,
        size,
        stride,
        padding,
        use_bias=False,
        kernel_initializer=tf_keras.initializers.VarianceScaling(1.0, "fan_in", "truncated_normal"),
        name=name,
    )(x)


def normalization(x: tf.Tensor, name: str, zero_gamma: bool = False) -> tf.Tensor:
    """Batch normalization over all axes but the channels."""
    return tf_keras.layers.BatchNormalization(
        momentum=_BATCH_NORM_MOMENTUM,
        epsilon=_BATCH_NORM_EPSILON,
        gamma_initializer="zeros" if zero_gamma else "ones",
        name=name,
    )(x)


def stem(x: tf.Tensor, filters: int, size: int, stride: int) -> tf.Tensor:
    """The first convolution with its BatchNorm and rectifier."""
    x = convolution(x, filters, size, stride, "stem/conv")
    x = normalization(x, "stem/norm")
    return tf_keras.layers.ReLU(name="stem/relu")(x)


def residual_block(x: tf.Tensor, branch: list[tuple[int, int, int]], name: str, zero_gamma: bool) -> tf.Tensor:
    """Adds a branch of convolutions to its input, which is projected where the shapes differ.

    Args:
      x: [n, h, w, c].
      branch: (filters, kernel size, stride) of each convolution.
      name: prefix of the layers' names.
      zero_gamma: whether the last gamma of the branch starts at zero.

    Returns:
      [n, ceil(h / s), ceil(w / s), filters of the last], s the product of the strides.
    """
    filters = branch[-1][0]
    stride = 1
    y = x
    for i, (width, size, conv_stride) in enumerate(branch, start=1):
        last = i == len(branch)
        y = convolution(y, width, size, conv_stride, f"{name}/conv{i}")
        y = normalization(y, f"{name}/norm{i}", zero_gamma=zero_gamma and last)
        if not last:
            y = tf_keras.layers.ReLU(name=f"{name}/relu{i}")(y)
        stride *= conv_stride
    if stride > 1 or x.shape[-1] != filters:
        x = convolution(x, filters, 1, stride, f"{name}/projection/conv")
        x = normalization(x, f"{name}/projection/norm")
    y = tf_keras.layers.Add(name=f"{name}/add")([x, y])
    return tf_keras.layers.ReLU(name=f"{name}/relu")(y)


def head(x: tf.Tensor, num_classes: int) -> tf.Tensor:
    """Global average pooling and the final dense layer: [n, h, w, c] to logits [n, num_classes]."""
    x = tf_keras.layers.GlobalAveragePooling2D(name="head/pool")(x)
    return tf_keras.layers.Dense(
        num_classes, kernel_initializer=tf_keras.initializers.RandomNormal(stddev=0.01), name="head/dense"
    )(x)
