"""Protects: a masked layer is the plain one of the zeroed kernel, forward and backward."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.sparsity.layers import masked_layer

LAYERS = {
    "conv": (lambda: tf_keras.layers.Conv2D(6, 3, 2, "same", activation="relu"), (2, 8, 8, 4)),
    "grouped conv": (lambda: tf_keras.layers.Conv2D(6, 3, groups=2, use_bias=False), (2, 8, 8, 4)),
    "dense": (lambda: tf_keras.layers.Dense(6, activation="tanh"), (2, 4)),
    "dense on a sequence": (lambda: tf_keras.layers.Dense(6), (2, 3, 4)),
}


def _pair(name, random, precision="float32"):
    make, shape = LAYERS[name]
    inputs = tf.constant(random.normal(size=shape), tf.float32)
    plain = make()
    config = plain.get_config() | {"dtype": precision}
    plain = type(plain).from_config(config)
    masked = masked_layer(plain)
    plain(inputs), masked(inputs)
    live = random.random(plain.kernel.shape) < 0.4
    kernel = random.normal(size=plain.kernel.shape).astype("float32")
    masked.kernel.assign(kernel)
    masked.mask.assign(live.astype("float32"))
    plain.kernel.assign(np.where(live, kernel, 0))
    return plain, masked, inputs, live


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", LAYERS)
def test_forward_is_the_plain_layers(name, precision, random):
    plain, masked, inputs, _ = _pair(name, random, precision)
    assert masked(inputs).dtype == plain(inputs).dtype
    np.testing.assert_array_equal(masked(inputs), plain(inputs))


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", LAYERS)
def test_gradient_of_masked_weights_is_exactly_zero(name, precision, random):
    plain, masked, inputs, live = _pair(name, random, precision)
    gradients = []
    for layer in (plain, masked):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.cast(layer(inputs), tf.float32) ** 2)
        gradients.append(tape.gradient(loss, layer.kernel).numpy())
    assert not gradients[1][~live].any()
    np.testing.assert_allclose(gradients[1][live], gradients[0][live], rtol=1e-6)
