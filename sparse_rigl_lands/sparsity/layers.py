"""Layers whose kernel is multiplied by a mask in the forward pass.

kernel * mask is computed inside ``call``, so the gradient with respect to the kernel is masked by
the chain rule, and nothing is ever written in a forward pass. Under mixed precision Keras casts both
factors as they are read: the product is the kernel rounded once, since 0 and 1 are exact in any
dtype, and the float32 kernel itself is never rounded. A mask is a float variable, 1 where a weight
is live and 0 where it is not, of the kernel's shape.
"""

import tensorflow as tf
import tf_keras


class MaskedConv2D(tf_keras.layers.Conv2D):
    """``Conv2D`` of kernel * mask."""

    def build(self, input_shape: tf.TensorShape) -> None:
        super().build(input_shape)
        self.mask = _add_mask(self, self.kernel.shape)

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        return super().convolution_op(inputs, kernel * self.mask)


class MaskedDense(tf_keras.layers.Dense):
    """``Dense`` of kernel * mask."""

    def build(self, input_shape: tf.TensorShape) -> None:
        super().build(input_shape)
        self.mask = _add_mask(self, self.kernel.shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """The layer with kernel * mask for a kernel."""
        kernel = self.kernel * self.mask
        if inputs.shape.rank == 2:
            outputs = tf.linalg.matmul(inputs, kernel)
        else:
            outputs = tf.tensordot(inputs, kernel, axes=1)
            outputs.set_shape(self.compute_output_shape(inputs.shape))
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)


def masked_layer(layer: tf_keras.layers.Conv2D | tf_keras.layers.Dense) -> MaskedConv2D | MaskedDense:
    """The masked layer of a plain one's configuration, not built yet."""
    kind = MaskedConv2D if isinstance(layer, tf_keras.layers.Conv2D) else MaskedDense
    return kind.from_config(layer.get_config())


def _add_mask(layer: tf_keras.layers.Layer, shape: tf.TensorShape) -> tf.Variable:
    # Every replica computes the same mask, so the first one's value is everyone's: no all-reduce.
    return layer.add_weight(
        "mask",
        shape=shape,
        initializer="ones",
        trainable=False,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
    )
