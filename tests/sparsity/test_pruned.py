"""Protects: this is tfmot's pruning, and none of its wrapper's side effects is left."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_model_optimization.python.core.sparsity.keras import pruning_impl

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.distributions import kept_weights
from sparse_rigl_lands.sparsity.layers import masked_layer
from sparse_rigl_lands.sparsity.pruned import PruneLowMagnitude, PruningSchedule, mask_update, pruned_variant


def _pruned(network, sparsity=0.8, schedule=None, precision="float32"):
    schedule = schedule or PruningSchedule(begin_step=0, end_step=10, frequency=5)
    targets = dict.fromkeys(variants.kernel_shapes(network), sparsity)
    return pruned_variant(variants.with_precision(network, precision), targets, schedule)


def _momentum(model):
    """Momentum of all ones, as an optimizer would hold it."""
    weights = variants.named_variables(model).weights
    return {name: tf.Variable(tf.ones_like(weight)) for name, weight in weights.items()}


def _values(model):
    return [variable.numpy() for variable in model.variables]


# The schedule


@given(st.integers(0, 30), st.integers(1, 12), st.integers(1, 9), st.floats(0.01, 0.99), st.floats(1, 4))
def test_schedule_is_tfmots_and_reaches_its_target(begin, updates, frequency, sparsity, power):
    schedule = PruningSchedule(begin, begin + updates * frequency, frequency, power)
    schedule.validate(schedule.end_step)
    tfmots = schedule.towards(sparsity)
    for step in range(schedule.end_step + frequency + 2):
        should_prune, current = tfmots(tf.constant(step, tf.int64))
        assert (schedule.next_update(step) == step) == bool(should_prune)
        progress = np.clip((step - begin) / (schedule.end_step - begin), 0, 1)
        np.testing.assert_allclose(current, sparsity * (1 - (1 - progress) ** power), atol=1e-5)
    assert float(tfmots(tf.constant(schedule.end_step, tf.int64))[1]) == np.float32(sparsity)


@given(st.integers(0, 30), st.integers(1, 12), st.integers(1, 9), st.integers(0, 200))
def test_next_update_is_the_first_one(begin, updates, frequency, step):
    schedule = PruningSchedule(begin, begin + updates * frequency, frequency)
    following = [s for s in range(begin, schedule.end_step + 1, frequency) if s >= step]
    assert schedule.next_update(step) == (following[0] if following else None)


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (PruningSchedule(0, 95, 10), "updates every 10 steps from 0 end at 90, not at end_step 95"),
        (PruningSchedule(0, 200, 10), "ends at step 200, but training at 100"),
        (PruningSchedule(50, 50, 10), "0 <= begin_step < end_step"),
        (PruningSchedule(-10, 50, 10), "0 <= begin_step < end_step"),
        (PruningSchedule(0, 50, 0), "frequency is 0"),
        (PruningSchedule(0, 60.0, 10), "end_step is 60.0; it must be a whole number"),
        (PruningSchedule(0, 50, 10, power="3"), "power is '3'; it must be a finite number above 0"),
        (PruningSchedule(0, 50, 10, power=0), "power is 0; it must be a finite number above 0"),
    ],
)
def test_schedule_that_cannot_reach_its_target_is_refused(schedule, message):
    with pytest.raises(InputError, match=message):
        schedule.validate(100)


# The masks


@given(st.integers(0, 2**31), st.sampled_from([1, 2, 4, 10, 11]), st.sampled_from([0.3, 0.5, 0.9]))
def test_mask_is_tfmots_where_no_magnitudes_tie(seed, step, sparsity):
    kernel = np.random.default_rng(seed).normal(size=(3, 3, 4, 8)).astype("float32")
    schedule = PruningSchedule(begin_step=1, end_step=11, frequency=1)
    images = tf_keras.Input((8, 8, 4))
    network = tf_keras.Model(images, tf_keras.layers.Conv2D(8, 3, use_bias=False, name="conv")(images))
    model = _pruned(network, sparsity, schedule)
    variants.named_variables(model).weights["conv/kernel"].assign(kernel)
    stock = pruning_impl.Pruning(
        lambda: tf.constant(step, tf.int64), [], schedule.towards(sparsity), block_size=(1, 1), block_pooling_type="AVG"
    )
    expected = stock._update_mask(tf.constant(kernel))[1]
    mask_update(model, _momentum(model))(step)
    np.testing.assert_array_equal(variants.named_variables(model).masks["conv/kernel"], expected)


@pytest.mark.parametrize("value", [0.0, 1.0, -2.0])
def test_count_is_exact_where_all_magnitudes_tie(network, value):
    """Stock tfmot would keep every weight here."""
    model = _pruned(network, 0.8)
    named = variants.named_variables(model)
    for weight in named.weights.values():
        weight.assign(tf.fill(weight.shape, value))
    mask_update(model, _momentum(model))(10)
    for name, mask in named.masks.items():
        assert tf.reduce_sum(mask) == kept_weights(mask.shape.num_elements(), 0.8), name


def test_an_update_zeroes_what_it_masks_with_its_momentum(network):
    model = _pruned(network)
    momentum = _momentum(model)
    named = variants.named_variables(model)
    before = {name: weight.numpy() for name, weight in named.weights.items()}
    mask_update(model, momentum)(10)
    for name, mask in named.masks.items():
        live = mask.numpy() > 0
        np.testing.assert_array_equal(named.weights[name].numpy(), np.where(live, before[name], 0))
        np.testing.assert_array_equal(momentum[name].numpy(), live.astype("float32"))


def test_nothing_happens_off_the_schedule(network):
    model = _pruned(network)
    before = _values(model)
    mask_update(model, _momentum(model))(7)
    for old, new, variable in zip(before, _values(model), model.variables, strict=True):
        assert "pruning_step" in variable.name or np.array_equal(old, new), variable.name


# The side effects that are gone


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("training", [False, True])
def test_a_forward_pass_writes_nothing_but_moving_statistics(network, random, precision, training):
    model = _pruned(network, precision=precision)
    mask_update(model, _momentum(model))(10)
    named = variants.named_variables(model)
    for weight in named.weights.values():  # also where it is masked: stock tfmot would write there
        weight.assign(random.normal(size=weight.shape))
    before = _values(model)
    tf.function(model)(tf.ones((4, 8, 8, 1)), training=training)
    for old, new, variable in zip(before, _values(model), model.variables, strict=True):
        assert (training and "moving" in variable.name) or np.array_equal(old, new), variable.name


def test_it_does_not_matter_which_keras_was_imported_first():
    """tf.keras is Keras 3 here, and tfmot refuses its models; a user may have imported it before."""
    program = (
        "import tensorflow as tf; tf.keras.layers.Dense(1)\n"
        "from sparse_rigl_lands.networks.digits_resnet import digits_resnet\n"
        "from sparse_rigl_lands.sparsity.pruned import PruningSchedule, pruned_variant\n"
        "print(pruned_variant(digits_resnet(), {'block1/conv1/kernel': 0.5}, PruningSchedule(0, 1, 1)).name)"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert process.stdout == "digits_resnet\n", process.stderr


def test_stock_tfmot_does_write_in_an_evaluation(network, random):
    """The reason for all this; if it fails, tfmot has changed and the wrapper may be simplified."""
    conv = tfmot.sparsity.keras.prune_low_magnitude(tf_keras.layers.Conv2D(4, 3))
    images = tf.ones((4, 8, 8, 1))
    conv(images, training=False)
    conv.pruning_vars[0][1].assign(tf.zeros_like(conv.pruning_vars[0][1]))
    assert conv.layer.kernel.numpy().any()
    tf.function(conv)(images, training=False)
    assert not conv.layer.kernel.numpy().any()


def test_updates_that_bfloat16_cannot_hold_add_up_where_stock_tfmot_loses_them(random):
    """Ten steps, none of more than an eighth of the distance to the next bfloat16, and an evaluation.

    Stock tfmot rounds the float32 kernel in every forward pass, so that all of them are gone.
    """
    images = tf.constant(random.normal(size=(4, 8, 8, 1)), tf.float32)
    upstream = tf.constant(random.normal(size=(4, 6, 6, 3)), tf.float32)

    def change(wrapper):
        """What becomes of a kernel of ones, and what should."""
        wrapper(images)
        for variable in wrapper.variables:
            if "pruning_step" in variable.name:
                variable.assign(0)  # or stock tfmot refuses to train
        kernel = wrapper.layer.kernel
        kernel.assign(tf.ones_like(kernel))
        optimizer = tf_keras.optimizers.SGD(2.0**-16)

        @tf.function
        def step():
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(upstream * tf.cast(wrapper(images, training=True), tf.float32))
            (gradient,) = tape.gradient(loss, [kernel])
            optimizer.apply_gradients([(gradient, kernel)])
            return gradient

        gradients = [step().numpy() for _ in range(10)]
        assert 0 < 2.0**-16 * np.max(np.abs(gradients)) < 2.0**-8 / 8  # bfloat16 has 1 - 2^-8, 1, 1 + 2^-7
        tf.function(wrapper)(images, training=False)
        return kernel.numpy() - 1, -(2.0**-16) * np.sum(gradients, axis=0)

    conv = {"filters": 3, "kernel_size": 3, "use_bias": False, "dtype": "mixed_bfloat16"}
    schedule = PruningSchedule(10**6, 10**6 + 1, 1).towards(0.5)
    ours, expected = change(PruneLowMagnitude(masked_layer(tf_keras.layers.Conv2D(**conv)), schedule))
    np.testing.assert_allclose(ours, expected, atol=1e-6)
    assert expected.all()
    prune = tfmot.sparsity.keras.prune_low_magnitude
    stock, expected = change(prune(tf_keras.layers.Conv2D(**conv), schedule, dtype="mixed_bfloat16"))
    assert expected.all()
    assert not stock.any()


def test_the_wrapped_layers_compute_in_bfloat16(network):
    model = _pruned(network, precision="mixed_bfloat16")
    graph = tf.function(model).get_concrete_function(tf.TensorSpec((4, 8, 8, 1)), training=False).graph
    kinds = {(op.type, op.outputs[0].dtype) for op in graph.get_operations() if op.type in ("Conv2D", "MatMul")}
    assert kinds == {("Conv2D", tf.bfloat16), ("MatMul", tf.float32)}  # the final layer gives float32 logits


@pytest.mark.parametrize("training", [False, True])
def test_no_collective_in_a_forward_pass(network, mirrored, training):
    """Stock tfmot all-reduces every kernel; so this also shows that the count can be other than zero."""

    def wrap_stock(layer):
        copy = type(layer).from_config(layer.get_config())
        return tfmot.sparsity.keras.prune_low_magnitude(copy) if hasattr(layer, "kernel") else copy

    def collectives(make):
        with mirrored.scope():
            model = make()

        @tf.function
        def forward(images):
            return mirrored.run(lambda x: model(x, training=training), args=(images,))

        operations = forward.get_concrete_function(tf.TensorSpec((4, 8, 8, 1))).graph.get_operations()
        return sum(operation.type == "CollectiveReduceV2" for operation in operations)

    assert collectives(lambda: _pruned(network)) == 0
    stock = collectives(lambda: tf_keras.models.clone_model(network, clone_function=wrap_stock))
    assert stock == 2 * len(variants.kernel_shapes(network))


def test_replicas_hold_the_same_masks_and_weights(network, mirrored):
    with mirrored.scope():
        model = _pruned(network)
        momentum = _momentum(model)
        mask_update(model, momentum)(10)
    named = variants.named_variables(model)
    for name, mask in named.masks.items():
        first, second = (copy.numpy() for copy in mask.values)
        np.testing.assert_array_equal(first, second)
        assert first.sum() == kept_weights(first.size, 0.8)
        np.testing.assert_array_equal(*(copy.numpy() for copy in named.weights[name].values))
        np.testing.assert_array_equal(*(copy.numpy() for copy in momentum[name].values))
