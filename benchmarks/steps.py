"""Training steps on random images, to be timed."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from benchmarks import measure
from sparse_rigl_lands.sparsity import random_masks, variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.trainer import Trainer

OBJECTIVE = Objective(1e-4, 0.1)
SGD = {"learning_rate": 1e-3, "momentum": 0.9, "nesterov": True}


def sparse(network: tf_keras.Model) -> tuple[dict[str, float], Mask]:
    """The sparsity of every kernel, and a random mask of that sparsity."""
    shapes = variants.kernel_shapes(network)
    sparsities = dict.fromkeys(shapes, 0.8)
    return sparsities, random_masks.random(shapes, sparsities, 0, "benchmark")


def taken_by(trainer: Trainer, network: tf_keras.Model, batch_size: int, count: int) -> Callable[[], object]:
    """A call that takes ``count`` steps on one batch, of images and classes that the network is made for."""
    random = np.random.default_rng(0)
    shape, dtype = (batch_size, *network.input_shape[1:]), network.inputs[0].dtype
    images = tf.cast(random.integers(256, size=shape) if dtype.is_integer else random.normal(size=shape), dtype)
    labels = random.integers(network.output_shape[-1], size=batch_size, dtype="int32")
    dataset = tf.data.Dataset.from_tensors((images, labels)).repeat()
    batches = iter(trainer.strategy.experimental_distribute_dataset(dataset))
    return lambda: trainer.take_steps(batches, count)


def seconds_of_a_step(
    trainers: Mapping[str, Trainer], network: tf_keras.Model, batch_size: int, count: int, rounds: int
) -> dict[str, float]:
    """Times the steps of trainers, whose calls take turns.

    Args:
      trainers: by name.
      network: whose images and classes they train on.
      batch_size: images per step.
      count: steps per timed call.
      rounds: timed calls of each.

    Returns:
      Name to the seconds of a step, those of the median call.
    """
    calls = {name: taken_by(trainer, network, batch_size, count) for name, trainer in trainers.items()}
    return {name: value / count for name, value in measure.interleaved_medians(calls, rounds).items()}
