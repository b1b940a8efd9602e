"""One of several workers that evaluate a path together: python -m tests.paths.worker OUTPUT, under TF_CONFIG."""

import sys

import numpy as np
import tensorflow as tf

from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.paths.interface import evaluate_path
from sparse_rigl_lands.training.objective import Objective
from tests.paths.random_points import random_point

BATCH_SIZE = 8  # of a replica
BATCH_NORMS = ("batch", "stored", "recalibrated")


def examples() -> tf.data.Dataset:
    """A last global batch of two workers that is full for the first of them and all padding for the second."""
    random = np.random.default_rng(0)
    images = random.normal(size=(5 * BATCH_SIZE - 3, 8, 8, 1)).astype("float32")
    return tf.data.Dataset.from_tensor_slices((images, random.integers(10, size=len(images), dtype="int32")))


def evaluate(strategy: tf.distribute.Strategy) -> dict[str, np.ndarray]:
    """The sums of a path in each mode, by name."""
    network = digits_resnet()
    ends = [random_point(network, seed) for seed in (0, 1)]
    arrays = {}
    for batch_norm in BATCH_NORMS:
        path = evaluate_path(
            network,
            *ends,
            examples(),
            num_points=3,
            batch_norm=batch_norm,
            batch_size=BATCH_SIZE,
            objective=Objective(label_smoothing=0.1),
            strategy=strategy,
        )
        arrays |= {f"{batch_norm}/{name}": array for name, array in path.losses.arrays().items()}
        arrays |= {f"{batch_norm}/ends/{name}": array for name, array in path.ends.arrays().items()}
    return arrays


if __name__ == "__main__":
    np.savez(sys.argv[1], **evaluate(tf.distribute.MultiWorkerMirroredStrategy()))
