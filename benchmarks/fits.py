"""Trainers of curves, and of the plain dense network that they are compared with."""

import numpy as np
import tf_keras

from benchmarks import steps
from sparse_rigl_lands import distribution
from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.paths.curve_trainer import CurveTrainer, uniform_t
from sparse_rigl_lands.paths.curves import Bezier
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.training.network_trainer import NetworkTrainer
from sparse_rigl_lands.training.scaled_sgd import ScaledSGD


def fit(
    network: tf_keras.Model, degree: int, mask: Mask, batch_size: int, kind: type[CurveTrainer] = CurveTrainer
) -> CurveTrainer:
    """A fit from random control points, which are made one array at a time."""
    strategy, curve = distribution.strategy(), Bezier(degree)
    with strategy.scope():
        on_curve, optimizer = CurveNetwork(network, curve.num_control_points), ScaledSGD(**steps.SGD)
    random = np.random.default_rng(0)
    for name, thetas in on_curve.control_points().items():
        for theta in thetas:
            value = random.normal(scale=0.05, size=theta.shape)
            theta.assign(np.where(mask.arrays.get(name, True), value, 0.0) + name.endswith("/gamma"))
    return kind(on_curve, curve, mask, uniform_t(0), steps.OBJECTIVE, optimizer, batch_size, strategy)


def dense(network: tf_keras.Model, batch_size: int) -> NetworkTrainer:
    """Plain training of a network."""
    strategy = distribution.strategy()
    with strategy.scope():
        model, optimizer = tf_keras.models.clone_model(network), tf_keras.optimizers.SGD(**steps.SGD)
    return NetworkTrainer(model, steps.OBJECTIVE, optimizer, batch_size, strategy)
