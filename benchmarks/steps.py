"""Training steps on random images, to be timed."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.trainer import Trainer

OBJECTIVE = Objective(1e-4, 0.1)
SGD = {"learning_rate": 1e-3, "momentum": 0.9, "nesterov": True}


def taken_by(trainer: Trainer, network: tf_keras.Model, batch_size: int, count: int) -> Callable[[], object]:
    """A call that takes ``count`` steps on one batch, of images and classes that the network is made for."""
    random = np.random.default_rng(0)
    shape, dtype = (batch_size, *network.input_shape[1:]), network.inputs[0].dtype
    images = tf.cast(random.integers(256, size=shape) if dtype.is_integer else random.normal(size=shape), dtype)
    labels = random.integers(network.output_shape[-1], size=batch_size, dtype="int32")
    dataset = tf.data.Dataset.from_tensors((images, labels)).repeat()
    batches = iter(trainer.strategy.experimental_distribute_dataset(dataset))
    return lambda: trainer.take_steps(batches, count)
