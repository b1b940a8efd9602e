"""Protects: what one step does to the weights, and that a captured state is all of it."""

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.data.dataset import padded_batches
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.points.point import Origin, assign
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.sparsity.masked import masked_variant
from sparse_rigl_lands.sparsity.pruned import PruningSchedule, mask_update, pruned_variant
from sparse_rigl_lands.training.evaluation import evaluate
from sparse_rigl_lands.training.network_trainer import NetworkTrainer
from sparse_rigl_lands.training.objective import Objective
from tests.bfloat16 import check_that_small_updates_add_up, part_that_bfloat16_lacks

_RATE, _MOMENTUM, _DECAY, _SMOOTHING, _BATCH = 0.1, 0.9, 0.05, 0.1, 12


def _nesterov_update(variable, velocity, gradient):
    """One step of SGD with Nesterov's momentum, in NumPy; returns the new velocity."""
    velocity = _MOMENTUM * velocity - _RATE * gradient
    variable.assign_add(_MOMENTUM * velocity - _RATE * gradient)
    return velocity


def _masked_trainer(network, strategy, point, weight_decay=_DECAY):
    with strategy.scope():
        model = masked_variant(network, point.mask)
        optimizer = tf_keras.optimizers.SGD(_RATE, _MOMENTUM, nesterov=True)
    trainer = NetworkTrainer(model, Objective(weight_decay, _SMOOTHING), optimizer, _BATCH, strategy)
    trainer.restore(Checkpoint(point, {}))
    return trainer


def _trainer(network, strategy, sparsity=None):
    with strategy.scope():
        if sparsity is None:
            model = tf_keras.models.clone_model(network)
        else:
            targets = dict.fromkeys(variants.kernel_shapes(network), sparsity)
            model = pruned_variant(network, targets, PruningSchedule(0, 1, 1))
        optimizer = tf_keras.optimizers.SGD(_RATE, _MOMENTUM, nesterov=True)
    trainer = NetworkTrainer(model, Objective(_DECAY, _SMOOTHING), optimizer, _BATCH, strategy)
    trainer.restore(Checkpoint(initializations.dense(network, Origin("small", "dense", 0, 0)), {}))
    if sparsity is not None:
        with strategy.scope():
            mask_update(model, trainer.momentum)(1)
    return trainer


def _batches(strategy, steps, seed=0):
    random = np.random.default_rng(seed)
    images = random.normal(size=(steps * _BATCH, 8, 8, 1)).astype("float32")
    labels = random.integers(10, size=steps * _BATCH, dtype="int32")
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).batch(_BATCH, drop_remainder=True)
    return iter(strategy.experimental_distribute_dataset(dataset)), (images, labels)


def _weights(trainer):
    return {name: variable.numpy() for name, variable in variants.named_variables(trainer.model).weights.items()}


def test_two_steps_are_nesterov_momentum_by_hand(network, one_device):
    """Against plain Keras gradients of the loss written out, and NumPy's update."""
    trainer = _trainer(network, one_device)
    batches, (images, labels) = _batches(one_device, 2)
    metrics = trainer.take_steps(batches, 2)

    model = tf_keras.models.clone_model(network)
    assign(model, initializations.dense(network, Origin("small", "dense", 0, 0)))
    names = list(variants.named_variables(model).weights)
    loss_of = tf_keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=_SMOOTHING)
    velocity = [np.zeros(variable.shape) for variable in model.trainable_variables]
    for step in range(2):
        chosen = slice(step * _BATCH, (step + 1) * _BATCH)
        with tf.GradientTape() as tape:
            logits = model(images[chosen], training=True)
            loss = loss_of(tf.one_hot(labels[chosen], 10), logits)
        kernels = [v for name, v in zip(names, model.trainable_variables, strict=True) if name.endswith("/kernel")]
        l2 = _DECAY / 2 * sum(np.sum(np.square(kernel, dtype="float64")) for kernel in kernels)
        accuracy = np.mean(np.argmax(logits, axis=1) == labels[chosen])
        np.testing.assert_allclose(metrics[step], [loss, l2, accuracy], rtol=1e-5)
        gradients = tape.gradient(loss, model.trainable_variables)
        for i, (name, variable, gradient) in enumerate(zip(names, model.trainable_variables, gradients, strict=True)):
            total = gradient.numpy() + (_DECAY * variable.numpy() if name.endswith("/kernel") else 0)
            velocity[i] = _nesterov_update(variable, velocity[i], total)
    for name, variable in zip(names, model.trainable_variables, strict=True):
        np.testing.assert_allclose(_weights(trainer)[name], variable, rtol=1e-4, atol=1e-6, err_msg=name)


def test_masked_weights_and_their_momentum_stay_exactly_zero(network, one_device):
    trainer = _trainer(network, one_device, sparsity=0.7)
    trainer.take_steps(_batches(one_device, 5)[0], 5)
    named = variants.named_variables(trainer.model)
    for name, mask in named.masks.items():
        masked = mask.numpy() == 0
        assert masked.any()
        assert not named.weights[name].numpy()[masked].any(), name
        assert not trainer.momentum[name].numpy()[masked].any(), name
        assert named.weights[name].numpy()[~masked].all(), name


@pytest.mark.parametrize("strategy", ["one_device", "mirrored"])
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_a_fixed_mask_is_never_left(network, sparse_point, request, strategy, precision):
    """Weights, momentum and gradient of masked entries are exactly zero on every replica."""
    strategy = request.getfixturevalue(strategy)
    trainer = _masked_trainer(variants.with_precision(network, precision), strategy, sparse_point)
    trainer.take_steps(_batches(strategy, 5)[0], 5)
    masks = sparse_point.mask.arrays
    named = variants.named_variables(trainer.model)
    for name, live in masks.items():
        for variable in (named.weights[name], trainer.momentum[name]):
            for copy in strategy.experimental_local_results(variable):
                assert not copy.numpy()[~live].any(), name
        assert named.weights[name].numpy()[live].all(), name
    images, labels = (x[:_BATCH] for x in _batches(strategy, 1)[1])
    with tf.GradientTape() as tape:
        loss = Objective(_DECAY).cross_entropy(labels, trainer.model(images, training=True))
        loss = tf.reduce_mean(loss) + Objective(_DECAY).l2(named.weights)
    for name, gradient in zip(masks, tape.gradient(loss, [named.weights[name] for name in masks]), strict=True):
        assert not gradient.numpy()[~masks[name]].any(), name
        assert gradient.numpy()[masks[name]].any(), name


def test_training_under_a_mask_is_projected_training_of_the_plain_network(network, sparse_point, one_device):
    """Against plain Keras whose kernels and gradients are multiplied by the mask, and NumPy's Nesterov update."""
    trainer, point = _masked_trainer(network, one_device, sparse_point), sparse_point
    batches, (images, labels) = _batches(one_device, 3)
    trainer.take_steps(batches, 3)
    model = tf_keras.models.clone_model(network)
    assign(model, point)
    names = list(variants.named_variables(model).weights)
    loss_of = tf_keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=_SMOOTHING)
    velocity = [np.zeros(variable.shape) for variable in model.trainable_variables]
    for step in range(3):
        chosen = slice(step * _BATCH, (step + 1) * _BATCH)
        with tf.GradientTape() as tape:
            loss = loss_of(tf.one_hot(labels[chosen], 10), model(images[chosen], training=True))
        for i, gradient in enumerate(tape.gradient(loss, model.trainable_variables)):
            variable, live = model.trainable_variables[i], point.mask.arrays.get(names[i], 1.0)
            total = live * (gradient.numpy() + (_DECAY * variable.numpy() if names[i].endswith("/kernel") else 0))
            velocity[i] = _nesterov_update(variable, velocity[i], total)
    for name, variable in zip(names, model.trainable_variables, strict=True):
        np.testing.assert_allclose(_weights(trainer)[name], variable, rtol=1e-4, atol=1e-6, err_msg=name)


def test_weight_decay_touches_live_weights_alone(network, sparse_point, one_device):
    """With decay and without: only live kernel entries come out different, and the L2 term is theirs."""
    decayed, plain = (_masked_trainer(network, one_device, sparse_point, decay) for decay in (0.5, 0.0))
    (metrics, _) = (trainer.take_steps(_batches(one_device, 1)[0], 1) for trainer in (decayed, plain))
    point = sparse_point
    squared = sum(np.sum(point.weights[name].astype("float64") ** 2) for name in point.mask.arrays)
    assert metrics[0, 1] == pytest.approx(0.5 / 2 * squared, rel=1e-5)
    for name, weight in _weights(decayed).items():
        changed = weight != _weights(plain)[name]
        live = point.mask.arrays.get(name, np.zeros(weight.shape, bool))
        assert not changed[~live].any(), name
        assert name not in point.mask.arrays or np.mean(changed[live]) > 0.9, name


def test_a_point_with_a_mask_is_not_trained_dense(network, sparse_point, one_device):
    with pytest.raises(InputError, match="has a mask of stem/conv/kernel, which is trained dense here"):
        _trainer(network, one_device).restore(Checkpoint(sparse_point, {}))


def _variant_trainer(variant, network, strategy, point):
    if variant == "masked":
        return _masked_trainer(network, strategy, point)
    return _trainer(network, strategy, sparsity=0.5 if variant == "pruned" else None)


def _bits(trainer):
    """Of all variables, on every replica."""
    local = trainer.strategy.experimental_local_results
    return [copy.numpy().tobytes() for variable in trainer.model.variables for copy in local(variable)]


@pytest.mark.parametrize("strategy", ["one_device", "mirrored"])
@pytest.mark.parametrize("variant", ["plain", "masked", "pruned"])
def test_under_bfloat16_nothing_that_is_kept_is_rounded(network, sparse_point, request, strategy, variant):
    """Of bfloat16 values, or rounded ones, the low 16 bits are zero; of float32 ones hardly any are."""
    strategy = request.getfixturevalue(strategy)
    trainer = _variant_trainer(variant, variants.with_precision(network, "mixed_bfloat16"), strategy, sparse_point)
    metrics = trainer.take_steps(_batches(strategy, 3)[0], 3)
    if variant == "pruned":
        with strategy.scope():
            mask_update(trainer.model, trainer.momentum)(1)
    before = _bits(trainer)
    examples = tf.data.Dataset.from_tensor_slices(_batches(strategy, 2)[1])
    evaluate(trainer.model, Objective(), lambda share: padded_batches(examples, _BATCH, share), strategy)
    assert _bits(trainer) == before

    named = variants.named_variables(trainer.model)
    assert {mask.dtype for mask in named.masks.values()} <= {tf.float32}
    assert bool(named.masks) == (variant != "plain")
    for variables in (named.weights, named.statistics, trainer.momentum):
        for name, variable in variables.items():
            for copy in strategy.experimental_local_results(variable):
                assert part_that_bfloat16_lacks(copy.numpy()) > 0.8, (variable.name, name)
    assert part_that_bfloat16_lacks(metrics[:, :2]) == 1  # the loss and the L2 term


@pytest.mark.parametrize("strategy", ["one_device", "mirrored"])
@pytest.mark.parametrize("variant", ["plain", "masked", "pruned"])
def test_updates_far_below_bfloat16s_resolution_add_up(network, sparse_point, request, strategy, variant):
    strategy = request.getfixturevalue(strategy)
    trainer = _variant_trainer(variant, variants.with_precision(network, "mixed_bfloat16"), strategy, sparse_point)
    trainer._objective = Objective()  # weight decay would change with the weights
    trainer._optimizer.learning_rate, trainer._optimizer.momentum = 1e-5, 0.0
    weights = variants.named_variables(trainer.model).weights
    kernels = {name: [weight] for name, weight in weights.items() if name.endswith("/kernel")}
    check_that_small_updates_add_up(trainer, kernels, _batches(strategy, 1)[1])


@pytest.mark.parametrize("sparsity", [None, 0.7])
def test_going_on_from_a_captured_state_is_bit_identical(network, one_device, sparsity):
    undisturbed = _trainer(network, one_device, sparsity)
    undisturbed.take_steps(_batches(one_device, 4)[0], 4)
    state = undisturbed.capture(Origin("small", "dense", 0, 4))
    undisturbed.take_steps(_batches(one_device, 3, seed=1)[0], 3)

    restarted = _trainer(network, one_device, sparsity)
    restarted.restore(state)
    restarted.take_steps(_batches(one_device, 3, seed=1)[0], 3)
    final = Origin("small", "dense", 0, 7)
    first, second = undisturbed.capture(final), restarted.capture(final)
    assert first.point.digest() == second.point.digest()
    for name, value in first.training.items():
        np.testing.assert_array_equal(value, second.training[name], err_msg=name)


def test_momentum_is_not_restored_in_part(network, one_device):
    trainer = _trainer(network, one_device)
    state = trainer.capture(Origin("small", "dense", 0, 4))
    training = {name: value for name, value in state.training.items() if name != "momentum/head/dense/kernel"}
    with pytest.raises(InputError, match="the checkpoint of step 4 lacks momentum/head/dense/kernel"):
        trainer.restore(dataclasses.replace(state, training=training))


def test_two_replicas_agree_with_one_device(one_device, mirrored, network):
    """Without BatchNorm, whose statistics are each replica's own, the same batch gives the same step."""
    images = tf_keras.Input((8, 8, 1))
    x = tf_keras.layers.Conv2D(4, 3, 2, activation="relu", name="conv")(images)
    x = tf_keras.layers.GlobalAveragePooling2D()(x)
    plain = tf_keras.Model(images, tf_keras.layers.Dense(10, name="head")(x))
    results = []
    for strategy in (one_device, mirrored):
        trainer = _trainer(plain, strategy, sparsity=0.5)
        metrics = trainer.take_steps(_batches(strategy, 3)[0], 3)
        results.append((metrics, trainer.capture(Origin("small", "pruned", 0, 3)).point))
    (one_metrics, one), (two_metrics, two) = results
    np.testing.assert_allclose(one_metrics, two_metrics, rtol=1e-5)
    assert one.mask == two.mask
    for name, weight in one.weights.items():
        np.testing.assert_allclose(weight, two.weights[name], rtol=1e-4, atol=1e-6, err_msg=name)


def test_two_replicas_hold_one_state_after_every_call(network, mirrored, monkeypatch):
    """Moving statistics, which are each replica's own, are their mean then, whether a checkpoint is written or not."""
    name = "stem/norm/moving_mean"

    def trained():
        trainer = _trainer(network, mirrored, sparsity=0.7)
        trainer.take_steps(_batches(mirrored, 3)[0], 3)
        named = variants.named_variables(trainer.model)
        return trainer, named, [copy.numpy() for copy in named.statistics[name].values]

    trainer, named, (shared, _) = trained()
    captured = trainer.capture(Origin("small", "pruned", 0, 3))
    np.testing.assert_array_equal(captured.point.statistics[name], shared)
    for variables in dataclasses.astuple(named):
        for variable in variables.values():
            np.testing.assert_array_equal(*(copy.numpy() for copy in variable.values))
    monkeypatch.setattr(NetworkTrainer, "_share_among_replicas", lambda self: None)
    *_, (first, second) = trained()
    assert np.any(first != second)
    np.testing.assert_allclose(shared, (first + second) / 2, rtol=1e-6)


def test_what_tensorboard_shows_of_a_pruned_run(network, one_device):
    """The scheduled sparsity is the formula of Zhu and Gupta, and the masks meet it at their updates."""
    schedule, target = PruningSchedule(begin_step=2, end_step=6, frequency=2), 0.75
    shapes = variants.kernel_shapes(network)
    sparsities = {name: target for name in shapes if "stem" not in name}
    with one_device.scope():
        model = pruned_variant(network, sparsities, schedule)
        optimizer = tf_keras.optimizers.SGD(_RATE, _MOMENTUM, nesterov=True)
    trainer = NetworkTrainer(model, Objective(), optimizer, _BATCH, one_device)
    update = mask_update(model, trainer.momentum)
    batches, _ = _batches(one_device, 7)
    for step in range(1, 8):
        update(step)
        trainer.take_steps(batches, 1)
        seen = trainer.observe(step == 7)
        progress = min(max((step - 2) / 4, 0.0), 1.0)
        expected = 0.0 if step < 2 else target * (1 - (1 - progress) ** 3)
        assert seen.scheduled_sparsity == pytest.approx(dict.fromkeys(sparsities, expected), abs=1e-6)
        if step in (2, 4, 6):
            for name in sparsities:
                assert seen.sparsity[name] == pytest.approx(expected, abs=0.51 / math.prod(shapes[name]))
                assert seen.masks[name].mean() == pytest.approx(1 - seen.sparsity[name])
    attributes = {name.rpartition("/")[2] for name in seen.batch_norm}
    assert attributes == {"gamma", "beta", "moving_mean", "moving_variance"}
    assert len(seen.batch_norm) == 4 * sum(name.endswith("gamma") for name in seen.batch_norm)


def test_the_sparsity_of_a_large_kernel_is_exact(one_device):
    """Live weights that float32 cannot count: above 2^24 it has even numbers only."""
    size, live = 4097, 2**24 + 1
    inputs = tf_keras.Input([size])
    network = tf_keras.Model(inputs, tf_keras.layers.Dense(size, use_bias=False, name="dense")(inputs))
    with one_device.scope():
        model = masked_variant(network, Mask({"dense/kernel": np.arange(size**2).reshape(size, size) < live}))
        optimizer = tf_keras.optimizers.SGD(_RATE, _MOMENTUM)
    seen = NetworkTrainer(model, Objective(), optimizer, _BATCH, one_device).observe(False)
    assert seen.sparsity == dict.fromkeys(("dense/kernel", "all"), pytest.approx(1 - live / size**2, abs=1e-12))
