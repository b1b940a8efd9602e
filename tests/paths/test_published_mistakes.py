"""Protects: what others' code for curves and paths gets wrong is right here, on a curve.

Garipov et al. 2018 (dnn-mode-connectivity) and its port to TensorFlow, and the published code for paths between sparse
networks: each test names the mistake. That the latter reads its data once for every t is held in ``test_evaluator.py``,
by ``test_every_batch_is_read_once_for_all_t``.
"""

import ast
import functools
import pathlib

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.paths.curves import Bezier
from sparse_rigl_lands.paths.evaluator import PathEvaluator
from sparse_rigl_lands.paths.fitting import CurveFit, Fitting
from sparse_rigl_lands.paths.partial_sums import added_up
from sparse_rigl_lands.paths.recalibration import statistics_of
from sparse_rigl_lands.paths.weight_path import WeightPath
from sparse_rigl_lands.points.point import assign
from sparse_rigl_lands.replicas import WHOLE
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.training.schedules import WarmupStepDecay
from tests.commands import ROOT
from tests.random_points import combined, random_mask, random_point

T = np.array([0.0, 0.25, 0.6, 1.0])


@pytest.fixture
def points(workload):
    """Four that differ: the control points of a cubic in their order."""
    return [random_point(workload.network, seed) for seed in range(4)]


@pytest.fixture
def path(workload, points):
    return WeightPath.between(workload.network, points[0], points[3], Bezier(3), through=points[1:3])


def _evaluator(workload, path, strategy):
    return PathEvaluator(workload.network, path, T, workload.objective, strategy)


def _batches(workload, share=WHOLE):
    return workload.dataset.evaluation_batches("train", 100, True, 0, limit=300, share=share)


def _on_cubic(points, t):
    """By the cubic as it is written, the first control point first."""
    return combined(points, ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3))


def _mean_loss(workload, point, training):
    network = tf_keras.models.clone_model(workload.network)
    total = 0.0
    for images, labels, _ in _batches(workload):
        assign(network, point)  # training moves the statistics
        total += float(tf.reduce_sum(workload.objective.cross_entropy(labels, network(images, training=training))))
    return total / 300


def test_control_points_in_reverse_order(workload, points, path, one_device):
    """The TF port has its inner points reversed: w(0.25) is then nearer to the wrong one."""
    found = _evaluator(workload, path, one_device)
    losses = found.path_of(added_up(found.losses("batch")(functools.partial(_batches, workload)))).losses.cross_entropy
    expected = [_mean_loss(workload, _on_cubic(points, t), training=True) for t in T]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    reverse = _mean_loss(workload, _on_cubic([points[i] for i in (0, 2, 1, 3)], T[1]), training=True)
    assert abs(losses[1] - reverse) > 1e-3


def test_moving_statistics_left_where_they_were(workload, points, path, one_device):
    """The published code never moves the moving statistics along the path."""
    found = _evaluator(workload, path, one_device)
    losses = found.path_of(added_up(found.losses("stored")(functools.partial(_batches, workload)))).losses.cross_entropy
    expected = [_mean_loss(workload, _on_cubic(points, t), training=False) for t in T]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_t_drawn_anew_while_batch_norm_is_estimated(workload, points, path, one_device):
    """The TF port does: its statistics are of a mixture over t. Here those of a place are of its t alone."""
    found = statistics_of(
        added_up(_evaluator(workload, path, one_device).recalibration()(functools.partial(_batches, workload)))
    )
    norm = next(layer for layer in workload.network.layers if isinstance(layer, tf_keras.layers.BatchNormalization))
    inputs = tf_keras.Model(workload.network.input, norm.input)
    for k, t in enumerate(T):
        assign(workload.network, _on_cubic(points, t))
        seen = np.concatenate([inputs(images, training=True) for images, *_ in _batches(workload)]).astype("float64")
        np.testing.assert_allclose(found[f"{norm.name}/moving_mean"][k], seen.mean(axis=(0, 1, 2)), atol=1e-5)
        np.testing.assert_allclose(found[f"{norm.name}/moving_variance"][k], seen.var(axis=(0, 1, 2)), rtol=1e-4)


def test_both_ends_projected_onto_one_mask(workload, points, one_device):
    """The published code does when it loads them, so that the value at an end is not its checkpoint's."""
    mask = random_mask(workload.network, 0.5)
    start, end = points[0], points[3].under(mask)
    path = WeightPath.between(workload.network, start, end, Bezier(3), through=points[1:3])
    found = _evaluator(workload, path, one_device)
    evaluated = found.path_of(added_up(found.losses("batch")(functools.partial(_batches, workload))))
    own = _mean_loss(workload, start, training=False)
    assert evaluated.ends.cross_entropy[0] == pytest.approx(own, rel=1e-5)
    on_path = _mean_loss(workload, start.under(mask), training=True)
    assert evaluated.losses.cross_entropy[0] == pytest.approx(on_path, rel=1e-5)
    assert abs(own - on_path) > 1e-3
    assert evaluated.mask_rule == "end"


def test_weight_decay_of_control_points(workload, points, path, one_device, tmp_path):
    """It belongs to the point on the curve: what a step tells is its L2 term, at the step's own t."""
    fitting = Fitting(steps=1, batch_size=32, learning_rate=WarmupStepDecay(0.1))
    fit = CurveFit(one_device, workload, path, fitting, seed=0)
    t = 0.4
    fit._trainer._draws = lambda first, count: np.full(count, t)
    images, labels, _ = next(iter(_batches(workload)))
    batches = iter(one_device.experimental_distribute_dataset(tf.data.Dataset.from_tensors((images, labels))))
    (_, l2, _) = fit._trainer.take_steps(batches, 1)[0]
    weights, kernels = _on_cubic(points, t).weights, variants.kernel_shapes(workload.network)
    expected = 1e-3 / 2 * sum(np.sum(weights[name].astype("float64") ** 2) for name in kernels)
    assert l2 == pytest.approx(expected, rel=1e-5)


def test_results_in_a_pickle():
    """The published code stores a pickled dictionary, which runs code when it is read."""
    for path in (*(ROOT / "sparse_rigl_lands").rglob("*.py"), *(ROOT / "scripts").glob("*.py"), *ROOT.glob("*.py")):
        for node in ast.walk(ast.parse(pathlib.Path(path).read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            assert not {"pickle", "dill", "joblib", "shelve", "h5py"} & set(names), path
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert ast.unparse(node.value) == "False", path
