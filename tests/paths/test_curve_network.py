"""Protects: the curve variant at t is the plain network of the combined weights."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.networks.resnet50 import resnet50
from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.points.point import Origin, Point, assign
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from tests.random_points import combined, float32, random_point

COEFFICIENTS = [(1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.2, 0.5, 0.3)]


def _random_point(network, random):
    named = variants.named_variables(network)
    weights = {name: random.normal(size=value.shape, scale=0.5) for name, value in named.weights.items()}
    statistics = {name: random.uniform(0.5, 2, size=value.shape) for name, value in named.statistics.items()}
    return Point(float32(weights), Mask({}), float32(statistics), Origin("small", "dense", 0, 0))


@pytest.fixture
def points(network, random):
    return [_random_point(network, random) for _ in range(3)]


def _call(curve, images, coefficients, statistics):
    return tf.function(lambda x, c: curve(x, c, statistics))(images, tf.constant(coefficients))


@pytest.mark.parametrize("statistics", ["batch", "stored"])
@pytest.mark.parametrize("coefficients", COEFFICIENTS)
def test_logits_are_those_of_the_combined_weights(network, points, random, coefficients, statistics):
    curve = CurveNetwork(network, 3)
    curve.assign(points)
    images = random.normal(size=(16, 8, 8, 1)).astype("float32")
    found = _call(curve, images, coefficients, statistics)
    assign(network, combined(points, coefficients))
    expected = network(images, training=statistics == "batch")
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_logits_by_given_statistics_are_those_of_a_network_that_stores_them(network, points, random):
    curve = CurveNetwork(network, 3)
    curve.assign(points)
    images = random.normal(size=(16, 8, 8, 1)).astype("float32")
    given = {name: random.uniform(0.5, 2, size=shape).astype("float32") for name, shape in curve.statistics.items()}
    found = _call(curve, images, COEFFICIENTS[2], given)
    assign(network, dataclasses.replace(combined(points, COEFFICIENTS[2]), statistics=given))
    np.testing.assert_allclose(found, network(images, training=False), rtol=1e-4, atol=1e-5)


def _foreign():
    """What the project's own networks do not have: biases before BatchNorm, BatchNorm first, after a sum,
    without scale or offset, of vectors and of a layer that is used twice; a dense layer of sequences."""
    layers = tf_keras.layers
    images = tf_keras.Input((8, 8, 1))
    x = layers.BatchNormalization(name="first")(images)
    x = layers.Conv2D(6, 3, padding="same", name="biased")(x)
    x = y = layers.BatchNormalization(scale=False, name="no_scale")(x)
    x = layers.Conv2D(6, 3, padding="same", groups=2, activation="relu", name="active")(x)
    x = layers.BatchNormalization(center=False, name="no_offset")(x)
    x = layers.Conv2D(6, 1, name="shared")(x)
    x = layers.Add()([layers.BatchNormalization(name="after_shared")(x), x, y])
    x = layers.BatchNormalization(name="after_sum")(x)
    x = layers.Dense(5, name="of_pixels")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(7, name="of_vectors")(x)
    x = layers.BatchNormalization(name="of_rank_2")(x)
    return tf_keras.Model(images, layers.Dense(4, name="logits")(layers.ReLU()(x)))


@pytest.mark.parametrize("statistics", ["batch", "stored"])
def test_foreign_networks_are_the_combined_weights_too(random, statistics):
    network = _foreign()
    points = [_random_point(network, random) for _ in range(3)]
    curve = CurveNetwork(network, 3)
    curve.assign(points)
    images = random.normal(size=(16, 8, 8, 1)).astype("float32")
    found = _call(curve, images, COEFFICIENTS[2], statistics)
    assign(network, combined(points, COEFFICIENTS[2]))
    np.testing.assert_allclose(found, network(images, training=statistics == "batch"), rtol=1e-3, atol=1e-4)


def test_folded_normalization_leaves_one_operation_per_layer(network):
    """Folded into the kernels, BatchNorm does nothing to the activations."""
    curve = CurveNetwork(network, 2)

    def operations(statistics):
        graph = tf.function(lambda x: curve(x, tf.constant([0.5, 0.5]), statistics)).get_concrete_function(
            tf.TensorSpec((None, 8, 8, 1))
        )
        shapes = [(op.type, op.outputs[0].shape) for op in graph.graph.get_operations() if op.outputs]
        of_images = [kind for kind, shape in shapes if shape.rank == 4 and shape[0] is None]
        return [kind for kind in of_images if kind in ("Mul", "AddV2", "FusedBatchNormV3")]

    assert operations("stored") == ["AddV2"]  # the residual sum
    assert operations("batch").count("FusedBatchNormV3") == 4


def test_padding_stays_out_of_batch_statistics(network, points, random):
    curve = CurveNetwork(network, 3)
    curve.assign(points)
    coefficients = tf.constant(COEFFICIENTS[2])
    images = random.normal(size=(16, 8, 8, 1)).astype("float32")
    images[11:] = 100.0
    weights = (np.arange(16) < 11).astype("float32")
    padded = curve(images, coefficients, "batch", weights)[:11]
    np.testing.assert_allclose(padded, curve(images[:11], coefficients), rtol=1e-4, atol=1e-5)
    assert np.max(np.abs(padded - curve(images, coefficients)[:11])) > 0.01  # had it entered


def test_a_replica_of_nothing_but_padding_stays_finite_however_deep_the_network():
    """Normalized by a variance of zero, padding would grow through 53 layers to infinity."""
    network = resnet50(image_shape=(32, 32, 3), num_classes=10, standardise=False)
    curve = CurveNetwork(network, 2)
    curve.assign([random_point(network, seed) for seed in (0, 1)])
    logits = curve(tf.zeros((4, 32, 32, 3)), tf.constant([0.5, 0.5]), "batch", tf.zeros(4))
    assert np.all(np.isfinite(logits))


def test_batch_moments_are_those_of_the_inputs_of_every_normalization(network, points, random):
    curve = CurveNetwork(network, 3)
    curve.assign(points)
    images = random.normal(size=(16, 8, 8, 1)).astype("float32")
    weights = (np.arange(16) < 11).astype("float32")
    found = curve.batch_moments(images, tf.constant(COEFFICIENTS[2]), weights)
    assert set(found) == set(curve.statistics)
    assign(network, combined(points, COEFFICIENTS[2]))
    for layer in network.layers:
        if isinstance(layer, tf_keras.layers.BatchNormalization):
            inputs = tf_keras.Model(network.input, layer.input)(images[:11], training=True).numpy()
            np.testing.assert_allclose(found[f"{layer.name}/moving_mean"], inputs.mean((0, 1, 2)), rtol=1e-3, atol=1e-4)
            np.testing.assert_allclose(found[f"{layer.name}/moving_variance"], inputs.var((0, 1, 2)), rtol=1e-3)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_a_call_writes_nothing(network, points, random, precision):
    curve = CurveNetwork(variants.with_precision(network, precision), 3)
    curve.assign(points)
    curve(random.normal(size=(4, 8, 8, 1)).astype("float32"), tf.constant(COEFFICIENTS[2]))
    for name, variables in curve.control_points().items():
        for variable, point in zip(variables, points, strict=True):
            np.testing.assert_array_equal(variable, {**point.weights, **point.statistics}[name])


@pytest.mark.parametrize("statistics", ["batch", "stored"])
def test_mixed_precision_is_as_close_as_its_8_bits_allow(network, points, random, statistics):
    images = random.normal(size=(16, 8, 8, 1)).astype("float32")
    exact = CurveNetwork(network, 3)
    mixed = CurveNetwork(variants.with_precision(network, "mixed_bfloat16"), 3)
    for curve in (exact, mixed):
        curve.assign(points)
    logits = mixed(images, tf.constant(COEFFICIENTS[2]), statistics)
    assert logits.dtype == tf.float32
    assert {v.dtype for variables in mixed.control_points().values() for v in variables} == {tf.float32}
    reference = exact(images, tf.constant(COEFFICIENTS[2]), statistics).numpy()
    assert np.max(np.abs(logits - reference)) < 0.05 * np.max(np.abs(reference))


def test_weights_are_combined_before_they_are_rounded(network, points, random):
    """Control points w + 64 and w - 64, next to which bfloat16 has nothing of w, give the network of w, bit for bit."""
    network = variants.with_precision(network, "mixed_bfloat16")
    weights = {name: np.round(value * 2**14) / 2**14 for name, value in points[0].weights.items()}  # w + 64 is exact

    def shifted(by):
        return dataclasses.replace(points[0], weights=float32({name: w + by for name, w in weights.items()}))

    curve = CurveNetwork(network, 2)
    curve.assign([shifted(64), shifted(-64)])
    images = random.normal(size=(16, 8, 8, 1)).astype("float32")
    found = _call(curve, images, (0.5, 0.5), "batch")
    plain = variants.clone(network)
    assign(plain, shifted(0))
    np.testing.assert_array_equal(found, tf.function(lambda x: plain(x, training=True))(images))
    assert np.std(found) > 0.1


def test_folded_kernels_are_rounded_once(points, random):
    """A convolution with its BatchNorm, by hand: the product of kernel and scale is cast, not its factors."""
    images = tf_keras.Input((8, 8, 2))
    x = tf_keras.layers.Conv2D(3, 3, use_bias=False, name="conv")(images)
    network = tf_keras.Model(
        images, tf_keras.layers.ReLU(name="relu")(tf_keras.layers.BatchNormalization(name="norm")(x))
    )
    point = _random_point(network, random)
    curve = CurveNetwork(variants.with_precision(network, "mixed_bfloat16"), 2)
    curve.assign([point, point])
    inputs = tf.cast(random.normal(size=(4, 8, 8, 2)), tf.bfloat16)
    found = curve(tf.cast(inputs, tf.float32), tf.constant((1.0, 0.0)), "stored")

    weights, statistics = point.weights, point.statistics
    scale = weights["norm/gamma"] * tf.math.rsqrt(statistics["norm/moving_variance"] + tf.constant(1.001e-3))
    offset = weights["norm/beta"] - statistics["norm/moving_mean"] * scale

    def output(kernel):
        return tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(inputs, kernel, 1, "VALID"), tf.cast(offset, tf.bfloat16)))

    np.testing.assert_array_equal(
        found, tf.cast(output(tf.cast(weights["conv/kernel"] * scale, tf.bfloat16)), tf.float32)
    )
    twice = output(tf.cast(weights["conv/kernel"], tf.bfloat16) * tf.cast(scale, tf.bfloat16))
    assert np.any(found != tf.cast(twice, tf.float32))  # so that rounding the factors would be seen


def test_the_moments_of_a_batch_are_those_of_its_examples_in_float32(random):
    """Of integers below 256, which bfloat16 holds exactly: so that only the sums could be rounded."""
    images = tf_keras.Input((8, 8, 2))
    norm = tf_keras.layers.BatchNormalization(name="norm")(images)
    network = tf_keras.Model(images, tf_keras.layers.ReLU(name="relu")(norm))
    curve = CurveNetwork(variants.with_precision(network, "mixed_bfloat16"), 2)
    curve.assign([_random_point(network, random)] * 2)
    batch = random.integers(200, 256, size=(6, 8, 8, 2)).astype("float32")
    padding = np.array([1, 1, 1, 1, 1, 0], "float32")
    found = curve.batch_moments(batch, tf.constant((1.0, 0.0)), padding)
    live = batch[:5].astype("float64")
    np.testing.assert_allclose(found["norm/moving_mean"], live.mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(found["norm/moving_variance"], live.var((0, 1, 2)), rtol=1e-5)


def test_gradient_reaches_the_control_points_by_their_coefficients(random):
    """d loss / d theta_i = c_i d loss / d w, of the plain network; through a convolution in groups, and before one."""
    network = _foreign()
    points = [_random_point(network, random) for _ in range(3)]
    curve = CurveNetwork(network, 3)
    curve.assign(points)
    images = random.normal(size=(4, 8, 8, 1)).astype("float32")
    names = ("biased/kernel", "active/kernel", "logits/kernel")

    def gradients_of(logits_of, variables):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            loss = tf.reduce_mean(logits_of() ** 2)
        return tape.gradient(loss, variables)

    coefficients = tf.constant(COEFFICIENTS[2])
    of_curve = [curve.control_points()[name] for name in names]
    found = tf.function(lambda: gradients_of(lambda: curve(images, coefficients), of_curve))()
    assign(network, combined(points, COEFFICIENTS[2]))
    weights = [variants.named_variables(network).weights[name] for name in names]
    expected = gradients_of(lambda: network(images, training=True), weights)
    for of_points, of_weight in zip(found, expected, strict=True):
        scale = np.max(np.abs(of_weight))
        for gradient, coefficient in zip(of_points, COEFFICIENTS[2], strict=True):
            np.testing.assert_allclose(gradient / scale, coefficient * of_weight / scale, atol=1e-4)


def test_weights_are_combined_and_statistics_left_out(network, points):
    curve = CurveNetwork(network, 3)
    curve.assign(points)
    found = curve.weights(tf.constant(COEFFICIENTS[2]))
    expected = combined(points, COEFFICIENTS[2]).weights
    assert set(found) == set(expected)
    for name, weight in found.items():
        np.testing.assert_allclose(weight, expected[name], rtol=1e-5, atol=1e-6)


def _network_of(layer):
    images = tf_keras.Input((8, 8, 1))
    return tf_keras.Model(images, layer(images))


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (tf_keras.layers.DepthwiseConv2D(3, name="depthwise"), "layer depthwise is a DepthwiseConv2D"),
        (tf_keras.layers.BatchNormalization(axis=1, name="norm"), r"layer norm normalizes axes \[1\]"),
        (tf_keras.layers.BatchNormalization(synchronized=True, name="norm"), "layer norm normalizes over all replicas"),
        (tf_keras.layers.Conv2D(1, 1, data_format="channels_first", name="conv"), "layer conv has its channels first"),
    ],
    ids=["depthwise", "first axis", "synchronized", "channels first"],
)
def test_layers_that_are_not_understood_are_refused(layer, words):
    with pytest.raises(InputError, match=words):
        CurveNetwork(_network_of(layer), 2)
