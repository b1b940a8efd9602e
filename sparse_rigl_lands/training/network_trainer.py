"""The training of a network: of a variant's own weights."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.points import point as points
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity import pruned, variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.tensorboard import Observation
from sparse_rigl_lands.training.trainer import Trainer


class NetworkTrainer(Trainer):
    """Trains the weights of a variant.

    Args:
      model: the variant to train, made in the scope of ``strategy``.
      objective, optimizer, batch_size, strategy: see ``Trainer``.
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
        self._named = variants.named_variables(model)
        super().__init__(self._named.weights, objective, optimizer, batch_size, strategy)

    def observe(self, with_batch_norm: bool) -> Observation:
        looked_at = {**self._named.weights, **self._named.statistics} if with_batch_norm else {}
        masks = {name: mask.numpy() > 0 for name, mask in self._named.masks.items()}
        mask = Mask(masks)
        of_all = mask.sparsity_of_all(variants.kernel_shapes(self.model))
        return Observation(
            sparsity={**{name: mask.sparsity(name) for name in masks}, "all": of_all},
            scheduled_sparsity=pruned.scheduled_sparsity(self.model, int(self._optimizer.iterations.numpy())),
            masks=masks,
            batch_norm={name: each.numpy() for name, each in looked_at.items() if variants.is_of_batch_norm(name)},
        )

    def _of_steps(self, first: int, count: int) -> np.ndarray:
        return np.empty((count, 0), "float32")

    def _weights(self, of_step: tf.Tensor) -> Mapping[str, tf.Variable]:
        return self._named.weights

    def _logits(self, images: tf.Tensor, weights: Mapping[str, tf.Variable], of_step: tf.Tensor) -> tf.Tensor:
        return self.model(images, training=True)

    def _apply(self, gradients: Mapping[str, tf.Tensor], of_step: tf.Tensor) -> None:
        self._optimizer.apply_gradients((gradients[name], weight) for name, weight in self._named.weights.items())

    def _share_among_replicas(self) -> None:
        """Moving statistics, of which each replica has its own, become their mean."""
        if self.strategy.num_replicas_in_sync > 1:
            for variable in self._named.statistics.values():
                variable.assign(variable.read_value())

    def _point(self, origin: Origin) -> Point:
        return points.point_of(self.model, origin)

    def _assign(self, point: Point) -> None:
        for name in point.mask.arrays:
            if name not in self._named.masks:
                raise InputError(f"{point.origin} has a mask of {name}, which is trained dense here")
        points.assign(self.model, point)
