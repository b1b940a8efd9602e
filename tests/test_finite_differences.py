"""Protects: the gradients that training and fitting follow are those of the objective, which NumPy differentiates.

Of the real network for digits, by central differences in float64, see ``numpy_network``, along a random direction of
every weight. They agree to 1e-5, but for one thing: a rectifier whose input is next to zero may be on its other side in
float32, and a single one can change a derivative by some tenths of a per cent. So the images are few, and at these
points no input is so near: the nearest is 30 times as far from zero as float32 is off there.
"""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.data.dataset import Selection
from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.paths import control_points
from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.paths.curve_trainer import CurveTrainer
from sparse_rigl_lands.paths.curves import Bezier
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.sparsity.masked import masked_variant
from sparse_rigl_lands.training.network_trainer import NetworkTrainer
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.scaled_sgd import ScaledSGD
from tests import numpy_network
from tests.random_points import random_sparse_point

_BATCH, _DECAY, _SMOOTHING = 16, 5e-3, 0.1
_RATE = 2.0**10  # such a step is all gradient: float32 rounds the weights after it as little as the gradient itself
_STEP = 1e-8  # in float64: rounding leaves six digits of the differences, and no rectifier switches in between
_TOLERANCE = 1e-4  # in standard deviations of the derivative along a random direction, which are the gradient's norm


@pytest.fixture(scope="module")
def network():
    return digits_resnet()


@pytest.fixture(scope="module")
def points(network):
    """Under one mask."""
    return [random_sparse_point(network, seed, 0.9) for seed in range(3)]


@pytest.fixture(scope="module")
def batch():
    examples = Digits().evaluation_examples("train", True, 0, Selection(0, _BATCH, _BATCH))
    return tuple(np.stack(part) for part in zip(*examples.as_numpy_iterator(), strict=True))


def _objective(weights, batch):
    images, labels = batch
    logits = numpy_network.logits(weights, images, numpy_network.of_the_batch)
    _, smoothed, _, _ = numpy_network.values(labels, logits, _SMOOTHING)
    return smoothed.mean() + numpy_network.l2(weights, _DECAY)


def _gradient(trainer, variables, before, batch):
    """What one step moves the variables by, over the learning rate; and the objective before it.

    They are read themselves: in a point, what is masked is zero however it was moved.
    """
    trainer.restore(Checkpoint(before, {}))
    values = {name: variable.numpy().astype("float64") for name, variable in variables.items()}
    (metrics,) = trainer.take_steps(iter(tf.data.Dataset.from_tensors(batch)), 1)
    return {name: (value - variables[name].numpy()) / _RATE for name, value in values.items()}, metrics[0] + metrics[1]


def _check(gradient, objective, weights, random, entries=None):
    """Against central differences along a random direction of every weight, or of the given entries of some."""
    for name in entries or weights:
        direction = random.normal(size=weights[name].shape) * (entries[name] if entries else 1)
        ahead, behind = ({**weights, name: weights[name] + step * direction} for step in (_STEP, -_STEP))
        expected = (objective(ahead) - objective(behind)) / (2 * _STEP)
        tolerance = _TOLERANCE * np.linalg.norm(gradient[name][direction != 0])
        assert np.sum(gradient[name] * direction) == pytest.approx(expected, abs=tolerance), name


def test_under_a_mask(network, points, batch, one_device, random):
    """NumPy masks the kernels, and differentiates by what is masked, too."""
    point = points[0]
    masks = point.mask.arrays
    with one_device.scope():
        model, optimizer = masked_variant(network, point.mask), tf_keras.optimizers.SGD(_RATE)
    trainer = NetworkTrainer(model, Objective(_DECAY, _SMOOTHING), optimizer, _BATCH, one_device)
    gradient, value = _gradient(trainer, variants.named_variables(model).weights, point, batch)

    def objective(weights):
        return _objective(numpy_network.masked(weights, masks), batch)

    weights = numpy_network.masked(point.weights, {})
    assert value == pytest.approx(objective(weights), rel=1e-5)
    _check(gradient, objective, weights, random)
    for name, live in masks.items():
        assert not gradient[name][~live].any(), name


@pytest.mark.parametrize("manifold", ["sparse", "dense"])
def test_by_the_control_point_of_a_curve(network, points, batch, one_device, random, manifold):
    """From one and the same sparse curve: masked entries get a gradient in the dense manifold alone."""
    t, masks = 0.37, points[0].mask.arrays
    mask = points[0].mask if manifold == "sparse" else Mask({})
    with one_device.scope():
        curve_network, optimizer = CurveNetwork(network, 3), ScaledSGD(_RATE)
    curve_network.assign(points)
    trainer = CurveTrainer(
        curve_network,
        Bezier(2),
        mask,
        lambda first, count: np.full(count, t),
        Objective(_DECAY, _SMOOTHING),
        optimizer,
        _BATCH,
        one_device,
    )
    inner = control_points.joined(control_points.masked(points[1:2], mask), points[1].origin)
    variables = {name: curve_network.control_points()[name][1] for name in curve_network.weight_names}
    gradient, value = _gradient(trainer, variables, inner, batch)
    start, theta, end = (numpy_network.masked(point.weights, {}) for point in points)

    def objective(theta):
        coefficients = (1 - t) ** 2, 2 * t * (1 - t), t**2
        theta = numpy_network.masked(theta, mask.arrays)
        return _objective(numpy_network.combination(coefficients, [start, theta, end]), batch)

    assert value == pytest.approx(objective(theta), rel=1e-5)
    _check(gradient, objective, theta, random)
    if manifold == "dense":
        _check(gradient, objective, theta, random, {name: ~live for name, live in masks.items()})
    for name, live in masks.items():
        assert gradient[name][~live].any() == (manifold == "dense"), name
