"""Protects: counts of operations and activations agree with TensorFlow's profiler, its gradients, and a pencil."""

import math

import pytest
import tensorflow as tf
import tf_keras
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from sparse_rigl_lands.networks import cost
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.networks.resnet50 import resnet50

_LAYERS = tf_keras.layers


@pytest.fixture(scope="module")
def resnet():
    return resnet50()


def _small():
    images = tf_keras.Input((6, 6, 3), name="images")
    x = _LAYERS.Conv2D(4, 3, strides=2, name="conv")(images)  # valid: [2, 2, 4]
    x = _LAYERS.BatchNormalization(name="norm")(x)
    x = _LAYERS.ReLU(name="relu")(x)
    x = _LAYERS.Flatten(name="flat")(x)
    hidden = _LAYERS.Dense(7, "tanh", name="hidden")(x)
    return tf_keras.Model(images, _LAYERS.Dense(5, name="logits")(hidden))


def _of_pixels():
    return digits_resnet((8, 8, 3), standardise=True)


def test_by_hand():
    network = _small()
    assert cost.forward_flops(network) == {
        "conv/kernel": 2 * (3 * 3 * 3) * (2 * 2 * 4),
        "hidden/kernel": 2 * 16 * 7,
        "logits/kernel": 2 * 7 * 5,
    }
    # The rectifier's output is the dense layer's input too, in another shape: once.
    assert cost.activations_kept(network) == {"conv": 16, "relu": 16, "hidden": 7}
    assert cost.largest_call(network) == 6 * 6 * 3 + 16


def test_groups_and_a_layer_that_is_called_twice():
    images = tf_keras.Input((4, 4, 2))
    twice = _LAYERS.Conv2D(2, 3, padding="same", groups=2, name="twice")
    network = tf_keras.Model(images, twice(twice(images)))
    assert cost.forward_flops(network) == {"twice/kernel": 2 * (2 * 3 * 3 * 1 * 2 * 4 * 4)}
    assert cost.activations_kept(network) == {"twice": 32}
    twice(tf_keras.Input((8, 8, 2)))  # a call that is none of the network's
    assert cost.forward_flops(network) == {"twice/kernel": 2 * (2 * 3 * 3 * 1 * 2 * 4 * 4)}


def test_the_profiler_counts_the_same_operations_of_resnet50(resnet):
    of_one_image = tf.function(resnet).get_concrete_function(tf.TensorSpec([1, 224, 224, 3], resnet.inputs[0].dtype))
    graph = convert_variables_to_constants_v2(of_one_image).graph
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    options = builder(builder.float_operation()).with_empty_output()
    linear = builder(options.build()).with_accounted_types(["Conv2D", "MatMul"])
    counted, of_all = (
        tf.compat.v1.profiler.profile(graph, options=each.build()).total_float_ops for each in (linear, options)
    )
    flops = cost.forward_flops(resnet)
    assert sum(flops.values()) == counted == 8_178_368_512  # 4.09 G multiply-adds
    assert of_all == pytest.approx(counted, rel=0.01)
    assert len(flops) == 54


def _elements_that_the_gradient_takes(network):
    """Elements of the forward pass's results that TensorFlow's gradient operations read, per image."""
    batch, forward = 13, set()  # no weight here has a first dimension of 13

    @tf.function
    def gradients(images):
        with tf.GradientTape() as tape:
            logits = network(images, training=True)
        forward.update(op.name for op in tf.compat.v1.get_default_graph().get_operations())
        return tape.gradient(logits, network.trainable_weights)

    graph = gradients.get_concrete_function(tf.TensorSpec([batch, *network.input_shape[1:]])).graph
    backward = [op for op in graph.get_operations() if op.name not in forward]
    read = {tensor.name: tensor for op in backward for tensor in op.inputs if tensor.op.name in forward}
    no_copies = ("Placeholder", "Reshape")
    kept = [t for t in read.values() if t.op.type not in no_copies and t.shape.rank and t.shape[0] == batch]
    return sum(math.prod(tensor.shape[1:]) for tensor in kept)


@pytest.mark.parametrize("build", [_small, digits_resnet, _of_pixels, lambda: resnet50((32, 32, 3))])
def test_tensorflows_gradients_take_what_is_kept(build):
    network = build()
    assert sum(cost.activations_kept(network).values()) == _elements_that_the_gradient_takes(network)


def test_the_largest_call_of_resnet50(resnet):
    """The first sum of a branch and its shortcut: three tensors of [56, 56, 256]."""
    assert cost.largest_call(resnet) == 3 * 56 * 56 * 256
