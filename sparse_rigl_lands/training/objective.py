"""The training objective: cross-entropy with label smoothing, plus weight decay of the kernels."""

import dataclasses
from collections.abc import Iterable, Mapping

import gin
import numpy as np
import tensorflow as tf

from sparse_rigl_lands import checks

# What an evaluation finds of every example, in this order.
VALUES = ("cross_entropy", "smoothed_cross_entropy", "top1", "top5")


@gin.configurable(module="sparse_rigl_lands")
@dataclasses.dataclass(frozen=True)
class Objective:
    """mean_i CE_smoothed(i) + weight_decay / 2 * sum over kernels ||kernel||^2.

    Biases and BatchNorm do not decay. Logits of any dtype are taken to float32 first.

    Args:
      weight_decay: the factor of half the squared norm.
      label_smoothing: the mass taken from the true class and spread evenly over all classes
        (Szegedy et al. 2015, arXiv 1512.00567).

    Raises:
      InputError: a negative factor, or a smoothing outside [0, 1).
    """

    weight_decay: float = 0.0
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        checks.number("Objective.weight_decay", self.weight_decay, least=0)
        checks.number("Objective.label_smoothing", self.label_smoothing, least=0, below=1)

    def cross_entropy(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Plain cross-entropy in nats of every example: int [n], [n, classes] -> float32 [n]."""
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.cast(logits, tf.float32))

    def smoothed_cross_entropy(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Cross-entropy against the smoothed labels: int [n], [n, classes] -> float32 [n].

        With smoothing e it is (1 - e) CE + e * mean over classes of -log p.
        """
        plain = self.cross_entropy(labels, logits)
        if self.label_smoothing == 0:
            return plain
        against_uniform = -tf.reduce_mean(tf.nn.log_softmax(tf.cast(logits, tf.float32)), axis=-1)
        return (1 - self.label_smoothing) * plain + self.label_smoothing * against_uniform

    def values(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """What an evaluation finds of every example.

        Args:
          labels: int [n].
          logits: [n, classes].

        Returns:
          float32 [4, n], in the order of ``VALUES``: losses in nats, and 1 or 0 for right or wrong.
        """
        losses = self.cross_entropy(labels, logits), self.smoothed_cross_entropy(labels, logits)
        return tf.stack([*losses, in_top(1, labels, logits), in_top(5, labels, logits)])

    def l2(self, weights: Mapping[str, tf.Variable]) -> tf.Tensor:
        """The L2 term of named weights, float32 scalar. Masked entries must be zero."""
        return self.weight_decay * tf.add_n([tf.nn.l2_loss(weights[name]) for name in decayed(weights)])

    def l2_of_squared_norm(self, squared_norm: np.ndarray) -> np.ndarray:
        """The L2 term of kernels with the given total squared norm."""
        return self.weight_decay / 2 * squared_norm


def decayed(names: Iterable[str]) -> list[str]:
    """The names of the weights that decay: kernels only."""
    return [name for name in names if name.endswith("/kernel")]


def in_top(k: int, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """1 where the label is among the k classes of the largest logits, of equal ones the first: -> float32 [n].

    Args:
      k: how many; all classes where there are not so many.
      labels: int [n].
      logits: [n, classes].
    """
    largest = tf.math.top_k(logits, min(k, logits.shape[-1])).indices
    return tf.cast(tf.reduce_any(largest == tf.cast(labels, largest.dtype)[:, None], axis=1), tf.float32)
