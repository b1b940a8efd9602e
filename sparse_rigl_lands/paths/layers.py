"""Layers whose weights lie on a curve: w(t) = sum_i c_i(t) theta_i, computed inside ``call``.

No weight is ever assigned in order to move along the curve, and the gradient reaches the control
points theta_i by itself. They are float32, whatever the layer computes in; only w(t) is cast.
"""

import contextlib
import math
import threading
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import InputError

# tf.nn's fused kernel raises a smaller epsilon to this, and so does every tf_keras network with it.
_SMALLEST_FUSED_EPSILON = 1.001e-5


class Position(threading.local):
    """Where on the curve a network is being called; one for each of the replicas' threads.

    A functional model has no way to hand its layers anything but the activations, so the layers of
    one network share this object. ``at`` sets it for the duration of a call.
    """

    coefficients: tf.Tensor | None = None  # float32 [P]
    example_weights: tf.Tensor | None = None  # float32 [n], 0 for padding; None where all are 1

    @contextlib.contextmanager
    def at(self, coefficients: tf.Tensor, example_weights: tf.Tensor | None = None) -> Iterator[None]:
        before = self.coefficients, self.example_weights
        self.coefficients, self.example_weights = coefficients, example_weights
        try:
            yield
        finally:
            self.coefficients, self.example_weights = before


class WeightsOnCurve:
    """The weights of one layer, each with P control points.

    Args:
      position: shared by the layers of a network.
      num_control_points: P.
    """

    def __init__(self, position: Position, num_control_points: int):
        self.position = position
        self._num_control_points = num_control_points
        self.control_points: dict[str, list[tf.Variable]] = {}

    def add(self, layer: tf_keras.layers.Layer, attribute: str, shape: tuple[int, ...]) -> None:
        """Makes the control points of a weight, such as ``"kernel"``, as variables of the layer."""
        self.control_points[attribute] = [
            layer.add_weight(
                f"{attribute}_{i}",
                shape=shape,
                dtype=tf.float32,
                initializer="zeros",
                trainable=False,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
                experimental_autocast=False,
            )
            for i in range(self._num_control_points)
        ]

    def at_position(self, attribute: str) -> tf.Tensor:
        """The weight at the network's position on the curve, float32."""
        coefficients = tf.unstack(self.position.coefficients, self._num_control_points)
        pairs = zip(coefficients, self.control_points[attribute], strict=True)
        return tf.add_n([coefficient * theta for coefficient, theta in pairs])


class CurveConv2D(tf_keras.layers.Conv2D):
    """``Conv2D``, channels last, with its kernel and bias on a curve."""

    def __init__(self, curve: WeightsOnCurve, **config: Any):
        super().__init__(**config)
        self.curve = curve

    def build(self, input_shape: tf.TensorShape) -> None:
        if self.data_format != "channels_last":
            raise InputError(f"layer {self.name} has its channels first, which curves do not support")
        channels = int(input_shape[-1])
        self.curve.add(self, "kernel", (*self.kernel_size, channels // self.groups, self.filters))
        if self.use_bias:
            self.curve.add(self, "bias", (self.filters,))
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        kernel = tf.cast(self.curve.at_position("kernel"), self.compute_dtype)
        return _biased_and_activated(self, self.convolution_op(inputs, kernel))


class CurveDense(tf_keras.layers.Dense):
    """``Dense`` for inputs of rank 2, with its kernel and bias on a curve."""

    def __init__(self, curve: WeightsOnCurve, **config: Any):
        super().__init__(**config)
        self.curve = curve

    def build(self, input_shape: tf.TensorShape) -> None:
        self.input_spec = tf_keras.layers.InputSpec(ndim=2, axes={-1: int(input_shape[-1])})
        self.curve.add(self, "kernel", (int(input_shape[-1]), self.units))
        if self.use_bias:
            self.curve.add(self, "bias", (self.units,))
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        kernel = tf.cast(self.curve.at_position("kernel"), self.compute_dtype)
        return _biased_and_activated(self, tf.linalg.matmul(inputs, kernel))


def _biased_and_activated(layer: CurveConv2D | CurveDense, outputs: tf.Tensor) -> tf.Tensor:
    if layer.use_bias:
        outputs = tf.nn.bias_add(outputs, tf.cast(layer.curve.at_position("bias"), outputs.dtype))
    return outputs if layer.activation is None else layer.activation(outputs)


class CurveBatchNormalization(tf_keras.layers.BatchNormalization):
    """``BatchNormalization`` of the last axis with gamma and beta on a curve.

    With ``batch_statistics`` it normalizes by the mean and variance of the batch, that is, of the
    replica's own examples, as training does; padding does not enter them. Otherwise by the moving
    statistics, which lie on the curve like the weights. Neither writes anything.
    """

    def __init__(self, curve: WeightsOnCurve, batch_statistics: bool, **config: Any):
        super().__init__(**config)
        self.curve = curve
        self._batch_statistics = batch_statistics

    def build(self, input_shape: tf.TensorShape) -> None:
        self._rank = len(input_shape)
        axes = [self.axis] if isinstance(self.axis, int) else list(self.axis)
        if axes not in ([-1], [self._rank - 1]):
            raise InputError(f"layer {self.name} normalizes axes {axes}; curves support the last axis alone")
        self._epsilon = max(self.epsilon, _SMALLEST_FUSED_EPSILON) if self._rank == 4 else self.epsilon
        attributes = ["gamma"] * self.scale + ["beta"] * self.center + ["moving_mean", "moving_variance"]
        for attribute in attributes:
            self.curve.add(self, attribute, (int(input_shape[-1]),))
        self.built = True

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        gamma = self.curve.at_position("gamma") if self.scale else tf.ones(inputs.shape[-1])
        beta = self.curve.at_position("beta") if self.center else tf.zeros(inputs.shape[-1])
        example_weights = self.curve.position.example_weights
        if self._batch_statistics and example_weights is None and self._rank == 4:
            return tf.compat.v1.nn.fused_batch_norm(inputs, gamma, beta, epsilon=self._epsilon)[0]
        if self._batch_statistics:
            mean, variance = self._batch_moments(inputs, example_weights)
        else:
            mean, variance = self.curve.at_position("moving_mean"), self.curve.at_position("moving_variance")
        outputs = tf.nn.batch_normalization(tf.cast(inputs, tf.float32), mean, variance, beta, gamma, self._epsilon)
        return tf.cast(outputs, inputs.dtype)

    def _batch_moments(self, inputs: tf.Tensor, example_weights: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean and (biased) variance over all axes but the last, of the examples that count."""
        axes = list(range(self._rank - 1))
        inputs = tf.cast(inputs, tf.float32)
        if example_weights is None:
            return tf.nn.moments(inputs, axes)
        # A replica that holds nothing but padding is normalized as if all of it were examples: its result
        # counts for nothing, but with a variance of zero it would grow from layer to layer to infinity.
        example_weights = tf.cond(
            tf.reduce_any(example_weights > 0), lambda: example_weights, lambda: tf.ones_like(example_weights)
        )
        weights = tf.reshape(example_weights, [-1] + [1] * (self._rank - 1))
        weights /= tf.reduce_sum(weights) * math.prod(inputs.shape[1:-1])
        mean = tf.reduce_sum(weights * inputs, axes)
        return mean, tf.reduce_sum(weights * tf.math.squared_difference(inputs, mean), axes)
