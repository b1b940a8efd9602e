"""Protects: the losses along a path are exact means over the same images, read once, wherever it runs."""

import dataclasses
import functools

import numpy as np
import pytest
import scipy.special
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import DivergedError
from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.paths.curves import Line
from sparse_rigl_lands.paths.evaluator import PathEvaluator, path_values
from sparse_rigl_lands.paths.partial_sums import added_up
from sparse_rigl_lands.paths.recalibration import batch_moments, statistics_of
from sparse_rigl_lands.paths.weight_path import WeightPath
from sparse_rigl_lands.points.point import assign
from sparse_rigl_lands.replicas import WHOLE, ReplicaFunction
from sparse_rigl_lands.training.evaluation import evaluate
from tests.hlo import instructions_of, lowered
from tests.random_points import between, random_mask, random_point

T = np.linspace(0, 1, 5)
BATCH_NORMS = ["batch", "stored", "recalibrated"]


@pytest.fixture
def ends(workload):
    return [random_point(workload.network, seed) for seed in (0, 1)]


def _batches(workload, size, share=WHOLE):
    return workload.dataset.evaluation_batches("train", size, True, 0, share=share)


def _evaluator(workload, ends, strategy, t=T):
    path = WeightPath.between(workload.network, *ends, Line())
    return PathEvaluator(workload.network, path, t, workload.objective, strategy)


def _evaluate(workload, ends, strategy, batch_size, batch_norm="batch", t=T):
    evaluator = _evaluator(workload, ends, strategy, t)
    batches = functools.partial(_batches, workload, batch_size * strategy.num_replicas_in_sync)
    recalibrated = batch_norm == "recalibrated"
    statistics = statistics_of(added_up(evaluator.recalibration()(batches))) if recalibrated else batch_norm
    return evaluator.path_of(added_up(evaluator.losses(statistics)(batches)))


def _by_numpy(objective, logits, labels):
    """Plain and smoothed cross-entropy and top-1, [examples] each."""
    log_p = scipy.special.log_softmax(np.asarray(logits, "float64"), axis=1)
    plain = -log_p[np.arange(len(labels)), labels]
    smoothed = (1 - objective.label_smoothing) * plain - objective.label_smoothing * log_p.mean(axis=1)
    return np.stack([plain, smoothed, log_p.argmax(axis=1) == labels])


def _recalibrate(network, batches):
    """Gives a plain network the statistics of its layers' inputs, pooled over all batches."""
    norms = [layer for layer in network.layers if isinstance(layer, tf_keras.layers.BatchNormalization)]
    inputs = tf_keras.Model(network.input, [layer.input for layer in norms])
    seen = zip(*(inputs(images[weights > 0], training=True) for images, _, weights in batches), strict=True)
    for layer, parts in zip(norms, seen, strict=True):
        pooled = np.concatenate(parts).astype("float64")
        layer.moving_mean.assign(pooled.mean((0, 1, 2)))
        layer.moving_variance.assign(pooled.var((0, 1, 2)))


@pytest.mark.parametrize("batch_norm", BATCH_NORMS)
def test_every_t_is_a_plain_keras_network_of_the_points_between(workload, ends, one_device, batch_norm):
    """Losses, and their paired covariance from the single examples, or from the batches, in NumPy."""
    network, batches = workload.network, _batches(workload, 100)
    found = _evaluate(workload, ends, one_device, 100, batch_norm)
    assert found.losses.count == 1437
    values, sizes = [], []
    for t in T:
        assign(network, between(ends, t))
        if batch_norm == "recalibrated":
            _recalibrate(network, batches)
        of_batches = []
        for images, labels, weights in batches:
            live = weights.numpy() == 1
            logits = network(images[live], training=batch_norm == "batch")
            of_batches.append(_by_numpy(workload.objective, logits, labels.numpy()[live]))
        values.append(np.concatenate(of_batches, axis=1))
        sizes = [each.shape[1] for each in of_batches]
    values = np.stack(values)  # [K, 3, examples]
    np.testing.assert_allclose(found.losses.means[:, :2], values.mean(axis=2)[:, :2], rtol=1e-5)
    np.testing.assert_allclose(found.losses.means[:, 2], values.mean(axis=2)[:, 2], atol=2 / 1437)  # near ties
    losses = values[:, 0]
    if batch_norm == "batch":
        residuals = losses - losses.mean(axis=1, keepdims=True)
        units = np.stack([part.sum(axis=1) for part in np.split(residuals, np.cumsum(sizes)[:-1], axis=1)])
        expected = len(units) / (len(units) - 1) * units.T @ units / 1437**2
    else:
        expected = np.cov(losses) / 1437
    np.testing.assert_allclose(found.losses.covariance(), expected, rtol=1e-3, atol=1e-3 * expected.max())


def test_ends_are_also_told_as_their_checkpoints_describe_them(workload, ends, one_device):
    """Under their own statistics and mask, though the path is under the end's."""
    masked = [end.under(random_mask(workload.network, 0.5, seed)) for seed, end in enumerate(ends)]
    found = _evaluate(workload, masked, one_device, 100)
    assert found.mask_rule == "end"
    for k, point in enumerate(masked):
        assign(workload.network, point)
        expected = evaluate(
            workload.network, workload.objective, functools.partial(_batches, workload, 100), one_device
        )
        assert found.ends.count == expected.count
        assert found.ends.cross_entropy[k] == pytest.approx(expected.cross_entropy, rel=1e-5)
        assert found.ends.errors()[k] == pytest.approx(expected.cross_entropy_error, rel=1e-4)


@pytest.mark.parametrize("batch_norm", BATCH_NORMS)
@pytest.mark.parametrize("batch_size", [128, 480])
def test_two_replicas_agree_with_one_device(workload, ends, one_device, mirrored, batch_size, batch_norm):
    """Also where padding fills the rest of one replica's batch, and all of the other's.

    1437 = 11 * 128 + 29 = 2 * 480 + 477.
    """
    one = _evaluate(workload, ends, one_device, batch_size, batch_norm, T[:3])
    two = _evaluate(workload, ends, mirrored, batch_size, batch_norm, T[:3])
    for name, array in one.losses.arrays().items():
        np.testing.assert_allclose(two.losses.arrays()[name], array, rtol=1e-5)
    np.testing.assert_allclose(two.ends.sums, one.ends.sums, rtol=1e-5)


def _function_of_a_batch(workload, ends, batch_norm):
    """What a replica computes at three places."""
    coefficients = Line().coefficients(T[:3])
    network = CurveNetwork(workload.network, 2)
    network.assign(ends)
    statistics = batch_norm
    if batch_norm == "recalibrated":
        random = np.random.default_rng(0)
        statistics = {name: random.uniform(0.5, 1, (3, *shape)) for name, shape in network.statistics.items()}
    return path_values(network, coefficients, statistics, workload.objective)


@pytest.mark.parametrize("batch_norm", BATCH_NORMS)
def test_xla_compiles_it_once_with_static_shapes_and_without_the_host(workload, ends, one_device, batch_norm):
    """XLA on CPUs stands in for TPUs: full batches and the padded one go through one program."""
    function, traces = _function_of_a_batch(workload, ends, batch_norm), []

    def traced(*batch):
        traces.append(0)
        return function(*batch)

    compiled = ReplicaFunction(tf.function(traced, jit_compile=True), one_device, "stack")
    plain = ReplicaFunction(function, one_device, "stack")
    live = slice(0, 1437 % 300)
    for batch, (found, expected) in enumerate(
        zip(*(each.over(functools.partial(_batches, workload, 300)) for each in (compiled, plain)), strict=True)
    ):
        part = live if batch == 4 else slice(None)
        np.testing.assert_allclose(found[0, :, :2, part], expected[0, :, :2, part], rtol=1e-4, atol=1e-5)
    assert len(traces) == 1

    _check_program(function, next(iter(_batches(workload, 300))))


def test_xla_compiles_the_pass_for_the_statistics(workload, ends, one_device):
    network = CurveNetwork(workload.network, 2)
    network.assign(ends)
    function = batch_moments(network, Line().coefficients(T[:3]))
    compiled, plain = (
        ReplicaFunction(tf.function(function, jit_compile=jit), one_device, "stack") for jit in (True, False)
    )
    first = _batches(workload, 300).take(1)
    for (counts, found), (expected_counts, expected) in zip(
        *(each.over(lambda share: first) for each in (compiled, plain)), strict=True
    ):
        assert counts == expected_counts == 300
        for name, moments in expected.items():
            np.testing.assert_allclose(found[name], moments, rtol=1e-3, atol=1e-5)
    _check_program(function, next(iter(first)))


def _check_program(function, batch):
    assert "while" in instructions_of(lowered(function, *batch))  # over the places


def test_the_values_at_a_t_do_not_depend_on_the_other_ts(workload, ends, one_device):
    alone = _evaluate(workload, ends, one_device, 128, t=T[2:3]).losses.cross_entropy
    among = _evaluate(workload, ends, one_device, 128).losses.cross_entropy
    np.testing.assert_allclose(alone[0], among[2], rtol=1e-6)


def test_every_batch_is_read_once_for_all_t(workload, ends, one_device):
    reads = []

    def count():
        reads.append(0)
        return 0

    counted = _batches(workload, 479).map(lambda *batch: (tf.py_function(count, [], tf.int32), *batch))
    counted = counted.map(lambda _, images, labels, weights: (images, labels, weights))
    assert len(list(_evaluator(workload, ends, one_device).losses("batch")(lambda share: counted))) == 3
    assert len(reads) == 3


def test_a_loss_that_is_not_finite_is_named(workload, ends, one_device):
    huge = {name: np.full_like(value, 1e38) for name, value in ends[1].weights.items()}
    far = dataclasses.replace(ends[1], weights=huge)
    with pytest.raises(DivergedError, match=r"the loss is nan at t = 0.25; no path was written"):
        _evaluate(workload, [ends[0], far], one_device, 479)
    tiny = {name: np.full_like(value, 1e-30) for name, value in ends[1].statistics.items()}
    steep = dataclasses.replace(far, weights={n: v / 1e28 for n, v in huge.items()}, statistics=tiny)
    with pytest.raises(DivergedError, match="at the end under its own statistics and mask; no path was written"):
        _evaluate(workload, [ends[0], steep], one_device, 479, "batch", T[:1])
