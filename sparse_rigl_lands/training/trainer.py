"""A model under training: its variables, its compiled steps, and its checkpoints."""

from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.points import point as points
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.points.point import Origin
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.training.objective import Objective, in_top

_MOMENTUM = "momentum/"


class Trainer:
    """Takes training steps under a ``tf.distribute`` strategy.

    Args:
      model: the variant to train, made in the scope of ``strategy``.
      objective: what is minimised.
      optimizer: SGD with momentum.
      batch_size: examples per global batch.
      strategy: in whose replicas to run.
    """

    def __init__(
        self,
        model: tf_keras.Model,
        objective: Objective,
        optimizer: tf_keras.optimizers.SGD,
        batch_size: int,
        strategy: tf.distribute.Strategy,
    ):
        self.model = model
        self._objective = objective
        self._optimizer = optimizer
        self._batch_size = batch_size
        self.strategy = strategy
        self._named = variants.named_variables(model)
        with strategy.scope():
            optimizer.build(list(self._named.weights.values()))
        self.momentum: Mapping[str, tf.Variable] = dict(zip(self._named.weights, optimizer.momentums, strict=True))
        self._compiled_steps = tf.function(self._steps)

    def take_steps(self, batches: Iterator, count: int) -> np.ndarray:
        """Takes steps inside one compiled call.

        Args:
          batches: a distributed iterator over (images, labels).
          count: how many.

        Returns:
          float32 [count, 3]: smoothed cross-entropy, L2 term and accuracy of each step's batch,
          before its update.
        """
        return self._compiled_steps(batches, tf.constant(count)).numpy()

    def _steps(self, batches: Iterator, count: tf.Tensor) -> tf.Tensor:
        metrics = tf.TensorArray(tf.float32, count, element_shape=[3])
        for i in tf.range(count):
            per_replica = self.strategy.run(self._replica_step, args=next(batches))
            metrics = metrics.write(i, self.strategy.reduce("SUM", per_replica, axis=None))
        return metrics.stack()

    def _replica_step(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """One step on this replica's share of the batch; the return values sum over replicas."""
        weights = self._named.weights
        replicas = self.strategy.num_replicas_in_sync
        with tf.GradientTape() as tape:
            logits = self.model(images, training=True)
            losses = self._objective.smoothed_cross_entropy(labels, logits)
            cross_entropy = tf.reduce_sum(losses) / self._batch_size
            l2 = self._objective.l2(weights) / replicas
            loss = cross_entropy + l2
        gradients = tape.gradient(loss, list(weights.values()))
        self._optimizer.apply_gradients(zip(gradients, weights.values(), strict=True))
        accuracy = tf.reduce_sum(in_top(1, labels, logits)) / self._batch_size
        return tf.stack([cross_entropy, l2, accuracy])

    def capture(self, origin: Origin) -> Checkpoint:
        """The state after ``origin.global_step`` steps: the point, and the optimizer's momentum.

        Where replicas hold moving statistics of their own, these are set to their mean: a run that
        goes on and one that starts again from the checkpoint then hold the same.
        """
        point = points.point_of(self.model, origin)
        if self.strategy.num_replicas_in_sync > 1:
            for name, variable in self._named.statistics.items():
                variable.assign(point.statistics[name])
        return Checkpoint(point, {_MOMENTUM + name: slot.numpy() for name, slot in self.momentum.items()})

    def restore(self, checkpoint: Checkpoint) -> None:
        """Takes up a captured state, all of it; the momentum of a bare point is zero.

        Raises:
          InputError: the point does not fit the model, masks what the model trains dense, or the
            momentum of a weight is missing.
        """
        for name in checkpoint.point.mask.arrays:
            if name not in self._named.masks:
                raise InputError(f"{checkpoint.point.origin} has a mask of {name}, which is trained dense here")
        points.assign(self.model, checkpoint.point)
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
