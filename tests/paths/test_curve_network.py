"""Protects: the curve variant at t is the plain network of the combined weights."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.points.point import Origin, Point, assign
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask

COEFFICIENTS = [(1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.2, 0.5, 0.3)]


def _random_point(network, random):
    named = variants.named_variables(network)
    weights = {name: random.normal(size=value.shape, scale=0.5) for name, value in named.weights.items()}
    statistics = {name: random.uniform(0.5, 2, size=value.shape) for name, value in named.statistics.items()}
    return Point(_float32(weights), Mask({}), _float32(statistics), Origin("small", "dense", 0, 0))


def _float32(values):
    return {name: value.astype("float32") for name, value in values.items()}


def _combined(points, coefficients):
    """The point sum_i c_i theta_i, by NumPy in float64."""

    def combine(group):
        return {
            name: np.tensordot(coefficients, [getattr(point, group)[name].astype("float64") for point in points], 1)
            for name in getattr(points[0], group)
        }

    return Point(_float32(combine("weights")), Mask({}), _float32(combine("statistics")), points[0].origin)


@pytest.fixture
def points(network, random):
    return [_random_point(network, random) for _ in range(3)]


@pytest.mark.parametrize("batch_norm", ["batch", "stored"])
@pytest.mark.parametrize("coefficients", COEFFICIENTS)
def test_logits_are_those_of_the_combined_weights(network, points, random, coefficients, batch_norm):
    curve = CurveNetwork(network, 3, batch_norm)
    curve.assign(points)
    images = random.normal(size=(16, 8, 8, 1)).astype("float32")
    found = tf.function(curve)(images, tf.constant(coefficients))
    assign(network, _combined(points, coefficients))
    expected = network(images, training=batch_norm == "batch")
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_padding_stays_out_of_batch_statistics(network, points, random):
    curve = CurveNetwork(network, 3, "batch")
    curve.assign(points)
    coefficients = tf.constant(COEFFICIENTS[2])
    images = random.normal(size=(16, 8, 8, 1)).astype("float32")
    images[11:] = 100.0
    weights = (np.arange(16) < 11).astype("float32")
    padded = curve(images, coefficients, weights)[:11]
    np.testing.assert_allclose(padded, curve(images[:11], coefficients), rtol=1e-4, atol=1e-5)
    assert np.max(np.abs(padded - curve(images, coefficients)[:11])) > 0.01  # had it entered


def test_a_replica_of_nothing_but_padding_stays_finite(network, points):
    curve = CurveNetwork(network, 3, "batch")
    curve.assign(points)
    assert np.all(np.isfinite(curve(tf.zeros((4, 8, 8, 1)), tf.constant(COEFFICIENTS[2]), tf.zeros(4))))


def test_a_call_writes_nothing(network, points, random):
    curve = CurveNetwork(network, 3, "batch")
    curve.assign(points)
    curve(random.normal(size=(4, 8, 8, 1)).astype("float32"), tf.constant(COEFFICIENTS[2]))
    for name, variables in curve.control_points().items():
        for variable, point in zip(variables, points, strict=True):
            np.testing.assert_array_equal(variable, {**point.weights, **point.statistics}[name])


def test_control_points_stay_float32_under_mixed_precision(network, points, random):
    """w(t) is combined in float32 and rounded once, so bfloat16 is as close as its 8 bits allow."""
    images = random.normal(size=(16, 8, 8, 1)).astype("float32")
    exact = CurveNetwork(network, 3, "stored")
    mixed = CurveNetwork(variants.with_precision(network, "mixed_bfloat16"), 3, "stored")
    for curve in (exact, mixed):
        curve.assign(points)
    logits = mixed(images, tf.constant(COEFFICIENTS[2]))
    assert logits.dtype == tf.bfloat16
    assert {v.dtype for variables in mixed.control_points().values() for v in variables} == {tf.float32}
    reference = exact(images, tf.constant(COEFFICIENTS[2])).numpy()
    assert np.max(np.abs(tf.cast(logits, tf.float32) - reference)) < 0.05 * np.max(np.abs(reference))


def test_gradient_reaches_the_control_points_by_their_coefficients(network, points, random):
    curve = CurveNetwork(network, 3, "stored")
    curve.assign(points)
    variables = curve.control_points()["head/dense/kernel"]
    images = random.normal(size=(4, 8, 8, 1)).astype("float32")
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(variables)
        loss = tf.reduce_sum(curve(images, tf.constant(COEFFICIENTS[2])) ** 2)
    gradients = tape.gradient(loss, variables)
    for gradient, coefficient in zip(gradients, COEFFICIENTS[2], strict=True):
        np.testing.assert_allclose(gradient / coefficient, gradients[0] / COEFFICIENTS[2][0], rtol=1e-4)


def test_layers_that_are_not_understood_are_refused(network):
    images = tf_keras.Input((8, 8, 1))
    depthwise = tf_keras.Model(images, tf_keras.layers.DepthwiseConv2D(3, name="depthwise")(images))
    with pytest.raises(InputError, match="layer depthwise is a DepthwiseConv2D"):
        CurveNetwork(depthwise, 2, "batch")
    first_axis = tf_keras.Model(images, tf_keras.layers.BatchNormalization(axis=1, name="norm")(images))
    with pytest.raises(InputError, match=r"layer norm normalizes axes \[1\]"):
        CurveNetwork(first_axis, 2, "batch")
    with pytest.raises(InputError, match="batch_norm is 'none'"):
        CurveNetwork(network, 2, "none")
