"""Protects: variants keep names, and refuse what they do not understand."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.sparsity.masked import masked_variant
from sparse_rigl_lands.sparsity.pruned import PruningSchedule, pruned_variant


def test_names_are_those_of_the_network_in_every_variant(network):
    plain = variants.named_variables(network)
    shapes = variants.kernel_shapes(network)
    assert list(shapes) == [
        "stem/conv/kernel",
        "block1/conv1/kernel",
        "block1/projection/conv/kernel",
        "block1/conv2/kernel",
        "head/dense/kernel",
    ]
    pruned = pruned_variant(network, dict.fromkeys(shapes, 0.5), PruningSchedule(0, 10, 10))
    named = variants.named_variables(pruned)
    assert list(named.weights) == list(plain.weights)
    assert list(named.statistics) == list(plain.statistics)
    assert list(named.masks) == list(shapes)
    assert not plain.masks


def test_a_kernel_with_target_zero_has_no_mask(network):
    targets = dict.fromkeys(variants.kernel_shapes(network), 0.5) | {"stem/conv/kernel": 0.0}
    pruned = pruned_variant(network, targets, PruningSchedule(0, 10, 10))
    assert "stem/conv/kernel" not in variants.named_variables(pruned).masks


def test_layer_with_weights_that_is_not_understood_is_refused_by_name():
    images = tf_keras.Input((8, 8, 1))
    x = tf_keras.layers.Activation("relu")(images)  # no weights: any class will do
    network = tf_keras.Model(images, tf_keras.layers.DepthwiseConv2D(3, name="depthwise")(x))
    with pytest.raises(InputError, match="layer depthwise is a DepthwiseConv2D"):
        pruned_variant(network, {}, PruningSchedule(0, 10, 10))


def test_normalization_over_all_replicas_is_refused():
    """A layer's configuration does not tell of it, so that a copy would silently normalize otherwise."""
    images = tf_keras.Input((8, 8, 1))
    norm = tf_keras.layers.BatchNormalization(synchronized=True, name="norm")
    with pytest.raises(InputError, match="layer norm normalizes over all replicas"):
        variants.clone(tf_keras.Model(images, norm(images)))


def test_precision_of_a_variant(network):
    model = variants.with_precision(network, "mixed_bfloat16")
    assert {layer.compute_dtype for layer in model.layers[1:-1]} == {"bfloat16"}
    assert model.layers[-1].compute_dtype == "float32"
    named = variants.named_variables(model)
    assert {variable.dtype.name for variable in (*named.weights.values(), *named.statistics.values())} == {"float32"}
    with pytest.raises(InputError, match="float16"):
        variants.with_precision(network, "float16")


def test_pixel_values_are_standardised_in_float32():
    """bfloat16 would round what is scaled, and what is added to it; so in every variant."""
    network = digits_resnet((8, 8, 3), standardise=True)
    plain = variants.with_precision(network, "mixed_bfloat16")
    mask = Mask({"stem/conv/kernel": np.ones((3, 3, 3, 16), bool)})
    pixels = np.arange(192, dtype="uint8").reshape(1, 8, 8, 3)
    expected = tf_keras.Model(network.input, network.get_layer("images/standardise").output)(pixels)
    for model in (plain, masked_variant(plain, mask), pruned_variant(plain, {}, PruningSchedule(0, 10, 10))):
        layer = model.get_layer("images/standardise")
        np.testing.assert_array_equal(tf_keras.Model(model.input, layer.output)(pixels), expected)
        assert (
            next(each for each in variants.plain_layers(model) if each.name == "stem/conv").compute_dtype == "bfloat16"
        )


@pytest.mark.parametrize("masked", [False, True])
def test_logits_and_the_gradient_of_their_bias_are_not_rounded(network, random, masked):
    """The gradient is a sum over the examples, which a bfloat16 layer adds up in bfloat16 on a CPU: 3 % off here."""
    model = variants.with_precision(network, "mixed_bfloat16")
    if masked:
        model = masked_variant(model, Mask({"head/dense/kernel": random.random((8, 10)) < 0.5}))
    images = random.normal(size=(512, 8, 8, 1)).astype("float32")
    upstream = (0.1 + random.normal(size=(512, 10))).astype("float32")
    bias = variants.named_variables(model).weights["head/dense/bias"]
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = tf.reduce_sum(upstream * tf.cast(logits, tf.float32))
    np.testing.assert_allclose(tape.gradient(loss, bias), upstream.sum(axis=0, dtype="float64"), rtol=1e-5)
    assert np.mean(logits.numpy()[logits != 0].view("uint32") & 0xFFFF != 0) > 0.9  # the mask may leave a class nothing
