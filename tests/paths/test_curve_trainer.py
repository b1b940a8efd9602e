"""Protects: what a fitting step does to the control points, at which t, and that a captured state is all of it."""

import dataclasses
import itertools

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import scipy.stats
import tensorflow as tf
import tf_keras
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths import control_points
from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.paths.curve_trainer import CurveTrainer, uniform_t
from sparse_rigl_lands.paths.curves import Bezier, Line, PolygonalChain
from sparse_rigl_lands.paths.weight_path import WeightPath
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.points.point import Origin, Point, assign
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.scaled_sgd import ScaledSGD
from tests.bfloat16 import check_that_small_updates_add_up, part_that_bfloat16_lacks
from tests.random_points import random_mask, random_point

_BATCH = 12
_ORIGIN = Origin("small", "cubic", 0, 0)


def _path(network, curve, mask=None):
    """Between two random points under one mask."""
    ends = [random_point(network, seed).under(mask or Mask({})) for seed in (0, 1)]
    return WeightPath.between(network, *ends, curve)


def _trainer(network, path, strategy, objective, manifold=None, rate=0.1, momentum=0.9, batch=_BATCH, t=None):
    with strategy.scope():
        curve_network = CurveNetwork(network, path.curve.num_control_points)
        optimizer = ScaledSGD(rate, momentum, nesterov=momentum > 0)
    curve_network.assign(path.control_points)
    mask = manifold or Mask({})
    trainer = CurveTrainer(curve_network, path.curve, mask, t or uniform_t(0), objective, optimizer, batch, strategy)
    inner = control_points.masked(path.inner, mask)
    trainer.restore(Checkpoint(control_points.joined(inner, _ORIGIN), {}))
    return trainer


def _batches(strategy, steps, seed=0, batch=_BATCH):
    random = np.random.default_rng(seed)
    images = random.normal(size=(steps * batch, 8, 8, 1)).astype("float32")
    labels = random.integers(10, size=steps * batch, dtype="int32")
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).batch(batch, drop_remainder=True)
    return iter(strategy.experimental_distribute_dataset(dataset)), (images, labels)


def _inner(trainer, count):
    return control_points.parted(trainer.capture(_ORIGIN).point, count)


def _two(point):
    return np.array([point.weights["a/kernel"].item(), point.weights["b/kernel"].item()])


class TestTwoParameters:
    """A network of two weights a and b with the logits (a b, 0), and labels of which a part p is 0.

    Its cross-entropy depends on a b alone and is least where a b = log(p / (1 - p)): on a hyperbola,
    which a straight line between two of its points leaves.
    """

    LABELS = np.array([0, 0, 0, 1], "int32")
    DECAY = 0.02

    @pytest.fixture
    def network(self):
        x = images = tf_keras.Input((1, 1, 1))
        for name in ("a", "b"):
            x = tf_keras.layers.Dense(1, use_bias=False, name=name)(x)
        logits = tf_keras.layers.Reshape((2,))(tf_keras.layers.ZeroPadding2D(((0, 1), (0, 0)))(x))
        return tf_keras.Model(images, logits)

    def path(self, network, curve, ends):
        def point(a, b):
            kernels = {"a/kernel": a, "b/kernel": b}
            weights = {name: np.full((1, 1), value, "float32") for name, value in kernels.items()}
            return Point(weights, Mask({}), {}, _ORIGIN)

        return WeightPath.between(network, *(point(*end) for end in ends), curve)

    def batches(self, strategy, steps):
        dataset = tf.data.Dataset.from_tensors((tf.ones((4, 1, 1, 1)), self.LABELS)).repeat(steps)
        return iter(strategy.experimental_distribute_dataset(dataset))

    def loss(self, w):
        """Cross-entropy and L2 term at points [..., 2]."""
        z, p = w[..., 0] * w[..., 1], np.mean(self.LABELS == 0)
        cross_entropy = np.logaddexp(0, z) - p * z
        return cross_entropy, self.DECAY / 2 * np.sum(w**2, axis=-1)

    def gradient(self, w):
        z, p = w[0] * w[1], np.mean(self.LABELS == 0)
        return (scipy.special.expit(z) - p) * w[::-1] + self.DECAY * w

    @pytest.mark.parametrize("curve", [Bezier(2), Bezier(3), PolygonalChain(2)])
    def test_every_step_is_that_of_an_independent_fit(self, network, one_device, curve):
        """NumPy's Nesterov momentum on the gradient written out, at the same t."""
        ends, rate, momentum, steps = np.array([[4.0, 0.3], [-0.2, 3.0]]), 0.3, 0.9, 7
        path = self.path(network, curve, ends)
        trainer = _trainer(network, path, one_device, Objective(self.DECAY), rate=rate, momentum=momentum, batch=4)
        metrics = trainer.take_steps(self.batches(one_device, steps), steps)

        i = np.linspace(0, 1, curve.num_control_points)[:, None]
        thetas = (1 - i) * ends[0] + i * ends[1]
        velocity = np.zeros_like(thetas)
        for step, t in enumerate(uniform_t(0)(0, steps)):
            c = curve.coefficients(np.array(t))
            w = c @ thetas
            np.testing.assert_allclose(metrics[step, :2], self.loss(w), rtol=1e-4)
            gradient = c[:, None] * self.gradient(w)
            gradient[[0, -1]] = 0
            velocity = momentum * velocity - rate * gradient
            thetas += momentum * velocity - rate * gradient
        for point, theta in zip(_inner(trainer, len(path.inner)), thetas[1:-1], strict=True):
            np.testing.assert_allclose(
                [point.weights["a/kernel"], point.weights["b/kernel"]], theta[:, None, None], rtol=1e-4
            )

    def test_it_finds_the_best_curve(self, network, one_device):
        """Against SciPy's minimum of the expectation, itself computed by Gauss's quadrature."""
        ends = np.array([[4.0, 0.275], [0.275, 4.0]])
        path = self.path(network, Bezier(2), ends)
        rate = tf_keras.optimizers.schedules.CosineDecay(0.5, 2000)
        trainer = _trainer(network, path, one_device, Objective(self.DECAY), rate=rate, batch=4)
        trainer.take_steps(self.batches(one_device, 2000), 2000)

        nodes, weights = np.polynomial.legendre.leggauss(40)
        c = Bezier(2).coefficients((nodes + 1) / 2)

        def expected(theta):
            return weights / 2 @ sum(self.loss(c @ np.stack([ends[0], theta, ends[1]])))

        best = scipy.optimize.minimize(expected, ends.mean(axis=0))
        (point,) = _inner(trainer, 1)
        found = _two(point)
        assert expected(ends.mean(axis=0)) > best.fun + 0.05
        assert expected(found) == pytest.approx(best.fun, abs=1e-4)
        np.testing.assert_allclose(found, best.x, atol=0.05)
        assert found[0] == pytest.approx(found[1], abs=0.05)  # the ends are each other's mirror image

    def test_the_l2_term_is_that_of_the_point_on_the_curve(self, network, one_device):
        """Of the L2 term alone the best quadratic has theta_1 = -3/4 (theta_0 + theta_2): not zero.

        It is the root of the integral of 2 (1 - t) t w(t).
        """
        ends = np.array([[2.0, 0.0], [1.0, 1.0]])
        path = self.path(network, Bezier(2), ends)
        rate = tf_keras.optimizers.schedules.CosineDecay(0.1, 4000)
        trainer = _trainer(network, path, one_device, Objective(1.0), rate=rate, batch=4)
        no_images = tf.data.Dataset.from_tensors((tf.zeros((4, 1, 1, 1)), self.LABELS)).repeat(4000)
        trainer.take_steps(iter(one_device.experimental_distribute_dataset(no_images)), 4000)
        (point,) = _inner(trainer, 1)
        np.testing.assert_allclose(_two(point), -0.75 * ends.sum(axis=0), atol=0.05)


@pytest.mark.parametrize("manifold", ["sparse", "dense"])
def test_gradient_of_every_control_point_by_finite_differences(network, one_device, manifold):
    """Of the loss of the plain network in training, with the weights of w(t) assigned.

    No unit is empty under this mask: the loss would bend too sharply where one is given its first weight.
    """
    path = _path(network, Bezier(3), random_mask(network, 0.3))
    mask = path.mask if manifold == "sparse" else Mask({})
    objective, t = Objective(0.05, 0.1), 0.37
    trainer = _trainer(
        network, path, one_device, objective, mask, rate=1.0, momentum=0.0, t=lambda first, count: np.full(count, t)
    )
    batches, (images, labels) = _batches(one_device, 1)
    trainer.take_steps(batches, 1)
    moved = _inner(trainer, 2)
    plain = tf_keras.models.clone_model(network)
    kernels = list(variants.kernel_shapes(network))

    def loss(points):
        c = Bezier(3).coefficients(np.array(t))
        on_curve = {
            name: sum(ci * p.weights[name].astype("float64") for ci, p in zip(c, points, strict=True))
            for name in points[0].weights
        }
        assign(plain, Point(on_curve, Mask({}), points[0].statistics, _ORIGIN))
        targets = 0.9 * np.eye(10)[labels] + 0.01
        log_p = scipy.special.log_softmax(plain(images, training=True).numpy().astype("float64"), axis=1)
        l2 = 0.05 / 2 * sum(np.sum(on_curve[name] ** 2) for name in kernels)
        return -np.mean(np.sum(targets * log_p, axis=1)) + l2

    step = 1e-2
    for i, name in itertools.product((1, 2), path.inner[0].weights):
        before = path.control_points[i]
        gradient = before.weights[name] - moved[i - 1].weights[name]  # the rate is 1
        norm = np.linalg.norm(gradient)
        shifted = []
        for sign in (1, -1):
            points = list(path.control_points)
            weights = {**before.weights, name: before.weights[name] + sign * step * gradient / norm}
            points[i] = dataclasses.replace(before, weights=weights)
            shifted.append(loss(points))
        assert (shifted[0] - shifted[1]) / (2 * step) == pytest.approx(norm, rel=3e-2, abs=3e-4), (i, name)
        if name in path.mask.arrays:
            assert gradient[~path.mask.arrays[name]].any() == (manifold == "dense"), name


@pytest.mark.parametrize("strategy", ["one_device", "mirrored"])
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_no_point_of_a_sparse_curve_leaves_the_subspace(network, request, strategy, precision):
    """Control points, momentum, and every weight at any t are exactly zero where the mask is, on every replica."""
    strategy = request.getfixturevalue(strategy)
    path = _path(network, Bezier(3), random_mask(network, 0.7))
    trainer = _trainer(variants.with_precision(network, precision), path, strategy, Objective(0.05), path.mask)
    trainer.take_steps(_batches(strategy, 5)[0], 5)
    state = trainer.capture(_ORIGIN)
    points = control_points.parted(state.point, 2)
    curve = path.through(points)
    for name, live in path.mask.arrays.items():
        for i, point in enumerate(points, start=1):
            for copy in strategy.experimental_local_results(trainer.momentum[f"{i}/{name}"]):
                assert not copy.numpy()[~live].any(), name
                assert copy.numpy()[live].any(), name
            assert (point.weights[name] != path.control_points[i].weights[name])[live].any(), name
        for t in (0.0, 0.1, 0.5, 0.9, 1.0):
            c = path.curve.coefficients(np.array(t)).astype("float32")
            on_curve = sum(ci * p.weights[name] for ci, p in zip(c, curve.control_points, strict=True))
            assert not on_curve[~live].any(), name
    variables = trainer._network.control_points()
    for name, live in path.mask.arrays.items():
        for variable in variables[name]:
            for copy in strategy.experimental_local_results(variable):
                assert not copy.numpy()[~live].any(), name


@pytest.mark.parametrize("strategy", ["one_device", "mirrored"])
def test_under_bfloat16_no_control_point_is_rounded(network, request, strategy):
    """Nor momentum, loss and L2 term. Of bfloat16 values the low 16 bits are zero; of float32 ones hardly any are."""
    strategy = request.getfixturevalue(strategy)
    path = _path(network, Bezier(3), random_mask(network, 0.7))
    trainer = _trainer(variants.with_precision(network, "mixed_bfloat16"), path, strategy, Objective(0.05), path.mask)
    metrics = trainer.take_steps(_batches(strategy, 3)[0], 3)
    assert part_that_bfloat16_lacks(metrics[:, :2]) == 1
    for name, variables in trainer._network.control_points().items():
        for i, variable in enumerate(variables):
            for copy in strategy.experimental_local_results(variable):
                assert part_that_bfloat16_lacks(copy.numpy()) > 0.8, name
                if i in (0, 3):  # an end
                    point = path.control_points[i]
                    np.testing.assert_array_equal(copy, {**point.weights, **point.statistics}[name])
    for name, variable in trainer.momentum.items():
        for copy in strategy.experimental_local_results(variable):
            assert part_that_bfloat16_lacks(copy.numpy()) > 0.8, name


@pytest.mark.parametrize("strategy", ["one_device", "mirrored"])
def test_updates_far_below_bfloat16s_resolution_add_up(network, request, strategy):
    strategy = request.getfixturevalue(strategy)
    trainer = _trainer(
        variants.with_precision(network, "mixed_bfloat16"),
        _path(network, Bezier(2)),
        strategy,
        Objective(),  # weight decay would change with the weights
        rate=1e-5,
        momentum=0.0,
        t=lambda first, count: np.full(count, 0.5),
    )
    points = trainer._network.control_points()
    kernels = {name: variables for name, variables in points.items() if name.endswith("/kernel")}
    check_that_small_updates_add_up(trainer, kernels, _batches(strategy, 1)[1])


def test_the_ends_do_not_move(network, one_device):
    path = _path(network, Bezier(3))
    trainer = _trainer(network, path, one_device, Objective(0.05))
    trainer.take_steps(_batches(one_device, 3)[0], 3)
    for name, variables in trainer._network.control_points().items():
        for i in (0, -1):
            point = path.control_points[i]
            np.testing.assert_array_equal(variables[i], {**point.weights, **point.statistics}[name])


def test_two_replicas_take_the_step_of_one_device(one_device, mirrored):
    """One t for both of them. Without BatchNorm, whose statistics are each replica's own."""
    images = tf_keras.Input((8, 8, 1))
    x = tf_keras.layers.Conv2D(4, 3, 2, activation="relu", name="conv")(images)
    x = tf_keras.layers.GlobalAveragePooling2D()(x)
    plain = tf_keras.Model(images, tf_keras.layers.Dense(10, name="head")(x))
    results = []
    for strategy in (one_device, mirrored):
        trainer = _trainer(plain, _path(plain, Bezier(3)), strategy, Objective(0.05, 0.1))
        metrics = trainer.take_steps(_batches(strategy, 4)[0], 4)
        results.append((metrics, _inner(trainer, 2)))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5)
    for one, two in zip(results[0][1], results[1][1], strict=True):
        for name, weight in one.weights.items():
            np.testing.assert_allclose(weight, two.weights[name], rtol=1e-4, atol=1e-6, err_msg=name)


def test_a_captured_state_is_all_of_it(network, one_device):
    path = _path(network, Bezier(3), random_mask(network, 0.7))
    undisturbed = _trainer(network, path, one_device, Objective(0.05), path.mask)
    undisturbed.take_steps(_batches(one_device, 4)[0], 4)
    state = undisturbed.capture(Origin("small", "cubic", 0, 4))
    undisturbed.take_steps(_batches(one_device, 3, seed=1)[0], 3)

    restarted = _trainer(network, path, one_device, Objective(0.05), path.mask)
    restarted.restore(state)
    restarted.take_steps(_batches(one_device, 3, seed=1)[0], 3)
    ends = [trainer.capture(_ORIGIN) for trainer in (undisturbed, restarted)]
    assert ends[0].point.digest() == ends[1].point.digest()
    for name, momentum in ends[0].training.items():
        np.testing.assert_array_equal(momentum, ends[1].training[name])


def test_states_of_other_curves_are_refused(network, one_device):
    path = _path(network, Bezier(3), random_mask(network, 0.7))
    trainer = _trainer(network, path, one_device, Objective(), path.mask)
    quadratic = _trainer(network, _path(network, Bezier(2)), one_device, Objective()).capture(_ORIGIN)
    with pytest.raises(InputError, match="is of another network: it lacks 2/stem/conv/kernel"):
        trainer.restore(quadratic)
    dense = _trainer(network, path, one_device, Objective()).capture(_ORIGIN)
    with pytest.raises(InputError, match="has another mask than the curve is fitted under"):
        trainer.restore(dense)


def test_a_line_has_nothing_to_fit(network, one_device):
    with pytest.raises(InputError, match="a line has no control point between its ends: there is nothing to fit"):
        _trainer(network, _path(network, Line()), one_device, Objective())


def test_one_trace_serves_any_number_of_steps(network, one_device):
    trainer = _trainer(network, _path(network, Bezier(2)), one_device, Objective())
    for count in (1, 2, 3):
        trainer.take_steps(_batches(one_device, count)[0], count)
    assert trainer._compiled_steps.experimental_get_tracing_count() == 1


def test_what_tensorboard_shows_is_of_the_manifold(network, one_device):
    path = _path(network, Bezier(2), random_mask(network, 0.7))
    expected = path.mask.sparsity_of_all(variants.kernel_shapes(network))
    sparse = _trainer(network, path, one_device, Objective(), path.mask).observe(True)
    assert sparse.sparsity == {"all": expected}
    assert {name: mask.shape for name, mask in sparse.masks.items()} == variants.kernel_shapes(network)
    gammas = [name for name in sparse.batch_norm if name.endswith("/gamma")]
    assert len(gammas) == sum("gamma" in name for name in variants.named_variables(network).weights)
    assert all(name.startswith("1/") for name in sparse.batch_norm)  # of the one control point that is fitted
    dense = _trainer(network, path, one_device, Objective()).observe(False)
    assert (dense.sparsity, dense.masks, dense.batch_norm) == ({"all": 0.0}, {}, {})


@given(st.integers(), st.integers(0, 10**6), st.integers(1, 20))
def test_draws_of_t_depend_on_the_step_alone(seed, first, count):
    """However many are asked for at once, and from wherever on."""
    together = uniform_t(seed)(first, count)
    np.testing.assert_array_equal(together, [uniform_t(seed)(step, 1)[0] for step in range(first, first + count)])
    assert ((together > 0) & (together < 1)).all()


def test_draws_of_t_are_uniform_and_independent_of_each_other_and_of_another_seeds():
    t = uniform_t(0)(0, 4000)
    assert scipy.stats.kstest(t, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(t[1:], t[:-1])[0, 1]) < 0.05
    assert abs(np.corrcoef(t, uniform_t(1)(0, 4000))[0, 1]) < 0.05
