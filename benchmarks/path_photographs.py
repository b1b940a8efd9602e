"""The speed of a path on photographs: every image is decoded once, and serves all points.

    python -m benchmarks.path_photographs

A path of ResNet-50 at 224 on JPEG files, decoded and cropped as ImageNet's are. A user would pick Keras'
``model.evaluate`` once per point, which decodes every image anew for every point. The same path on images in memory, in
the precision that waits least for its arithmetic, tells what is lost to the input.
"""

import functools
import sys
from typing import Any

import tensorflow as tf

from benchmarks import measure, path_speed, whole_paths
from benchmarks.path_speed import Call
from benchmarks.photographs import encoded
from sparse_rigl_lands import distribution
from sparse_rigl_lands.data import crops
from sparse_rigl_lands.data.dataset import padded_batches
from sparse_rigl_lands.networks.resnet50 import resnet50
from sparse_rigl_lands.sparsity import variants

_SIZE, _CLASSES, _BATCH = 224, 1000, 32
_PHOTOGRAPHS = 64


def _cropped_photographs() -> tf.data.Dataset:
    """Examples (image, label) that are read from JPEG files and augmented as ImageNet's are, whenever they are read."""

    def example(index: tf.Tensor, photograph: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image = crops.random_resized_crop(photograph, tf.stack([index, 0]), _SIZE)
        return image, tf.cast(index % _CLASSES, tf.int32)

    files = tf.data.Dataset.from_tensor_slices(encoded(_PHOTOGRAPHS))
    return files.enumerate().map(example, tf.data.AUTOTUNE, deterministic=True)


def _measure(strategy: tf.distribute.Strategy) -> list[dict[str, Any]]:
    plain_network = resnet50(zero_gamma=False)
    ends = path_speed.ends(plain_network)
    networks = {precision: variants.with_precision(plain_network, precision) for precision in path_speed.PRECISIONS}
    examples = _cropped_photographs()
    images, labels = next(iter(examples.batch(_PHOTOGRAPHS)))
    in_memory = tf.data.Dataset.from_tensor_slices((images, labels))

    def path(precision: str, examples: tf.data.Dataset) -> Call:
        batches = functools.partial(padded_batches, examples, _BATCH)
        return whole_paths.by_evaluator(networks[precision], ends, batches, strategy)

    paths = {
        "bfloat16 in memory": path("mixed_bfloat16", in_memory),
        **{precision: path(precision, examples) for precision in networks},
    }
    evaluated = {
        f"evaluate {precision}": whole_paths.by_keras(network, ends, examples, _BATCH)
        for precision, network in networks.items()
    }
    num_batches = _PHOTOGRAPHS / _BATCH
    seconds = {
        name: value / num_batches for name, value in whole_paths.seconds_of_a_point(paths, evaluated, rounds=2).items()
    }

    def row(precision: str, other: str, its_name: str, at_least: float | None) -> dict[str, Any]:
        what = "ResNet-50, JPEG files"
        return path_speed.row(what, precision, _BATCH, other, seconds[precision], seconds[its_name], at_least)

    return [
        row("float32", "model.evaluate, float32", "evaluate float32", 1.5),
        row("mixed_bfloat16", "model.evaluate, float32", "evaluate float32", 2.5),
        row("mixed_bfloat16", "model.evaluate, bfloat16", "evaluate mixed_bfloat16", None),
        row("mixed_bfloat16", "images in memory", "bfloat16 in memory", 0.95),
    ]


def main() -> None:
    tf.get_logger().setLevel("ERROR")  # it takes the functions of several networks for one that is traced again
    sys.exit(not measure.report("path_photographs", _measure(distribution.strategy())))


if __name__ == "__main__":
    main()
