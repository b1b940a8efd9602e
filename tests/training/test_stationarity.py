"""Protects: the gradient norm is that of the full objective, in both spaces, and its noise is sampling's."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.data.dataset import divided
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin, assign
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.stationarity import gradient_norms_of_network
from tests.random_points import random_mask

_OBJECTIVE = Objective(weight_decay=0.05, label_smoothing=0.1)
_BATCH = 12


def _examples(count):
    random = np.random.default_rng(0)
    images = random.normal(size=(count, _BATCH, 8, 8, 1)).astype("float32")
    return images, random.integers(10, size=(count, _BATCH), dtype="int32")


def _norms(network, strategy, examples, point, batches=1):
    """Of as many samples as there are batches for."""
    with strategy.scope():
        model = variants.clone(network)
    assign(model, point)
    dataset = tf.data.Dataset.from_tensor_slices(examples)
    size = examples[0].shape[1]
    samples = [
        lambda share, i=i: divided(dataset.skip(i).take(batches), size, share)
        for i in range(0, len(examples[0]), batches)
    ]
    return gradient_norms_of_network(model, _OBJECTIVE, point.mask, samples, batches, strategy)


@pytest.mark.parametrize("batches", [1, 2])
def test_against_keras_and_numpy_batch_by_batch(network, sparse_point, one_device, batches):
    point, examples = sparse_point, _examples(6)
    sparse, dense = _norms(network, one_device, examples, point, batches)

    assign(network, point)
    names = list(variants.named_variables(network).weights)
    live = np.concatenate([np.ravel(point.mask.arrays.get(n, np.ones(point.weights[n].shape, bool))) for n in names])
    loss_of = tf_keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    gradients = []
    for images, labels in zip(*examples, strict=True):
        with tf.GradientTape() as tape:
            loss = loss_of(tf.one_hot(labels, 10), network(images, training=True))
        parts = tape.gradient(loss, network.trainable_variables)
        decay = [0.05 * point.weights[name] if name.endswith("/kernel") else 0.0 for name in names]
        total = [part.numpy().astype("float64") + d for part, d in zip(parts, decay, strict=True)]
        gradients.append(np.concatenate([np.ravel(part) for part in total]))
    of_samples = np.array(gradients).reshape(6 // batches, batches, -1).mean(axis=1)
    for found, vectors in ((sparse, of_samples[:, live]), (dense, of_samples)):
        assert found.norm == pytest.approx(np.linalg.norm(vectors.mean(axis=0)), rel=1e-4)
        assert found.noise == pytest.approx(np.sqrt(vectors.var(axis=0, ddof=1).sum() / len(vectors)), rel=1e-3)
    assert sparse.norm < 0.9 * dense.norm


def test_identical_batches_have_no_noise(network, sparse_point, one_device):
    images, labels = (np.repeat(x, 3, axis=0) for x in _examples(1))
    sparse, _ = _norms(network, one_device, (images, labels), sparse_point)
    assert sparse.noise < 1e-3 * sparse.norm


def test_two_replicas_agree_with_one_device(one_device, mirrored):
    """Without BatchNorm, whose statistics are each replica's own."""
    images = tf_keras.Input((8, 8, 1))
    x = tf_keras.layers.Conv2D(4, 3, 2, activation="relu", name="conv")(images)
    network = tf_keras.Model(images, tf_keras.layers.Dense(10, name="head")(tf_keras.layers.Flatten()(x)))
    examples = _examples(3)
    point = initializations.scratch(network, Origin("small", "scratch", 0, 0), random_mask(network, 0.7))
    one, two = (_norms(network, strategy, examples, point) for strategy in (one_device, mirrored))
    for ours, theirs in zip(one, two, strict=True):
        assert ours.norm == pytest.approx(theirs.norm, rel=1e-5)
        assert ours.noise == pytest.approx(theirs.noise, rel=1e-3)
