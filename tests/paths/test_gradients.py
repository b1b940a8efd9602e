"""Protects: the gradient along a path is that of the objective at w(t), in both spaces."""

import functools

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.paths.curves import Line
from sparse_rigl_lands.paths.evaluator import PathEvaluator
from sparse_rigl_lands.paths.gradients import gradient_norms_on_path
from sparse_rigl_lands.paths.partial_sums import added_up
from sparse_rigl_lands.paths.weight_path import WeightPath
from sparse_rigl_lands.points.point import assign
from sparse_rigl_lands.replicas import WHOLE
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.workload import Workload
from tests.random_points import between, random_mask, random_point

T = np.array([0.0, 0.4, 1.0])


@pytest.fixture
def ends(network):
    mask = random_mask(network, 0.5)
    return [random_point(network, seed).under(mask) for seed in (0, 1)]


def _norms(workload, ends, strategy, batch_norm, batches):
    path = WeightPath.between(workload.network, *ends, Line())
    evaluator = PathEvaluator(workload.network, path, T, workload.objective, strategy)
    return added_up(gradient_norms_on_path(evaluator, batch_norm, batches)(0))["gradients"]


def _batches(workload, size, count, share=WHOLE):
    return workload.dataset.evaluation_batches("train", size, True, limit=size * count, share=share)


@pytest.mark.parametrize("batch_norm", ["batch", "stored"])
def test_against_the_plain_network(workload, ends, one_device, batch_norm):
    """The norm of the mean gradient, and the noise by its definition, from gradients batch by batch."""
    network, batches = workload.network, _batches(workload, 50, 4)
    found = _norms(workload, ends, one_device, batch_norm, lambda share: batches)
    weights = variants.named_variables(network).weights
    for k, t in enumerate(T):
        gradients = []
        for images, labels, _ in batches:
            assign(network, between(ends, t))
            with tf.GradientTape() as tape:
                logits = network(images, training=batch_norm == "batch")
                losses = workload.objective.smoothed_cross_entropy(labels, logits)
                loss = tf.reduce_mean(losses) + workload.objective.l2(weights)
            gradients.append([g.numpy().astype("float64") for g in tape.gradient(loss, list(weights.values()))])
        live = [ends[0].mask.arrays.get(name, np.True_) for name in weights]
        for space, keep in (("sparse", live), ("dense", [np.True_] * len(live))):
            flat = np.array(
                [np.concatenate([(g * m).ravel() for g, m in zip(each, keep, strict=True)]) for each in gradients]
            )
            mean = flat.mean(axis=0)
            noise = np.sqrt(np.sum((flat - mean) ** 2) / (4 * 3))
            row = found[k][("sparse", "dense").index(space)]
            np.testing.assert_allclose(row, [np.linalg.norm(mean), noise], rtol=1e-3)


def test_against_finite_differences_of_numpys_loss(one_device):
    """A network of twenty weights: softmax regression on the mean of the image."""
    images = tf_keras.Input((8, 8, 1))
    mean = tf_keras.layers.GlobalAveragePooling2D()(images)
    network = tf_keras.Model(images, tf_keras.layers.Dense(10, name="head")(mean))
    workload = Workload("tiny", Digits(), network, Objective(weight_decay=0.1, label_smoothing=0.2))
    mask = Mask({"head/kernel": np.arange(10)[None] < 6})
    ends = [random_point(network, seed).under(mask) for seed in (0, 1)]
    found = _norms(workload, ends, one_device, "batch", functools.partial(_batches, workload, 50, 2))[1]

    x, labels, _ = (np.concatenate(parts).astype("float64") for parts in zip(*_batches(workload, 50, 2), strict=True))
    targets = 0.8 * np.eye(10)[labels.astype(int)] + 0.02
    point = between(ends, T[1])
    flat = np.concatenate([point.weights["head/kernel"][0], point.weights["head/bias"]]).astype("float64")

    def loss(flat):
        kernel, bias = np.split(flat, 2)
        log_p = scipy.special.log_softmax(x.mean((1, 2)) * kernel + bias, axis=1)
        return -np.mean(np.sum(targets * log_p, axis=1)) + 0.1 / 2 * np.sum(kernel**2)

    gradient = scipy.optimize.approx_fprime(flat, loss, 1e-6)
    live = np.arange(20) % 10 < 6
    live[10:] = True
    np.testing.assert_allclose(found[:, 0], [np.linalg.norm(gradient[live]), np.linalg.norm(gradient)], rtol=1e-4)


def test_two_replicas_agree_with_one_device(workload, ends, one_device, mirrored):
    one, two = (
        _norms(workload, ends, strategy, "stored", functools.partial(_batches, workload, 100, 2))
        for strategy in (one_device, mirrored)
    )
    np.testing.assert_allclose(one, two, rtol=1e-4)


def test_places_can_be_taken_up_anywhere(workload, ends, one_device):
    path = WeightPath.between(workload.network, *ends, Line())
    evaluator = PathEvaluator(workload.network, path, T, workload.objective, one_device)
    increments = gradient_norms_on_path(evaluator, "batch", functools.partial(_batches, workload, 50, 2))
    everything = [each["gradients"] for each in increments(0)]
    assert len(everything) == 3
    np.testing.assert_array_equal(next(increments(2))["gradients"], everything[2])
    assert not everything[2][:2].any()
