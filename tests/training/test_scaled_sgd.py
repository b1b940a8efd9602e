"""Protects: variables that share gradients move by SGD with scales as by tf_keras' own SGD with the products."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.training.scaled_sgd import ScaledSGD
from sparse_rigl_lands.training.schedules import WarmupCosine

_SCALES = (0.25, -1.5, 0.0)
_SHAPES = ((3, 3, 4, 5), (7,))
_STEPS = 6


def _built(optimizer):
    random = np.random.default_rng(0)
    variables = [[tf.Variable(random.normal(size=shape).astype("float32")) for _ in _SCALES] for shape in _SHAPES]
    optimizer.build([variable for sharing in variables for variable in sharing])
    return variables


def _gradients():
    random = np.random.default_rng(1)
    return [[random.normal(size=shape).astype("float32") for shape in _SHAPES] for _ in range(_STEPS)]


@pytest.mark.parametrize(
    ("rate", "momentum", "nesterov"),
    [(0.1, 0.0, False), (0.1, 0.9, False), (0.1, 0.9, True), (WarmupCosine(0.5, _STEPS, 0.5), 0.9, True)],
)
@pytest.mark.parametrize("replicas", [1, 2])
def test_it_is_sgd_with_the_scaled_gradients(replicas, rate, momentum, nesterov, one_device, mirrored):
    strategy = one_device if replicas == 1 else mirrored
    with strategy.scope():
        ours, theirs = (kind(rate, momentum, nesterov) for kind in (ScaledSGD, tf_keras.optimizers.SGD))
        moved, expected = _built(ours), _built(theirs)

    @tf.function
    def step(*gradients):
        def in_replica():
            ours.apply_scaled_gradients([tf.constant(scale) for scale in _SCALES], gradients, moved)
            products = [
                (scale * gradient, variable)
                for gradient, sharing in zip(gradients, expected, strict=True)
                for scale, variable in zip(_SCALES, sharing, strict=True)
            ]
            theirs.apply_gradients(products, skip_gradients_aggregation=True)

        strategy.run(in_replica)

    for gradients in _gradients():
        step(*gradients)
    assert ours.iterations.numpy() == theirs.iterations.numpy() == _STEPS
    before = _built(ScaledSGD(0.1))
    for sharing, references, starts in zip(moved, expected, before, strict=True):
        for scale, variable, reference, start in zip(_SCALES, sharing, references, starts, strict=True):
            for copy in strategy.experimental_local_results(variable):
                np.testing.assert_allclose(copy, reference, rtol=1e-5, atol=1e-6)
            assert np.allclose(variable, start) == (scale == 0)
    for slot, reference in zip(ours.momentums, theirs.momentums, strict=True):
        np.testing.assert_allclose(slot, reference, rtol=1e-5, atol=1e-6)


def test_it_compiles_under_xla(one_device):
    with one_device.scope():
        plain, compiled = ScaledSGD(0.1, 0.9, nesterov=True), ScaledSGD(0.1, 0.9, nesterov=True)
        expected, moved = _built(plain), _built(compiled)
    scales = [tf.constant(scale) for scale in _SCALES]
    jitted = tf.function(lambda *gradients: compiled.apply_scaled_gradients(scales, gradients, moved), jit_compile=True)
    for gradients in _gradients():
        plain.apply_scaled_gradients(scales, [tf.constant(gradient) for gradient in gradients], expected)
        jitted(*gradients)
    for sharing, references in zip(moved, expected, strict=True):
        for variable, reference in zip(sharing, references, strict=True):
            np.testing.assert_allclose(variable, reference, rtol=1e-5, atol=1e-6)
