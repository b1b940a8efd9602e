"""The arithmetic of a path: places of it, against forward passes with fixed weights.

    python -m benchmarks.path_forward

Places of a path of ResNet-50 at 224, on a batch in memory. The limit is a forward pass with fixed weights in the same
precision: for stored statistics that of a plain network whose BatchNorms were folded into its kernels beforehand, for
batch statistics that of the plain network in training mode. A user would pick the plain network in float32. The rate of
a matrix product says what the machine could do.
"""

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from benchmarks import measure, path_speed
from benchmarks.path_speed import Call, Ends
from sparse_rigl_lands import distribution
from sparse_rigl_lands.networks.resnet50 import resnet50
from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.paths.curves import Line
from sparse_rigl_lands.paths.evaluator import path_values
from sparse_rigl_lands.paths.weights_on_curve import StatisticsRule
from sparse_rigl_lands.points import point as points
from sparse_rigl_lands.points.point import Point
from sparse_rigl_lands.replicas import ReplicaFunction
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.training.objective import Objective

_PLACES = 3
_BATCH = 32
_SIDE = 4096  # of the matrices multiplied


def _along_path(
    network: tf_keras.Model,
    ends: Ends,
    statistics: StatisticsRule,
    batch: Sequence[tf.Tensor],
    strategy: tf.distribute.Strategy,
) -> Call:
    """The cross-entropy of every example at every place of the line, [places, n]."""
    with strategy.scope():
        on_curve = CurveNetwork(network, 2)
    on_curve.assign(ends)
    coefficients = Line().coefficients(np.linspace(0.0, 1.0, _PLACES))
    function = ReplicaFunction(path_values(on_curve, coefficients, statistics, Objective()), strategy, "stack")
    return lambda: function.of_batch(tuple(batch)).numpy()[0, :, 0]


def _fixed(model: tf_keras.Model, training: bool, batch: Sequence[tf.Tensor]) -> Call:
    """The same with the weights of one place: as many forward passes, [places, n]."""

    @tf.function
    def losses(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return Objective().cross_entropy(labels, model(images, training=training))

    images, labels, _ = batch
    return lambda: np.stack([losses(images, labels).numpy() for _ in range(_PLACES)])


def _plain(network: tf_keras.Model, point: Point) -> tf_keras.Model:
    model = variants.clone(network)
    points.assign(model, point)
    return model


def _folded(network: tf_keras.Model, point: Point) -> tf_keras.Model:
    """A plain network at a point, every BatchNorm of stored statistics folded into the convolution before it."""
    norms = [layer for layer in network.layers if isinstance(layer, tf_keras.layers.BatchNormalization)]
    norm_of = {norm.inbound_nodes[0].inbound_layers.name: norm for norm in norms}

    def fold(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer | None:
        if layer in norms:
            return tf_keras.layers.Activation("linear", name=layer.name, dtype=layer.get_config()["dtype"])
        if layer.name in norm_of:
            return type(layer).from_config({**layer.get_config(), "use_bias": True})
        return None

    model = variants.clone(network, fold)
    weights = dict(point.weights)
    for name, norm in norm_of.items():
        mean, variance = (point.statistics[f"{norm.name}/moving_{moment}"] for moment in ("mean", "variance"))
        scale = weights.pop(f"{norm.name}/gamma") / np.sqrt(variance + norm.epsilon)
        weights[f"{name}/kernel"] = weights[f"{name}/kernel"] * scale
        weights[f"{name}/bias"] = weights.pop(f"{norm.name}/beta") - mean * scale
    points.assign(model, Point(weights, Mask({}), {}, point.origin))
    return model


def _matrix_product(precision: str) -> Call:
    dtype = tf.bfloat16 if precision == "mixed_bfloat16" else tf.float32
    matrix = tf.cast(tf.random.normal([_SIDE, _SIDE]), dtype)
    multiply = tf.function(tf.linalg.matmul)
    return lambda: multiply(matrix, matrix)[0, 0].numpy()


def _operations(network: tf_keras.Model) -> int:
    """The floating point operations of all kernels in the forward pass of one image: a product and a sum are two."""

    def pixels(kernel: str) -> int:
        return math.prod(network.get_layer(kernel.removesuffix("/kernel")).output_shape[1:-1])

    return sum(2 * math.prod(shape) * pixels(name) for name, shape in variants.kernel_shapes(network).items())


def _measure(strategy: tf.distribute.Strategy) -> list[dict[str, Any]]:
    plain_network = resnet50(zero_gamma=False)
    ends = path_speed.ends(plain_network)
    random = np.random.default_rng(0)
    images = tf.constant(random.integers(256, size=(_BATCH, *plain_network.input_shape[1:])), tf.uint8)
    labels = tf.constant(random.integers(plain_network.output_shape[-1], size=_BATCH), tf.int32)
    batch = images, labels, tf.ones(_BATCH)
    calls: dict[str, Call] = {"plain": _fixed(_plain(plain_network, ends[0]), False, batch)}
    for precision in path_speed.PRECISIONS:
        network = variants.with_precision(plain_network, precision)
        candidates = {
            "stored": _along_path(network, ends, "stored", batch, strategy),
            "folded": _fixed(_folded(network, ends[0]), False, batch),
            "batch": _along_path(network, ends, "batch", batch, strategy),
            "training": _fixed(_plain(network, ends[0]), True, batch),
        }
        for mine, others in (("stored", "folded"), ("batch", "training")):
            path_speed.check_agreement(candidates[mine]()[0], candidates[others]()[0], precision)
        calls |= {f"{name} {precision}": call for name, call in candidates.items()}
        calls[f"product {precision}"] = _matrix_product(precision)
    seconds = {
        name: value if name.startswith("product") else value / _PLACES
        for name, value in measure.interleaved_medians(calls, rounds=7).items()
    }

    def row(statistics: str, precision: str, other: str, its_seconds: float, at_least: float | None) -> dict[str, Any]:
        mine = seconds[f"{statistics} {precision}"]
        return path_speed.row(f"ResNet-50, {statistics}", precision, _BATCH, other, mine, its_seconds, at_least)

    rows = []
    for precision, at_least in (("float32", 0.95), ("mixed_bfloat16", 0.92)):
        at_its_rate = seconds[f"product {precision}"] * _operations(plain_network) * _BATCH / (2 * _SIDE**3)
        rows += [
            row("stored", precision, "fixed weights, folded", seconds[f"folded {precision}"], at_least),
            row("batch", precision, "fixed weights, training", seconds[f"training {precision}"], at_least),
            row("stored", precision, f"matrix product of {_SIDE}^3", at_its_rate, None),
        ]
    return [*rows, row("stored", "mixed_bfloat16", "fixed weights, float32", seconds["plain"], 1.8)]


def main() -> None:
    tf.get_logger().setLevel("ERROR")  # it takes the functions of several networks for one that is traced again
    sys.exit(not measure.report("path_forward", _measure(distribution.strategy())))


if __name__ == "__main__":
    main()
