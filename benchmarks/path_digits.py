"""The speed of a path on digits, where overheads decide.

    python -m benchmarks.path_digits

A whole path; milliseconds are per point, of all images. A user would pick Keras' ``model.evaluate`` once per point,
whose batches are of 32 unless one says otherwise; published code assigns the weights of every point and calls the
network eagerly on every batch. With stored statistics nothing ties images to a batch, so the path may take them all at
once: no pass with batches of the same size can be much faster than Keras' own.
"""

import sys
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from benchmarks import measure, path_speed, whole_paths
from benchmarks.path_speed import Call, Ends
from sparse_rigl_lands import distribution
from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.replicas import BatchesOfHost
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.training.objective import Objective

_KERAS_BATCH = 32  # what Keras takes where nobody says


def _by_eager_passes(network: tf_keras.Model, ends: Ends, examples: tf.data.Dataset, batch_size: int) -> Call:
    """The loss at some points by a forward pass for every batch that is not compiled."""
    model = variants.clone(network)
    batches = examples.batch(batch_size)

    def loss() -> float:
        losses = [Objective().cross_entropy(labels, model(images, training=False)) for images, labels in batches]
        return float(np.concatenate(losses).mean())

    return whole_paths.each_point(model, ends, loss)


def _batches(dataset: Digits, batch_size: int) -> BatchesOfHost:
    return lambda share: dataset.evaluation_batches("train", batch_size, augmented=True, share=share)


def _measure(strategy: tf.distribute.Strategy) -> list[dict[str, Any]]:
    network, dataset = digits_resnet(), Digits()
    ends, count = path_speed.ends(network), dataset.num_examples("train")
    images_and_labels = dataset.evaluation_batches("train", count, augmented=True)  # one batch, without padding
    examples = images_and_labels.map(lambda images, labels, weights: (images, labels)).unbatch().cache()
    paths = {
        f"path {size}": whole_paths.by_evaluator(network, ends, _batches(dataset, size), strategy)
        for size in (128, count)
    }
    others = {
        **{
            f"evaluate {size}": whole_paths.by_keras(network, ends, examples, size)
            for size in (_KERAS_BATCH, 128, count)
        },
        "eager 128": _by_eager_passes(network, ends, examples, 128),
    }
    of_path, of_all = (call() for call in paths.values())
    some = [0, whole_paths.POINTS // 2, -1]  # the points of the others
    for losses in (of_all[some], *(call() for call in others.values())):
        path_speed.check_agreement(of_path[some], losses, "float32")
    seconds = whole_paths.seconds_of_a_point(paths, others, rounds=9)

    def row(size: int, other: str, its_name: str, at_least: float | None = None) -> dict[str, Any]:
        return path_speed.row("digits", "float32", size, other, seconds[f"path {size}"], seconds[its_name], at_least)

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


def main() -> None:
    tf.get_logger().setLevel("ERROR")  # it takes the functions of several networks for one that is traced again
    sys.exit(not measure.report("path_digits", _measure(distribution.strategy())))


if __name__ == "__main__":
    main()
