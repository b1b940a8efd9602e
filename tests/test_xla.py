"""Protects: XLA can compile whatever a replica runs, for ResNet-50, with static shapes and without the host.

A TPU runs nothing else, and none is needed to ask, see ``hlo``. The precision is that of the experiments on ImageNet,
mixed_bfloat16, and float32 in the simplest case of every kind: its programs are the same without the casts.
"""

import functools
import gc

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.data.dataset import padded_batches
from sparse_rigl_lands.networks.resnet50 import resnet50
from sparse_rigl_lands.paths import gradients
from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.paths.curve_trainer import CurveTrainer, uniform_t
from sparse_rigl_lands.paths.curves import Bezier, Line
from sparse_rigl_lands.paths.evaluator import PathEvaluator
from sparse_rigl_lands.paths.weight_path import WeightPath
from sparse_rigl_lands.points.point import Origin, Point, point_of
from sparse_rigl_lands.sparsity import pruned, variants
from sparse_rigl_lands.sparsity.distributions import uniform
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.sparsity.pruned import PruningSchedule, mask_update, update_masks
from sparse_rigl_lands.training import stationarity
from sparse_rigl_lands.training.evaluation import evaluate
from sparse_rigl_lands.training.fixed_mask import Scratch
from sparse_rigl_lands.training.methods import Dense, Pruned
from sparse_rigl_lands.training.network_trainer import NetworkTrainer
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.scaled_sgd import ScaledSGD
from sparse_rigl_lands.training.schedules import WarmupStepDecay
from tests.hlo import LoweringStrategy, instructions_of, lowered

_BATCH = 2
_FORWARD = 53  # convolutions
_TRAINING = 3 * _FORWARD - 1  # and those of the gradients by kernels and by inputs, but for the images
_TYPES = {"float32": "f32", "mixed_bfloat16": "bf16"}
_OBJECTIVE = Objective(weight_decay=1e-4, label_smoothing=0.1)
_RATE = WarmupStepDecay(0.1, 10, (20, 30))
_T = np.linspace(0, 1, 3)


@pytest.fixture(scope="module")
def strategy():
    return LoweringStrategy()


@pytest.fixture(scope="module")
def networks(strategy):
    """ResNet-50 in every precision."""
    with strategy.scope():
        plain = resnet50()
        return {"float32": plain, "mixed_bfloat16": variants.with_precision(plain, "mixed_bfloat16")}


@pytest.fixture(scope="module")
def point(networks):
    """An initialization under a mask of about half of its weights."""
    dense = point_of(networks["float32"], Origin("imagenet", "scratch", 0, 0))
    mask = Mask({name: dense.weights[name] > 0 for name in variants.kernel_shapes(networks["float32"])})
    return Point(dense.weights, mask, dense.statistics, dense.origin)


def _examples(count):
    return tf.data.Dataset.from_tensor_slices((tf.zeros((count, 224, 224, 3), tf.uint8), tf.zeros(count, tf.int32)))


def _padded_batches(share):
    """A full one, and one that is filled up."""
    return padded_batches(_examples(_BATCH + 1), _BATCH, share)


def _check(program, precision, convolutions):
    """Insists on so many convolutions, all of them in the precision.

    Returns:
      See ``instructions_of``.
    """
    instructions = instructions_of(program)
    assert len(instructions["convolution"]) >= convolutions
    assert set(instructions["convolution"]) == {_TYPES[precision]}
    return instructions


def _program_of_steps(trainer):
    """As the training loop takes them: one compiled function for any number of steps."""
    strategy = trainer.strategy
    batches = iter(strategy.experimental_distribute_dataset(_examples(_BATCH).batch(_BATCH, True).repeat()))
    return strategy.program_of(lambda: [trainer.take_steps(batches, count) for count in (1, 3)])


_METHODS = {
    "dense": Dense(),
    "masked": Scratch(),
    "pruned": Pruned(PruningSchedule(10, 20, 2), functools.partial(uniform, sparsity=0.8)),
}
_DENSE, _MASKED, _PRUNED = ("dense", "float32"), ("masked", "mixed_bfloat16"), ("pruned", "mixed_bfloat16")


@pytest.fixture(scope="module")
def trainer(networks, point, strategy, request):
    """Of a variant in a precision."""
    gc.collect()  # models refer to themselves: the one before would hold its variables
    kind, precision = request.param
    with strategy.scope():
        model = _METHODS[kind].variant(networks[precision], point)
        optimizer = tf_keras.optimizers.SGD(_RATE, 0.9, nesterov=True)
    return NetworkTrainer(model, _OBJECTIVE, optimizer, _BATCH, strategy)


@pytest.mark.parametrize("trainer", [_DENSE, _MASKED, _PRUNED], indirect=True, ids="-".join)
def test_training_step(trainer):
    precision = trainer.model.get_layer("stem/norm").dtype_policy.name
    _check(_program_of_steps(trainer), precision, _TRAINING)


@pytest.mark.parametrize("trainer", [_PRUNED], indirect=True, ids="-".join)
def test_update_of_the_masks(trainer):
    with trainer.strategy.scope():
        program = lowered(lambda step: update_masks(trainer.model, trainer.momentum, step), tf.TensorSpec([], tf.int64))
    assert len(instructions_of(program)["sort"]) == len(variants.kernel_shapes(trainer.model))


def test_update_of_the_masks_is_traced_once_for_all_steps(network, one_device, monkeypatch):
    traces = []
    monkeypatch.setattr(pruned, "update_masks", lambda *arguments: traces.append(0) or update_masks(*arguments))
    with one_device.scope():
        model = _METHODS["pruned"].variant(network, None)
        momentum = {name: tf.Variable(tf.zeros(shape)) for name, shape in variants.kernel_shapes(model).items()}
        update = mask_update(model, momentum)
        for step in (1, 10, 12):
            update(step)
    assert len(traces) == 1


@pytest.mark.parametrize("precision", _TYPES)
def test_evaluation_of_a_network(networks, strategy, precision):
    network = networks[precision]
    program = strategy.program_of(lambda: evaluate(network, _OBJECTIVE, _padded_batches, strategy))
    _check(program, precision, _FORWARD)


def test_gradient_norms_of_a_network(networks, point, strategy):
    network, samples = networks["mixed_bfloat16"], [lambda share: _examples(_BATCH).batch(_BATCH, True)] * 2
    program = strategy.program_of(
        lambda: stationarity.gradient_norms_of_network(network, _OBJECTIVE, point.mask, samples, 1, strategy)
    )
    _check(program, "mixed_bfloat16", _TRAINING)


@pytest.fixture(scope="module")
def evaluator(networks, point, strategy):
    """Of a line; in float32 the same is asked, and compiled, of a small network beside the evaluator's other tests."""
    network = networks["mixed_bfloat16"]
    return PathEvaluator(network, WeightPath.between(network, point, point, Line()), _T, _OBJECTIVE, strategy)


def _recalibrated(evaluator):
    return {name: np.ones((len(_T), *shape)) for name, shape in evaluator.network.statistics.items()}


def test_evaluation_of_a_path_with_batch_statistics(evaluator):
    """Two passes along it, with padding and without, and one with stored statistics at its ends."""
    losses = evaluator.losses("batch")
    program = evaluator.strategy.program_of(lambda: list(losses(_padded_batches)))
    assert len(_check(program, "mixed_bfloat16", 3 * _FORWARD)["while"]) == 3  # over the places


def test_evaluation_of_a_path_with_known_statistics(evaluator):
    """One pass with recalibrated statistics along it, and one with stored statistics at its ends."""
    losses = evaluator.losses(_recalibrated(evaluator))
    program = evaluator.strategy.program_of(lambda: list(losses(_padded_batches)))
    assert len(_check(program, "mixed_bfloat16", 2 * _FORWARD)["while"]) == 2


def test_estimation_of_statistics_on_a_path(evaluator):
    program = evaluator.strategy.program_of(lambda: list(evaluator.recalibration()(_padded_batches)))
    assert len(_check(program, "mixed_bfloat16", _FORWARD)["while"]) == 1


def test_gradient_norms_on_a_path(evaluator):
    """With recalibrated statistics; with those of the batch it is the gradient of a fitting step."""
    increments = gradients.gradient_norms_on_path(
        evaluator, _recalibrated(evaluator), functools.partial(padded_batches, _examples(2 * _BATCH), _BATCH)
    )
    _check(evaluator.strategy.program_of(lambda: next(increments(0))), "mixed_bfloat16", _TRAINING)


@pytest.mark.parametrize(("manifold", "precision"), [("sparse", "mixed_bfloat16"), ("dense", "float32")])
def test_fitting_step(networks, point, strategy, manifold, precision):
    gc.collect()  # see ``trainer``
    curve, mask = Bezier(2), point.mask if manifold == "sparse" else Mask({})
    with strategy.scope():
        network = CurveNetwork(networks[precision], curve.num_control_points)
        optimizer = ScaledSGD(_RATE, 0.9, nesterov=True)
    trainer = CurveTrainer(network, curve, mask, uniform_t(0), _OBJECTIVE, optimizer, _BATCH, strategy)
    _check(_program_of_steps(trainer), precision, _TRAINING)


def _by_the_host(x):
    return tf.py_function(lambda value: value, [x], tf.float32)


def _printed(x):
    tf.print(x)
    return x


def _positive(x):
    return tf.boolean_mask(x, x > 0)


@pytest.mark.parametrize(
    ("culprit", "error", "why"),
    [
        (_by_the_host, ValueError, "EagerPyFunc"),
        (_printed, ValueError, "StringFormat"),
        (_positive, AssertionError, "known when the program runs"),
    ],
)
def test_what_needs_the_host_or_has_no_static_shape_is_refused(strategy, culprit, error, why):
    """Otherwise the tests above would show nothing."""
    run = tf.function(lambda: strategy.run(lambda x: tf.reduce_sum(culprit(x)), (tf.zeros(3),)))
    with pytest.raises(error, match=why):
        instructions_of(strategy.program_of(run))


def test_a_function_that_is_traced_again_is_refused(strategy):
    run = tf.function(lambda x: strategy.run(tf.negative, (x,)))
    with pytest.raises(AssertionError, match="2 traces"):
        strategy.program_of(lambda: [run(tf.zeros(n)) for n in (2, 3)])
