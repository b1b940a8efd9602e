"""Layers that take their weights from a curve, and own none."""

import math
from typing import Any

import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.weights_on_curve import Call, WeightsOnCurve

# tf.nn's fused kernel raises a smaller epsilon to this, and so does every tf_keras network with it.
_SMALLEST_FUSED_EPSILON = 1.001e-5


class NormalizationOnCurve:
    """BatchNorm of the last axis at the place of a call: an affine map y = scale x + offset of every channel.

    Args:
      curve: the weights of the network.
      layer: the BatchNorm of the plain network.

    Raises:
      InputError: it normalizes another axis.
    """

    def __init__(self, curve: WeightsOnCurve, layer: tf_keras.layers.BatchNormalization):
        self._curve, self._name = curve, layer.name
        rank = layer.input_spec.ndim
        axes = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)
        if axes not in ([-1], [rank - 1]):
            raise InputError(f"layer {layer.name} normalizes axes {axes}; curves support the last axis alone")
        self._statistics = f"{layer.name}/moving_mean", f"{layer.name}/moving_variance"
        self._channels = layer.input_spec.axes[rank - 1]
        self.fused = bool(layer.fused) and rank == 4  # whether the plain network uses the fused kernel
        self.epsilon = max(layer.epsilon, _SMALLEST_FUSED_EPSILON) if self.fused else layer.epsilon

    def gamma(self) -> tf.Tensor:
        """float32 [channels]."""
        return self._weight("gamma", 1.0)

    def beta(self) -> tf.Tensor:
        """float32 [channels]."""
        return self._weight("beta", 0.0)

    def _weight(self, attribute: str, otherwise: float) -> tf.Tensor:
        name = f"{self._name}/{attribute}"
        return self._curve[name] if name in self._curve else tf.fill([self._channels], otherwise)

    @property
    def call(self) -> Call:
        """The call that is going on."""
        return self._curve.call

    @property
    def by_the_batch(self) -> bool:
        """Whether the call normalizes by the statistics of the batch."""
        return isinstance(self.call.statistics, str) and self.call.statistics == "batch"

    def affine(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Scale and offset, float32 [channels] each, of a call that does not normalize by the batch."""
        statistics = self.call.statistics
        source = self._curve if isinstance(statistics, str) else statistics
        return self.affine_by(*(source[name] for name in self._statistics))

    def affine_by(self, mean: tf.Tensor, variance: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Scale and offset, float32 [channels] each, by the given moments."""
        scale = self.gamma() * tf.math.rsqrt(variance + self.epsilon)
        return scale, self.beta() - mean * scale

    def batch_moments(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean and (biased) variance of the batch, float32 [channels] each; noted where the call asks for them."""
        moments = _moments(tf.cast(inputs, tf.float32), self.call.example_weights)
        if self.call.moments is not None:
            self.call.moments.update(zip(self._statistics, moments, strict=True))
        return moments


class _Linear(tf_keras.layers.Layer):
    """What a convolution and a dense layer share: a kernel, perhaps a bias, perhaps a BatchNorm folded into both.

    For statistics that do not depend on the batch, s (W x + b) + o = (s W) x + (s b + o) exactly, in
    float32 and with one rounding to the precision of the layer. Into statistics of the batch nothing
    can be folded.
    """

    def __init__(self, curve: WeightsOnCurve, folded: NormalizationOnCurve | None, **config: Any):
        super().__init__(**config)
        self._curve, self._folded = curve, folded

    def build(self, input_shape: tf.TensorShape) -> None:
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        kernel = self._curve[f"{self.name}/kernel"]
        bias = self._curve[f"{self.name}/bias"] if self.use_bias else None
        if self._folded is not None and not self._folded.by_the_batch:
            scale, offset = self._folded.affine()
            kernel = kernel * scale
            bias = offset if bias is None else scale * bias + offset
        outputs = self._apply_kernel(inputs, tf.cast(kernel, self.compute_dtype))
        if bias is not None:
            outputs = tf.nn.bias_add(outputs, tf.cast(bias, outputs.dtype))
        return outputs if self.activation is None else self.activation(outputs)


class CurveConv2D(_Linear, tf_keras.layers.Conv2D):
    """``Conv2D``, channels last, with its kernel and bias on a curve.

    Raises:
      InputError: its channels come first.
    """

    def __init__(self, curve: WeightsOnCurve, folded: NormalizationOnCurve | None, **config: Any):
        super().__init__(curve, folded, **config)
        if self.data_format != "channels_last":
            raise InputError(f"layer {self.name} has its channels first, which curves do not support")
        self._convolve = self.convolution_op
        if self.groups > 1:  # as it is, TensorFlow convolves groups only on CPUs that it uses oneDNN for
            self._convolve = tf.function(self.convolution_op, jit_compile=True)

    def _apply_kernel(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        return self._convolve(inputs, kernel)


class CurveDense(_Linear, tf_keras.layers.Dense):
    """``Dense`` with its kernel and bias on a curve."""

    def _apply_kernel(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        return tf.tensordot(inputs, kernel, 1) if inputs.shape.rank > 2 else tf.linalg.matmul(inputs, kernel)


class CurveBatchNormalization(tf_keras.layers.Layer):
    """``BatchNormalization`` of the last axis with gamma, beta and moving statistics on a curve.

    With batch statistics it normalizes by the mean and variance of the batch, that is, of the
    replica's own examples, as training does; padding does not enter them. It writes nothing.

    Args:
      norm: its weights.
      is_folded: whether the layer before it has taken over all that does not depend on the batch.
    """

    def __init__(self, norm: NormalizationOnCurve, is_folded: bool, **config: Any):
        super().__init__(**config)
        self._norm, self._is_folded = norm, is_folded

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalizes by the statistics that the call asks for, with gamma and beta at its t."""
        norm = self._norm
        if not norm.by_the_batch:
            return inputs if self._is_folded else _affine(inputs, *norm.affine())
        if norm.fused and norm.call.example_weights is None and norm.call.moments is None:
            return tf.compat.v1.nn.fused_batch_norm(inputs, norm.gamma(), norm.beta(), epsilon=norm.epsilon)[0]
        return _affine(inputs, *norm.affine_by(*norm.batch_moments(inputs)))


def _affine(inputs: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.cast(inputs, tf.float32) * scale + offset, inputs.dtype)


def _moments(inputs: tf.Tensor, example_weights: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and (biased) variance over all axes but the last, of the examples that count."""
    axes = list(range(inputs.shape.rank - 1))
    if example_weights is None:
        return tf.nn.moments(inputs, axes)
    # A replica that holds nothing but padding is normalized as if all of it were examples: its result
    # counts for nothing, but with a variance of zero it would grow from layer to layer to infinity.
    example_weights = tf.where(tf.reduce_any(example_weights > 0), example_weights, tf.ones_like(example_weights))
    weights = tf.reshape(example_weights, [-1] + [1] * (inputs.shape.rank - 1))
    weights /= tf.reduce_sum(weights) * math.prod(inputs.shape[1:-1])
    mean = tf.reduce_sum(weights * inputs, axes)
    return mean, tf.reduce_sum(weights * tf.math.squared_difference(inputs, mean), axes)
