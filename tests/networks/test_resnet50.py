"""Protects: that this is ResNet-50 v1.5 as the field trains it."""

import numpy as np
import pytest
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.networks.resnet50 import resnet50


@pytest.fixture(scope="module")
def network():
    return resnet50()


def test_pixel_values_are_standardised_by_the_channels_of_imagenet(network):
    mean, deviation = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])
    pixels = np.random.default_rng(0).integers(256, size=(2, 224, 224, 3), dtype="uint8")
    standardised = tf_keras.Model(network.input, network.get_layer("images/standardise").output)(pixels)
    np.testing.assert_allclose(standardised, (pixels - mean) / deviation, rtol=1e-5, atol=1e-5)


def test_images_that_are_standardised_are_taken_as_they_are(random):
    """By the same layers: the weights of one are those of the other."""
    network, plain = (resnet50((32, 32, 3), 10, standardise=standardise) for standardise in (True, False))
    plain.set_weights(network.get_weights())
    pixels = random.integers(256, size=(3, 32, 32, 3), dtype="uint8")
    images = tf_keras.Model(network.input, network.get_layer("images/standardise").output)(pixels)
    np.testing.assert_allclose(plain(images), network(pixels), rtol=1e-4, atol=1e-5)


def test_parameters(network):
    assert sum(int(np.prod(weight.shape)) for weight in network.trainable_weights) == 25_557_032


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("stem/relu", (112, 112, 64)),
        ("stem/pool", (56, 56, 64)),
        ("stage1/block3/relu", (56, 56, 256)),
        ("stage2/block4/relu", (28, 28, 512)),
        ("stage3/block6/relu", (14, 14, 1024)),
        ("stage4/block3/relu", (7, 7, 2048)),
        ("head/dense", (1000,)),
    ],
)
def test_output_shape_of_every_stage(network, layer, shape):
    assert network.get_layer(layer).output_shape == (None, *shape)


def test_stride_is_in_the_3x3_convolution_and_padding_is_explicit(network):
    for stage in (2, 3, 4):
        strides = [network.get_layer(f"stage{stage}/block1/conv{i}").strides for i in (1, 2, 3)]
        assert strides == [(1, 1), (2, 2), (1, 1)]
        assert network.get_layer(f"stage{stage}/block1/projection/conv").strides == (2, 2)
        assert network.get_layer(f"stage{stage}/block1/conv2/pad").padding == ((1, 1), (1, 1))
    assert network.get_layer("stem/conv/pad").padding == ((3, 3), (3, 3))


def test_last_gamma_of_every_branch_starts_at_zero(network):
    norms = [layer for layer in network.layers if isinstance(layer, tf_keras.layers.BatchNormalization)]
    zero = {layer.name for layer in norms if not layer.gamma.numpy().any()}
    assert zero == {layer.name for layer in norms if layer.name.endswith("/norm3")}
    assert len(zero) == 16
    assert {(layer.momentum, layer.epsilon) for layer in norms} == {(0.9, 1e-5)}


def test_convolutions_have_no_bias_and_the_head_starts_small(network):
    convolutions = [layer for layer in network.layers if isinstance(layer, tf_keras.layers.Conv2D)]
    assert len(convolutions) == 53
    assert not any(layer.use_bias for layer in convolutions)
    assert abs(network.get_layer("head/dense").kernel.numpy().std() - 0.01) < 1e-4


@pytest.mark.parametrize("flag", ["zero_gamma", "standardise"])
def test_a_flag_in_quotes_is_refused(flag):
    """It would be true, whatever it says."""
    with pytest.raises(InputError, match=f"resnet50.{flag} is 'False'; it must be True or False"):
        resnet50(**{flag: "False"})
