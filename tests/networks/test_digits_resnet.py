"""Protects: the shape of the digits network."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin, assign
from sparse_rigl_lands.sparsity import random_masks, variants


def test_parameters_and_output_shapes():
    network = digits_resnet()
    assert sum(int(np.prod(weight.shape)) for weight in network.trainable_weights) == 77_754
    shapes = [network.get_layer(f"block{i}/relu").output_shape[1:] for i in (1, 2, 3)]
    assert shapes == [(8, 8, 16), (4, 4, 32), (2, 2, 64)]
    assert network.output_shape == (None, 10)


def test_a_strided_convolution_is_the_padded_one_of_numpy(random):
    """Explicit padding: output (i, j) is centred on input (2i, 2j), whatever the image's parity."""
    network = digits_resnet()
    layer, pad = network.get_layer("block2/conv1"), network.get_layer("block2/conv1/pad")
    x = random.normal(size=(1, 8, 8, 16)).astype("float32")
    found = layer(pad(x)).numpy()[0, 1, 2]
    patch = np.pad(x[0], ((1, 1), (1, 1), (0, 0)))[2:5, 4:7]
    expected = np.einsum("hwc,hwcf->f", patch, layer.kernel.numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("zero_gamma", "least_dead"), [(True, 71), (False, 0)])
def test_a_zero_gamma_and_a_sparse_mask_leave_channels_without_gradient(random, zero_gamma, least_dead):
    """Why the gammas start at one: 5 and 20 live weights of the projections feed at most 25 of 96 channels."""
    network = digits_resnet(zero_gamma=zero_gamma)
    shapes = variants.kernel_shapes(network)
    mask = random_masks.random(shapes, dict.fromkeys(shapes, 0.99) | {"stem/conv/kernel": 0.0}, 0, "test")
    assign(network, initializations.scratch(network, Origin("digits", "scratch", 0, 0), mask))
    images = random.normal(size=(64, 8, 8, 1)).astype("float32")
    betas = [network.get_layer(f"block{i}/norm2").beta for i in (2, 3)]
    outputs = [network.get_layer(f"block{i}/relu").output for i in (2, 3)]
    blocks = tf_keras.Model(network.input, outputs)
    with tf.GradientTape() as tape:
        loss = tf.add_n(
            [tf.reduce_sum(output * random.normal(size=output.shape[1:])) for output in blocks(images, True)]
        )
    dead = sum(np.count_nonzero(gradient == 0) for gradient in tape.gradient(loss, betas))
    assert dead >= least_dead
    assert zero_gamma or dead < 48


@pytest.mark.parametrize("channels", [1, 4])
def test_only_three_channels_can_be_standardised(channels):
    with pytest.raises(InputError, match=rf"images of shape \(8, 8, {channels}\) have no three channels"):
        digits_resnet((8, 8, channels), standardise=True)


@pytest.mark.parametrize("flag", ["zero_gamma", "standardise"])
def test_a_flag_in_quotes_is_refused(flag):
    """It would be true, whatever it says."""
    with pytest.raises(InputError, match=f"digits_resnet.{flag} is 'False'; it must be True or False"):
        digits_resnet(**{flag: "False"})
