"""Protects: an initialization is a function of the seed and of each weight's name, and what masks do to it."""

import math

import numpy as np
import pytest
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from tests.random_points import random_mask


def _dense(network, seed):
    return initializations.dense(network, Origin("digits", "dense", seed, 0))


def test_one_seed_gives_one_initialization():
    assert _dense(digits_resnet(), 3).digest() == _dense(digits_resnet(), 3).digest()
    assert _dense(digits_resnet(), 3).digest() != _dense(digits_resnet(), 4).digest()


def test_a_weights_draw_does_not_depend_on_the_other_layers():
    network = digits_resnet()
    stem = tf_keras.Model(network.input, network.get_layer("stem/relu").output)
    kernel = "stem/conv/kernel"
    np.testing.assert_array_equal(_dense(stem, 3).weights[kernel], _dense(network, 3).weights[kernel])


def test_every_weight_is_drawn_by_its_layers_initializer():
    point = _dense(digits_resnet(zero_gamma=True), 3)
    assert not point.weights["block2/norm2/gamma"].any()  # the last of its branch
    assert np.all(_dense(digits_resnet(), 3).weights["block2/norm2/gamma"] == 1)
    assert np.all(point.weights["block2/norm1/gamma"] == 1)
    assert np.all(point.statistics["block2/norm1/moving_variance"] == 1)
    kernel = point.weights["block3/conv2/kernel"]
    assert abs(kernel.std() * np.sqrt(3 * 3 * 64) - 1) < 0.03  # variance 1 / fan-in
    assert abs(np.corrcoef(kernel[..., 0].ravel(), kernel[..., 1].ravel())[0, 1]) < 0.2
    assert point.origin.global_step == 0
    assert not point.mask.arrays


SCRATCH = Origin("digits", "scratch", 3, 0)


def test_scratch_is_drawn_afresh_under_the_mask():
    """Like the dense initialization in distribution, like it in no weight, though the seed is the same."""
    network = digits_resnet()
    dense, mask = _dense(network, 3), random_mask(network, 0.9)
    scratch = initializations.scratch(network, SCRATCH, mask)
    assert scratch.mask == mask
    assert scratch.origin == SCRATCH
    for name, live in mask.arrays.items():
        assert not scratch.weights[name][~live].any()
        assert not np.any(scratch.weights[name][live] == dense.weights[name][live]), name
    name = "block3/conv2/kernel"
    ours, theirs = (point.weights[name][mask.arrays[name]] for point in (scratch, dense))
    assert ours.std() == pytest.approx(theirs.std(), rel=0.1)
    assert abs(np.corrcoef(ours, theirs)[0, 1]) < 0.1
    assert scratch.digest() == initializations.scratch(digits_resnet(), SCRATCH, mask).digest()


def test_lottery_has_the_tickets_live_weights_and_no_others():
    network = digits_resnet()
    ticket = initializations.dense(network, Origin("digits", "pruned", 3, 70))
    mask = random_mask(network, 0.9)
    lottery = initializations.lottery(ticket, Origin("digits", "lottery", 5, 0), mask)
    assert lottery.origin == Origin("digits", "lottery", 5, 70)  # goes on where it rewinds to
    assert lottery.digest() == Point(ticket.weights, mask, ticket.statistics, ticket.origin).digest()


@pytest.mark.parametrize("fraction", [0.0, 0.5, 0.999])
def test_zeroed_has_exactly_the_fraction_of_zeros_and_no_mask(fraction):
    dense = _dense(digits_resnet(), 3)
    fractions = dict.fromkeys(variants.kernel_shapes(digits_resnet()), fraction)
    zeroed = initializations.zeroed(dense, fractions)
    assert not zeroed.mask.arrays
    for name, weight in zeroed.weights.items():
        changed = weight != dense.weights[name]
        assert np.count_nonzero(changed) == (math.floor(fraction * weight.size) if name in fractions else 0)
        assert not weight[changed].any()
    assert (zeroed.digest() == dense.digest()) == (fraction == 0)


def test_which_weights_are_zeroed_is_keyed_by_the_seed():
    name = "block3/conv2/kernel"
    one, two = (initializations.zeroed(_dense(digits_resnet(), seed), {name: 0.5}).weights[name] for seed in (0, 1))
    assert 0.4 < np.mean((one == 0) == (two == 0)) < 0.6


def test_live_fan_in_gives_every_unit_the_variance_of_a_dense_one():
    """Over many inputs of unit variance, a unit's output has the variance sum_i w_i^2."""
    network = digits_resnet()
    name = "block3/conv2/kernel"
    variances = {"dense": [], True: [], False: []}
    for seed in range(8):
        origin = Origin("digits", "scratch", seed, 0)
        mask = random_mask(network, 0.9, seed)
        for live_fan_in in (True, False):
            weight = initializations.scratch(network, origin, mask, live_fan_in).weights[name]
            variances[live_fan_in].append(np.sum(weight.reshape(-1, 64) ** 2, axis=0))
        variances["dense"].append(np.sum(_dense(network, seed).weights[name].reshape(-1, 64) ** 2, axis=0))
    mean = {key: np.mean(value) for key, value in variances.items()}
    assert mean[True] == pytest.approx(mean["dense"], rel=0.05)
    assert mean[False] == pytest.approx(0.1 * mean["dense"], rel=0.1)


def test_live_fan_in_by_hand():
    kernel = np.arange(1, 13, dtype="float32").reshape(2, 2, 1, 3)
    live = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]], bool).reshape(kernel.shape)
    bias = np.ones(3, "float32")
    scaled = initializations.scaled_to_live_fan_in(Point({"a": kernel, "b": bias}, Mask({"a": live}), {}, SCRATCH))
    expected = np.array([[1, 2 * 2, 0], [4, 0, 0], [7, 0, 0], [10, 0, 0]]).reshape(kernel.shape)
    np.testing.assert_array_equal(scaled.weights["a"], expected)  # sqrt(4 / 4), sqrt(4 / 1), and nothing to scale
    np.testing.assert_array_equal(scaled.weights["b"], bias)


def test_a_mask_of_another_network_is_refused():
    mask = Mask({"block9/conv1/kernel": np.zeros((3, 3), bool)})
    with pytest.raises(InputError, match="of another network: it names block9/conv1/kernel"):
        initializations.scratch(digits_resnet(), SCRATCH, mask)
    with pytest.raises(InputError, match="of another network: it names block9/conv1/kernel"):
        initializations.lottery(_dense(digits_resnet(), 0), SCRATCH, mask)
