"""Protects: the masked variant is the plain network of the zeroed kernels, whatever the model."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin, assign
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.sparsity.masked import masked_variant
from tests.random_points import random_mask


@pytest.mark.parametrize("strategy", ["one_device", "mirrored"])
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_forward_is_the_plain_networks_of_the_zeroed_kernels(network, random, request, strategy, precision):
    strategy = request.getfixturevalue(strategy)
    network = variants.with_precision(network, precision)
    mask = random_mask(network, 0.7)
    dense = initializations.dense(network, Origin("small", "dense", 0, 0))
    with strategy.scope():
        masked, plain = masked_variant(network, mask), variants.clone(network)
    for name, variable in variants.named_variables(masked).weights.items():
        variable.assign(dense.weights[name])  # raw: the mask alone must zero them
    assign(plain, dense.under(mask))
    images = tf.constant(random.normal(size=(6, 8, 8, 1)), tf.float32)

    def outputs(training):
        call = tf.function(lambda model: strategy.run(lambda: model(images, training=training)))
        return [strategy.experimental_local_results(call(model)) for model in (masked, plain)]

    for training in (False, True):
        for ours, expected in zip(*outputs(training), strict=True):
            assert ours.dtype == expected.dtype
            np.testing.assert_array_equal(ours, expected)


def test_any_model_of_known_layers_can_be_masked(random):
    """Two inputs, a shared layer, a dense layer on a sequence, groups, dilation, biases."""
    left, right = tf_keras.Input((8, 8, 4)), tf_keras.Input((8, 8, 4))
    shared = tf_keras.layers.Conv2D(6, 3, dilation_rate=2, activation="relu", name="shared")
    x = tf_keras.layers.Add()([shared(left), shared(right)])
    x = tf_keras.layers.Conv2D(6, 2, groups=2, use_bias=False, name="grouped")(x)
    x = tf_keras.layers.Reshape((9, 6))(x)
    x = tf_keras.layers.Dense(5, activation="tanh", name="sequence")(x)
    x = tf_keras.layers.Dense(3, name="head")(tf_keras.layers.Flatten()(x))
    network = tf_keras.Model([left, right], x)
    mask = random_mask(network, 0.5)
    masked = masked_variant(network, mask)
    point = initializations.dense(network, Origin("any", "dense", 0, 0)).under(mask)
    assign(masked, point)
    assign(network, point)
    inputs = [tf.constant(random.normal(size=(2, 8, 8, 4)), tf.float32) for _ in range(2)]
    np.testing.assert_allclose(masked(inputs), network(inputs), rtol=1e-6)
    assert masked.output_shape == network.output_shape


def test_its_masks_are_the_masks(network):
    mask = random_mask(network, 0.7)
    masks = variants.named_variables(masked_variant(network, mask)).masks
    assert Mask({name: variable.numpy() > 0 for name, variable in masks.items()}) == mask
    assert not any(variable.trainable for variable in masks.values())


def test_kernels_that_the_mask_does_not_name_stay_plain(network):
    mask = Mask({"block1/conv1/kernel": random_mask(network, 0.7).arrays["block1/conv1/kernel"]})
    assert list(variants.named_variables(masked_variant(network, mask)).masks) == ["block1/conv1/kernel"]


def test_a_layer_that_is_not_known_is_refused_by_name():
    images = tf_keras.Input((8, 8, 4))
    x = tf_keras.layers.DepthwiseConv2D(3, name="depthwise")(images)
    network = tf_keras.Model(images, tf_keras.layers.Conv2D(4, 1, name="pointwise")(x))
    mask = Mask({"pointwise/kernel": np.zeros((1, 1, 4, 4), bool)})
    with pytest.raises(InputError, match="layer depthwise is a DepthwiseConv2D"):
        masked_variant(network, mask)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"block9/conv1/kernel": np.zeros((3, 3), bool)}, "of another network: it names block9/conv1/kernel"),
        ({"stem/conv/kernel": np.zeros((3, 3, 1, 5), bool)}, r"stem/conv/kernel has shape \(3, 3, 1, 5\), in this one"),
    ],
)
def test_a_mask_of_another_network_is_refused(network, arrays, words):
    with pytest.raises(InputError, match=words):
        masked_variant(network, Mask(arrays))
