"""Protects: variants keep names, and refuse what they do not understand."""

import pytest
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.sparsity import variants
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
    assert {layer.compute_dtype for layer in model.layers[1:]} == {"bfloat16"}
    assert {weight.dtype.name for weight in variants.named_variables(model).weights.values()} == {"float32"}
    with pytest.raises(InputError, match="float16"):
        variants.with_precision(network, "float16")
