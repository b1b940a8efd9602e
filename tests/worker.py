"""One of several workers that do together what one device can do: tests/worker.py OUTPUT, under TF_CONFIG.

``start`` starts them, with the project's root among the places that Python imports from.
"""

import json
import os
import socket
import sys

import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.networks import residual
from sparse_rigl_lands.paths.interface import evaluate_path
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points import point as points
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.points.point import Origin
from sparse_rigl_lands.replicas import distributed, hosts_of
from sparse_rigl_lands.sparsity.pruned import PruningSchedule, mask_update, pruned_variant
from sparse_rigl_lands.training.network_trainer import NetworkTrainer
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.workers import Workers
from tests.commands import Commands, Process
from tests.random_points import random_point

BATCH_SIZE = 8  # of a replica
BATCH_NORMS = ("batch", "stored", "recalibrated")


def start(commands: Commands, script: str, *arguments: str, count: int = 2) -> list[Process]:
    """Starts a script as every worker of a cluster on 127.0.0.1; ``{index}`` in an argument is the worker's."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    processes = []
    for index in range(count):
        cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        words = [word.replace("{index}", str(index)) for word in arguments]
        environment = {**os.environ, "TF_CONFIG": json.dumps(cluster)}
        processes.append(commands.start(script, *words, environment=environment))
    return processes


def examples() -> tf.data.Dataset:
    """A last global batch of two workers that is full for the first of them and all padding for the second."""
    random = np.random.default_rng(0)
    images = random.normal(size=(5 * BATCH_SIZE - 3, 8, 8, 1)).astype("float32")
    return tf.data.Dataset.from_tensor_slices((images, random.integers(10, size=len(images), dtype="int32")))


def evaluate(strategy: tf.distribute.Strategy) -> dict[str, np.ndarray]:
    """The sums of a path in each mode, by name."""
    images = tf_keras.Input((8, 8, 1))
    x = residual.stem(images, filters=4, size=3, stride=1)
    x = residual.residual_block(x, [(8, 3, 2), (8, 3, 1)], "block1", zero_gamma=False)
    network = tf_keras.Model(images, residual.head(x, 10))
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


def train(strategy: tf.distribute.Strategy) -> dict[str, np.ndarray]:
    """Prunes a network without BatchNorm, whose statistics would be each replica's own: losses, weights and masks."""
    images = tf_keras.Input((8, 8, 1))
    x = tf_keras.layers.Conv2D(8, 3, 2, activation="relu", name="conv")(images)
    network = tf_keras.Model(images, tf_keras.layers.Dense(10, name="head")(tf_keras.layers.Flatten()(x)))
    with strategy.scope():
        model = pruned_variant(network, {"conv/kernel": 0.5, "head/kernel": 0.8}, PruningSchedule(1, 13, 4))
        optimizer = tf_keras.optimizers.SGD(0.1, 0.9, nesterov=True)
    trainer = NetworkTrainer(model, Objective(1e-3, 0.1), optimizer, 32, strategy)
    trainer.restore(Checkpoint(initializations.dense(network, Origin("small", "pruned", 0, 0)), {}))
    update = mask_update(model, trainer.momentum)
    batches = iter(distributed(strategy, lambda share: Digits().training_batches(32, 0, 0, share)))
    losses = []
    for step in range(1, 17, 4):
        with strategy.scope():
            update(step)
        losses.append(trainer.take_steps(batches, 4))
    point = points.point_of(model, Origin("small", "pruned", 0, 16))
    masks = {f"mask/{name}": live for name, live in point.mask.arrays.items()}
    return {"losses": np.concatenate(losses), **masks, **point.weights}


def agree(strategy: tf.distribute.Strategy) -> dict[str, np.ndarray]:
    """What the meetings of the workers come to."""
    workers, chief = Workers(strategy), []
    found = {
        "any": [workers.any(False), workers.any(workers.is_chief), workers.any(not workers.is_chief)],
        "chief": [workers.is_chief],
        "hosts": [hosts_of(strategy)],
    }
    workers.chief_does(lambda: chief.append(1))
    workers.check_alike("the same", "text")
    for name, meeting in {
        "refused": lambda: workers.chief_does(_refuse),
        "differ": lambda: workers.check_alike(str(workers.is_chief), "text"),
    }.items():
        try:
            meeting()
        except ValueError as error:
            found[name] = [str(error)]
    return {**{name: np.array(values) for name, values in found.items()}, "did": np.array(chief)}


def _refuse() -> None:
    raise InputError("the chief's own reason")


if __name__ == "__main__":
    workers_strategy = tf.distribute.MultiWorkerMirroredStrategy()
    np.savez(sys.argv[1], **evaluate(workers_strategy), **train(workers_strategy), **agree(workers_strategy))
