"""Protects: the losses along a path are exact means over the same images, read once."""

import dataclasses

import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from sparse_rigl_lands.data.dataset import padded_batches
from sparse_rigl_lands.networks.resnet50 import resnet50
from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.paths.curves import Line
from sparse_rigl_lands.paths.evaluator import evaluate
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin, assign
from sparse_rigl_lands.training.objective import Objective

T = np.linspace(0, 1, 5)


def _random_point(network, seed):
    """A point at which every weight and statistic counts: at an initialization the residual branches are off."""
    random = np.random.default_rng(seed)
    point = initializations.dense(network, Origin("small", "dense", seed, 0))
    weights = {name: value + random.normal(scale=0.1, size=value.shape) for name, value in point.weights.items()}
    statistics = {name: value * random.uniform(0.5, 2, size=value.shape) for name, value in point.statistics.items()}
    as_float32 = [{name: value.astype("float32") for name, value in group.items()} for group in (weights, statistics)]
    return dataclasses.replace(point, weights=as_float32[0], statistics=as_float32[1])


@pytest.fixture
def ends(workload):
    return [_random_point(workload.network, seed) for seed in (0, 1)]


def _evaluate(workload, ends, strategy, batch_size, batch_norm="batch", t=T):
    with strategy.scope():
        network = CurveNetwork(workload.network, 2, batch_norm)
    network.assign(ends)
    batches = workload.dataset.evaluation_batches("train", batch_size * strategy.num_replicas_in_sync, True, 0)
    return evaluate(network, Line().coefficients(t), workload.objective, batches, strategy)


@pytest.mark.parametrize("batch_norm", ["batch", "stored"])
def test_ends_are_a_plain_forward_pass_of_the_points_own_weights(workload, ends, one_device, batch_norm):
    found = _evaluate(workload, ends, one_device, 100, batch_norm)
    assert found.count == 1437
    for point, k in zip(ends, (0, -1), strict=True):
        assign(workload.network, point)
        losses, right = [], []
        for images, labels, weights in workload.dataset.evaluation_batches("train", 100, True, 0):
            live = weights.numpy() == 1
            logits = workload.network(images[live], training=batch_norm == "batch").numpy().astype("float64")
            log_p = scipy.special.log_softmax(logits, axis=1)
            losses.extend(-log_p[np.arange(live.sum()), labels[live]])
            right.extend(log_p.argmax(axis=1) == labels[live])
        assert len(losses) == 1437
        assert found.cross_entropy[k] == pytest.approx(np.mean(losses), abs=1e-5)
        assert found.accuracy[k] == pytest.approx(np.mean(right), abs=1e-9)


def test_two_replicas_agree_with_one_device(workload, ends, one_device, mirrored):
    """Also where padding fills the rest of one replica's batch, and all of the other's."""
    for batch_size in (128, 480):  # 1437 = 11 * 128 + 29 = 2 * 480 + 477
        one = _evaluate(workload, ends, one_device, batch_size)
        two = _evaluate(workload, ends, mirrored, batch_size)
        assert one.count == two.count == 1437
        np.testing.assert_allclose(one.cross_entropy, two.cross_entropy, rtol=1e-5)
        np.testing.assert_allclose(one.accuracy, two.accuracy)


def test_a_deep_network_stays_finite_where_a_replica_holds_nothing_but_padding(mirrored):
    """Normalized by a variance of zero, padding would grow through 53 layers to infinity."""
    network = resnet50(image_shape=(32, 32, 3), num_classes=10)
    with mirrored.scope():
        curve_network = CurveNetwork(network, 2, "batch")
    curve_network.assign([_random_point(network, seed) for seed in (0, 1)])
    images = np.random.default_rng(0).normal(size=(3, 32, 32, 3)).astype("float32")
    batches = padded_batches(tf.constant(images), tf.constant([1, 2, 3]), batch_size=8)
    found = evaluate(curve_network, Line().coefficients(T[:2]), Objective(), batches, mirrored)
    assert found.count == 3
    assert np.all(np.isfinite(found.cross_entropy))


def test_the_values_at_a_t_do_not_depend_on_the_other_ts(workload, ends, one_device):
    alone = _evaluate(workload, ends, one_device, 128, t=T[2:3])
    among = _evaluate(workload, ends, one_device, 128)
    np.testing.assert_allclose(alone.cross_entropy[0], among.cross_entropy[2], rtol=1e-6)


def test_every_batch_is_read_once_for_all_t(workload, ends, one_device):
    reads = []

    def count(batch):
        reads.append(batch)
        return batch

    batches = workload.dataset.evaluation_batches("train", 479, True, 0)
    counted = batches.map(lambda *batch: (tf.py_function(lambda: count(0), [], tf.int32), *batch))
    counted = counted.map(lambda _, images, labels, weights: (images, labels, weights))
    network = CurveNetwork(workload.network, 2, "batch")
    network.assign(ends)
    evaluate(network, Line().coefficients(T), workload.objective, counted, one_device)
    assert len(reads) == 3


def test_progress_counts_the_images(workload, ends, one_device):
    seen = []
    network = CurveNetwork(workload.network, 2, "batch")
    network.assign(ends)
    batches = workload.dataset.evaluation_batches("train", 500, True, 0)
    evaluate(network, Line().coefficients(T), workload.objective, batches, one_device, seen.append)
    assert seen == [500, 500, 437]
