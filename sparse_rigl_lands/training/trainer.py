"""What is trained, whatever it is: its variables, its compiled steps, and its checkpoints."""

import abc
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.training.objective import Objective, in_top
from sparse_rigl_lands.training.tensorboard import Observation

_MOMENTUM = "momentum/"


class Trainer(abc.ABC):
    """Takes training steps under a ``tf.distribute`` strategy.

    A subclass says of which weights the objective is a function, and how their gradient moves what is
    trained: the weights themselves, or the control points of a curve that they lie on.

    Args:
      trained: the variables that the optimizer moves, by name, made in the scope of ``strategy``.
      objective: what is minimised.
      optimizer: SGD with momentum, made in the scope of ``strategy``.
      batch_size: examples per global batch.
      strategy: in whose replicas to run.
    """

    def __init__(
        self,
        trained: Mapping[str, tf.Variable],
        objective: Objective,
        optimizer: tf_keras.optimizers.SGD,
        batch_size: int,
        strategy: tf.distribute.Strategy,
    ):
        self._objective = objective
        self._optimizer = optimizer
        self._batch_size = batch_size
        self.strategy = strategy
        with strategy.scope():
            optimizer.build(list(trained.values()))
        self.momentum: Mapping[str, tf.Variable] = dict(zip(trained, optimizer.momentums, strict=True))
        self._compiled_steps = tf.function(self._steps)

    @abc.abstractmethod
    def observe(self, with_batch_norm: bool) -> Observation:
        """What is trained, looked at between two steps.

        Args:
          with_batch_norm: whether BatchNorm's weights and statistics are looked at, too.
        """

    @abc.abstractmethod
    def _of_steps(self, first: int, count: int) -> np.ndarray:
        """What each of the steps first, ..., first + count - 1, counted from 0, is given: float32 [count, ...]."""

    @abc.abstractmethod
    def _weights(self, of_step: tf.Tensor) -> Mapping[str, tf.Tensor]:
        """The weights of which a step's loss is a function, by name."""

    @abc.abstractmethod
    def _logits(self, images: tf.Tensor, weights: Mapping[str, tf.Tensor], of_step: tf.Tensor) -> tf.Tensor:
        """Of the network with these weights, in training: [n, height, width, channels] -> [n, classes]."""

    @abc.abstractmethod
    def _apply(self, gradients: Mapping[str, tf.Tensor], of_step: tf.Tensor) -> None:
        """Moves what is trained, by the gradients of this replica's part of the loss, which sum over replicas."""

    @abc.abstractmethod
    def _point(self, origin: Origin) -> Point:
        """What is trained, as a point."""

    @abc.abstractmethod
    def _assign(self, point: Point) -> None:
        """Takes up such a point; raises InputError where it is of something else."""

    def take_steps(self, batches: Iterator, count: int) -> np.ndarray:
        """Takes steps inside one compiled call.

        Args:
          batches: an iterator of ``replicas.distributed`` over (images, labels).
          count: how many.

        Returns:
          float32 [count, 3]: smoothed cross-entropy, L2 term and accuracy of each step's batch,
          before its update.
        """
        of_steps = tf.constant(self._of_steps(int(self._optimizer.iterations.numpy()), count), tf.float32)
        of_any_count = tf.TensorSpec([None, *of_steps.shape[1:]], tf.float32)  # one trace for all counts
        return self._compiled_steps.get_concrete_function(batches, of_any_count)(batches, of_steps).numpy()

    def _steps(self, batches: Iterator, of_steps: tf.Tensor) -> tf.Tensor:
        count = tf.shape(of_steps)[0]
        metrics = tf.TensorArray(tf.float32, count, element_shape=[3])
        for i in tf.range(count):
            per_replica = self.strategy.run(self._replica_step, args=(*next(batches), of_steps[i]))
            metrics = metrics.write(i, self.strategy.reduce("SUM", per_replica, axis=None))
        self._share_among_replicas()
        return metrics.stack()

    def _share_among_replicas(self) -> None:
        """Lets replicas hold the same, where they do not; in cross-replica context, at the end of every call.

        What a checkpoint holds is then what every replica holds, and a run that goes on from it as good as one
        that was never stopped.
        """

    def _replica_step(self, images: tf.Tensor, labels: tf.Tensor, of_step: tf.Tensor) -> tf.Tensor:
        """One step on this replica's share of the batch; the return values sum over replicas."""
        weights = self._weights(of_step)
        replicas = self.strategy.num_replicas_in_sync
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            logits = self._logits(images, weights, of_step)
            losses = self._objective.smoothed_cross_entropy(labels, logits)
            cross_entropy = tf.reduce_sum(losses) / self._batch_size
            l2 = self._objective.l2(weights) / replicas
            loss = cross_entropy + l2
        self._apply(tape.gradient(loss, weights), of_step)
        accuracy = tf.reduce_sum(in_top(1, labels, logits)) / self._batch_size
        return tf.stack([cross_entropy, l2, accuracy])

    def capture(self, origin: Origin) -> Checkpoint:
        """The state after ``origin.global_step`` steps: the point, and the optimizer's momentum."""
        return Checkpoint(self._point(origin), {_MOMENTUM + name: slot.numpy() for name, slot in self.momentum.items()})

    def restore(self, checkpoint: Checkpoint) -> None:
        """Takes up a captured state, all of it; the momentum of a bare point is zero.

        Raises:
          InputError: the point is not of what is trained here, or the momentum of a weight is missing.
        """
        self._assign(checkpoint.point)
        self._optimizer.iterations.assign(checkpoint.point.origin.global_step)
        for name, slot in self.momentum.items():
            if not checkpoint.training:
                slot.assign(tf.zeros_like(slot))
                continue
            value = checkpoint.training.get(_MOMENTUM + name)
            if value is None or value.shape != tuple(slot.shape):
                raise InputError(
                    f"the checkpoint of step {checkpoint.point.origin.global_step} lacks {_MOMENTUM + name}"
                )
            slot.assign(value)
