"""Protects: the losses along a path are exact means over the same images, read once."""

import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.paths.curves import Line
from sparse_rigl_lands.paths.evaluator import evaluate
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import assign

T = np.linspace(0, 1, 5)


@pytest.fixture
def ends(workload):
    return [initializations.dense(workload.network, "small", "dense", seed) for seed in (0, 1)]


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
