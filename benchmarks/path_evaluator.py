"""The speed of a path: against the least work there is, and against what a user would pick instead.

    python -m benchmarks.path_evaluator            all parts, about half an hour on two cores
    python -m benchmarks.path_evaluator forward    one part: forward, photographs or digits

Ratios are of speeds: the other's time over that of the path, per point and batch. Larger is better.

forward: places of a path of ResNet-50 at 224, on a batch in memory. The limit is a forward pass with fixed
weights in the same precision: for stored statistics that of a plain network whose BatchNorms were folded
into its kernels beforehand, for batch statistics that of the plain network in training mode. A user would
pick the plain network in float32. The rate of a matrix product says what the machine could do.

photographs: a path of ResNet-50 on JPEG files, decoded and cropped as ImageNet's are. A user would pick
Keras' ``model.evaluate`` once per point, which decodes every image anew for every point. The same path on
images in memory, in the precision that waits least for its arithmetic, tells what is lost to the input.

digits: a whole path on digits, where overheads decide; milliseconds are per point, of all images. A user
would pick ``model.evaluate`` once per point, whose batches are of 32 unless one says otherwise; published
code assigns the weights of every point and calls the network eagerly on every batch. With stored
statistics nothing ties images to a batch, so the path may take them all at once: no pass with batches of
the same size can be much faster than Keras' own.

The time of the others does not depend on the point, so they are given fewer points.
"""

import argparse
import functools
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from benchmarks import measure
from benchmarks.photographs import encoded
from sparse_rigl_lands import distribution
from sparse_rigl_lands.data import crops
from sparse_rigl_lands.data.dataset import padded_batches
from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.networks.resnet50 import resnet50
from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.paths.curves import Line
from sparse_rigl_lands.paths.evaluator import PathEvaluator, path_values
from sparse_rigl_lands.paths.partial_sums import added_up
from sparse_rigl_lands.paths.weight_path import WeightPath
from sparse_rigl_lands.paths.weights_on_curve import StatisticsRule
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points import point as points
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.replicas import BatchesOfHost, ReplicaFunction
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.training.objective import Objective

_POINTS = 51
_POINTS_OF_OTHERS = 3
_PLACES = 3  # of a path in memory
_IMAGE_SIZE, _CLASSES, _BATCH = 224, 1000, 32
_PHOTOGRAPHS = 64
_KERAS_BATCH = 32  # what Keras takes where nobody says
_SIDE = 4096  # of the matrices multiplied
# What bfloat16 rounds away of a loss near ln 1000; a network that computed something else would differ by more.
_AGREEMENT = {"float32": 1e-3, "mixed_bfloat16": 5e-2}

Ends = tuple[Point, Point]
Call = Callable[[], np.ndarray]


def _row(
    what: str,
    precision: str,
    batch: int,
    compared_with: str,
    seconds: float,
    its_seconds: float,
    at_least: float | None = None,
) -> dict[str, Any]:
    """A row of the report; seconds per point and batch."""
    return {
        "what": what,
        "precision": precision,
        "batch": batch,
        "ms": seconds * 1e3,
        "compared_with": compared_with,
        "its_ms": its_seconds * 1e3,
        "ratio": its_seconds / seconds,
        "at_least": at_least,
    }


def _ends(network: tf_keras.Model) -> Ends:
    """Two initializations, with moving statistics as after some training."""

    def end(seed: int) -> Point:
        initialization = initializations.dense(network, Origin("benchmark", "dense", seed, 0))
        random = np.random.default_rng(seed)
        statistics = {
            name: random.uniform(0.5, 1.5, array.shape).astype("float32") - name.endswith("/moving_mean")
            for name, array in initialization.statistics.items()
        }
        return Point(initialization.weights, Mask({}), statistics, initialization.origin)

    return end(0), end(1)


def _check_agreement(mine: np.ndarray, others: np.ndarray, precision: str) -> None:
    """What is compared must compute the same."""
    np.testing.assert_allclose(mine, others, rtol=_AGREEMENT[precision])


# Part forward: places of a path, and forward passes with fixed weights.


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


def forward(strategy: tf.distribute.Strategy) -> list[dict[str, Any]]:
    plain_network = resnet50((_IMAGE_SIZE, _IMAGE_SIZE, 3), _CLASSES, zero_gamma=False)
    ends = _ends(plain_network)
    random = np.random.default_rng(0)
    images = tf.constant(random.integers(256, size=(_BATCH, _IMAGE_SIZE, _IMAGE_SIZE, 3)), tf.uint8)
    batch = images, tf.constant(random.integers(_CLASSES, size=_BATCH), tf.int32), tf.ones(_BATCH)
    calls: dict[str, Call] = {"plain": _fixed(_plain(plain_network, ends[0]), False, batch)}
    for precision in _AGREEMENT:
        network = variants.with_precision(plain_network, precision)
        candidates = {
            "stored": _along_path(network, ends, "stored", batch, strategy),
            "folded": _fixed(_folded(network, ends[0]), False, batch),
            "batch": _along_path(network, ends, "batch", batch, strategy),
            "training": _fixed(_plain(network, ends[0]), True, batch),
        }
        for mine, others in (("stored", "folded"), ("batch", "training")):
            _check_agreement(candidates[mine]()[0], candidates[others]()[0], precision)
        calls |= {f"{name} {precision}": call for name, call in candidates.items()}
        calls[f"product {precision}"] = _matrix_product(precision)
    seconds = {
        name: value if name.startswith("product") else value / _PLACES
        for name, value in measure.interleaved_medians(calls, rounds=7).items()
    }

    def row(statistics: str, precision: str, other: str, its_seconds: float, at_least: float | None) -> dict[str, Any]:
        what = f"ResNet-50, {statistics}"
        return _row(what, precision, _BATCH, other, seconds[f"{statistics} {precision}"], its_seconds, at_least)

    rows = []
    for precision, at_least in (("float32", 0.95), ("mixed_bfloat16", 0.92)):
        at_its_rate = seconds[f"product {precision}"] * _operations(plain_network) * _BATCH / (2 * _SIDE**3)
        rows += [
            row("stored", precision, "fixed weights, folded", seconds[f"folded {precision}"], at_least),
            row("batch", precision, "fixed weights, training", seconds[f"training {precision}"], at_least),
            row("stored", precision, f"matrix product of {_SIDE}^3", at_its_rate, None),
        ]
    return [*rows, row("stored", "mixed_bfloat16", "fixed weights, float32", seconds["plain"], 1.8)]


# Parts photographs and digits: whole paths.


def _whole_path(
    network: tf_keras.Model,
    ends: Ends,
    batches: BatchesOfHost,
    strategy: tf.distribute.Strategy,
) -> Call:
    """The cross-entropy at every point, [points], as the evaluator finds it; the ends by themselves come on top."""
    t = np.linspace(0.0, 1.0, _POINTS)
    path = WeightPath.between(network, *ends, Line())
    evaluator = PathEvaluator(network, path, t, Objective(), strategy)
    losses = evaluator.losses("stored")
    return lambda: evaluator.path_of(added_up(losses(batches))).losses.cross_entropy


def _each_point(model: tf_keras.Model, ends: Ends, loss: Callable[[], float]) -> Call:
    """A loss after the weights and statistics of a point were assigned, for some points: [points of others]."""

    def weights_of(end: Point) -> list[np.ndarray]:
        points.assign(model, end)
        return model.get_weights()

    start, end = map(weights_of, ends)

    def losses() -> np.ndarray:
        values = []
        for t in np.linspace(0.0, 1.0, _POINTS_OF_OTHERS).tolist():
            model.set_weights([(1 - t) * first + t * last for first, last in zip(start, end, strict=True)])
            values.append(loss())
        return np.array(values)

    return losses


def _by_keras(network: tf_keras.Model, ends: Ends, examples: tf.data.Dataset, batch_size: int) -> Call:
    """The loss at some points by ``model.evaluate``."""
    model = variants.clone(network)
    model.compile(loss=tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    batches = examples.batch(batch_size, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
    return _each_point(model, ends, lambda: model.evaluate(batches, verbose=0))


def _by_eager_passes(network: tf_keras.Model, ends: Ends, examples: tf.data.Dataset, batch_size: int) -> Call:
    """The loss at some points by a forward pass for every batch that is not compiled."""
    model = variants.clone(network)
    batches = examples.batch(batch_size)

    def loss() -> float:
        losses = [Objective().cross_entropy(labels, model(images, training=False)) for images, labels in batches]
        return float(np.concatenate(losses).mean())

    return _each_point(model, ends, loss)


def _cropped_photographs() -> tf.data.Dataset:
    """Examples (image, label) that are read from JPEG files and augmented as ImageNet's are, whenever they are read."""

    def example(index: tf.Tensor, photograph: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image = crops.random_resized_crop(photograph, tf.stack([index, 0]), _IMAGE_SIZE)
        return image, tf.cast(index % _CLASSES, tf.int32)

    files = tf.data.Dataset.from_tensor_slices(encoded(_PHOTOGRAPHS))
    return files.enumerate().map(example, tf.data.AUTOTUNE, deterministic=True)


def photographs(strategy: tf.distribute.Strategy) -> list[dict[str, Any]]:
    plain_network = resnet50((_IMAGE_SIZE, _IMAGE_SIZE, 3), _CLASSES, zero_gamma=False)
    ends = _ends(plain_network)
    networks = {precision: variants.with_precision(plain_network, precision) for precision in _AGREEMENT}
    examples = _cropped_photographs()
    images, labels = next(iter(examples.batch(_PHOTOGRAPHS)))
    in_memory = tf.data.Dataset.from_tensor_slices((images, labels))
    calls = {"bfloat16 in memory": _whole_path(networks["mixed_bfloat16"], ends, _batches(in_memory), strategy)}
    for precision, network in networks.items():
        calls[precision] = _whole_path(network, ends, _batches(examples), strategy)
        calls[f"evaluate {precision}"] = _by_keras(network, ends, examples, _BATCH)
    num_batches = _PHOTOGRAPHS / _BATCH
    seconds = {
        name: value / num_batches / (_POINTS_OF_OTHERS if name.startswith("evaluate") else _POINTS)
        for name, value in measure.interleaved_medians(calls, rounds=2, untimed=1).items()
    }

    def row(precision: str, other: str, its_name: str, at_least: float | None) -> dict[str, Any]:
        what = "ResNet-50, JPEG files"
        return _row(what, precision, _BATCH, other, seconds[precision], seconds[its_name], at_least)

    return [
        row("float32", "model.evaluate, float32", "evaluate float32", 1.5),
        row("mixed_bfloat16", "model.evaluate, float32", "evaluate float32", 2.5),
        row("mixed_bfloat16", "model.evaluate, bfloat16", "evaluate mixed_bfloat16", None),
        row("mixed_bfloat16", "images in memory", "bfloat16 in memory", 0.95),
    ]


def _batches(examples: tf.data.Dataset) -> BatchesOfHost:
    return functools.partial(padded_batches, examples, _BATCH)


def digits(strategy: tf.distribute.Strategy) -> list[dict[str, Any]]:
    network, dataset = digits_resnet(), Digits()
    ends, count = _ends(network), dataset.num_examples("train")
    images_and_labels = dataset.evaluation_batches("train", count, augmented=True)  # one batch, without padding
    examples = images_and_labels.map(lambda images, labels, weights: (images, labels)).unbatch().cache()
    calls = {
        **{
            f"path {size}": _whole_path(network, ends, _digits_batches(dataset, size), strategy)
            for size in (128, count)
        },
        **{f"evaluate {size}": _by_keras(network, ends, examples, size) for size in (_KERAS_BATCH, 128, count)},
        "eager 128": _by_eager_passes(network, ends, examples, 128),
    }
    losses = {name: call() for name, call in calls.items()}
    for name, found in losses.items():
        some = found[[0, _POINTS // 2, -1]] if name.startswith("path") else found
        _check_agreement(losses["path 128"][[0, _POINTS // 2, -1]], some, "float32")
    seconds = {
        name: value / (_POINTS if name.startswith("path") else _POINTS_OF_OTHERS)
        for name, value in measure.interleaved_medians(calls, rounds=9, untimed=1).items()
    }

    def row(size: int, other: str, its_name: str, at_least: float | None = None) -> dict[str, Any]:
        return _row("digits", "float32", size, other, seconds[f"path {size}"], seconds[its_name], at_least)

    return [
        *(
            row(size, f"model.evaluate, batch {its_size}", f"evaluate {its_size}", at_least)
            for size, its_size, at_least in (
                (128, 128, None),
                (count, count, None),
                (count, 128, None),
                (count, _KERAS_BATCH, 3.0),
            )
        ),
        row(128, "assigned weights, eager, batch 128", "eager 128"),
        row(count, "assigned weights, eager, batch 128", "eager 128", 10.0),
    ]


def _digits_batches(dataset: Digits, batch_size: int) -> BatchesOfHost:
    return lambda share: dataset.evaluation_batches("train", batch_size, augmented=True, share=share)


_PARTS = {"forward": forward, "photographs": photographs, "digits": digits}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("part", nargs="?", choices=_PARTS, help="which part to run; all by default")
    part = parser.parse_args().part
    tf.get_logger().setLevel("ERROR")  # it takes the functions of several networks for one that is traced again
    strategy = distribution.strategy()
    rows = [row for name, measured in _PARTS.items() if part in (None, name) for row in measured(strategy)]
    sys.exit(not measure.report(f"path_evaluator_{part}" if part else "path_evaluator", rows))


if __name__ == "__main__":
    main()
