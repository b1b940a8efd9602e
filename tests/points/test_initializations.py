"""Protects: an initialization is a function of the seed and of each weight's name."""

import numpy as np
import tf_keras

from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.points import initializations


def _dense(network, seed):
    return initializations.dense(network, "digits", "dense", seed)


def test_one_seed_gives_one_initialization():
    assert _dense(digits_resnet(), 3).digest() == _dense(digits_resnet(), 3).digest()
    assert _dense(digits_resnet(), 3).digest() != _dense(digits_resnet(), 4).digest()


def test_a_weights_draw_does_not_depend_on_the_other_layers():
    network = digits_resnet()
    stem = tf_keras.Model(network.input, network.get_layer("stem/relu").output)
    kernel = "stem/conv/kernel"
    np.testing.assert_array_equal(_dense(stem, 3).weights[kernel], _dense(network, 3).weights[kernel])


def test_every_weight_is_drawn_by_its_layers_initializer():
    point = _dense(digits_resnet(), 3)
    assert not point.weights["block2/norm2/gamma"].any()  # the last of its branch
    assert np.all(point.weights["block2/norm1/gamma"] == 1)
    assert np.all(point.statistics["block2/norm1/moving_variance"] == 1)
    kernel = point.weights["block3/conv2/kernel"]
    assert abs(kernel.std() * np.sqrt(3 * 3 * 64) - 1) < 0.03  # variance 1 / fan-in
    assert abs(np.corrcoef(kernel[..., 0].ravel(), kernel[..., 1].ravel())[0, 1]) < 0.2
    assert point.origin.global_step == 0
    assert not point.mask.arrays
