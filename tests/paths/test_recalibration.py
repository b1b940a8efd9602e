"""Protects: recalibrated statistics are those of all images together, at every place."""

import numpy as np
import pytest
import tf_keras

from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.paths.curves import Line
from sparse_rigl_lands.paths.partial_sums import added_up
from sparse_rigl_lands.paths.recalibration import batch_moments, moment_sums, statistics_of
from sparse_rigl_lands.points import point as points
from sparse_rigl_lands.replicas import WHOLE, ReplicaFunction
from tests.random_points import between, random_point

T = np.array([0.0, 0.3, 1.0])


@pytest.fixture
def ends(network):
    return [random_point(network, seed) for seed in (0, 1)]


def _first(workload, size, limit, augmented=False):
    return lambda share: workload.dataset.evaluation_batches("train", size, augmented, limit=limit, share=share)


def _recalibrated(network, ends, batches, strategy):
    with strategy.scope():
        curve = CurveNetwork(network, 2)
    curve.assign(ends)
    function = ReplicaFunction(batch_moments(curve, Line().coefficients(T)), strategy, "stack")
    return statistics_of(added_up(moment_sums(*moments) for moments in function.over(batches)))


def test_against_the_inputs_of_plain_keras_layers(workload, ends, one_device):
    """Three batches, one of them padded, pooled in float64: variance between batches counts."""
    network = workload.network
    found = _recalibrated(network, ends, _first(workload, 100, 230, True), one_device)
    batches = list(_first(workload, 100, 230, True)(WHOLE))
    norms = [layer for layer in network.layers if isinstance(layer, tf_keras.layers.BatchNormalization)]
    inputs = tf_keras.Model(network.input, [layer.input for layer in norms])
    for k, t in enumerate(T):
        points.assign(network, between(ends, t))
        seen = [inputs(images[weights > 0], training=True) for images, _, weights in batches]
        for layer, parts in zip(norms, zip(*seen, strict=True), strict=True):
            pooled = np.concatenate(parts).astype("float64")
            mean, variance = pooled.mean((0, 1, 2)), pooled.var((0, 1, 2))
            np.testing.assert_allclose(found[f"{layer.name}/moving_mean"][k], mean, rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose(found[f"{layer.name}/moving_variance"][k], variance, rtol=1e-4)


def test_two_replicas_agree_with_one_device(workload, ends, one_device, mirrored):
    """The second batch fills one replica alone."""
    one, two = (
        _recalibrated(workload.network, ends, _first(workload, size, 150), strategy)
        for size, strategy in ((50, one_device), (100, mirrored))
    )
    for name in one:
        np.testing.assert_allclose(one[name], two[name], rtol=1e-5, atol=1e-6)


def test_moments_are_pooled_in_float64(random):
    """A mean a thousand times the deviation, of two replicas, two batches and one place."""
    examples = random.normal(1000, 1, size=(2, 2, 500))  # [batches, replicas, examples]
    sums = added_up(
        moment_sums(
            np.full(2, 500, "float32"),
            {
                "n/moving_mean": batch.mean(axis=1)[:, None, None].astype("float32"),
                "n/moving_variance": batch.var(axis=1)[:, None, None].astype("float32"),
            },
        )
        for batch in examples
    )
    found = statistics_of(sums)
    assert found["n/moving_mean"] == pytest.approx(examples.mean(), rel=1e-7)
    assert found["n/moving_variance"] == pytest.approx(examples.var(), rel=1e-5)


def test_a_network_without_batch_norm_has_nothing_to_recalibrate(workload, one_device):
    images = tf_keras.Input((8, 8, 1))
    dense = tf_keras.layers.Dense(10, name="head")(tf_keras.layers.Flatten()(images))
    network = tf_keras.Model(images, dense)
    ends = [random_point(network, seed) for seed in (0, 1)]
    batches = _first(workload, 100, 150)
    assert _recalibrated(network, ends, batches, one_device) == {}


def test_a_channel_that_is_constant_has_no_negative_variance():
    sums = {"count": 3.0, "n/moving_mean": np.array([[0.3]]), "n/moving_variance": np.array([[0.03 - 1e-12]])}
    assert statistics_of(sums)["n/moving_variance"] == 0
