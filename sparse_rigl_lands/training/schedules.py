"""Learning-rate schedules."""

import dataclasses
import math
from collections.abc import Sequence

import gin
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import InputError

gin.external_configurable(tf_keras.optimizers.schedules.CosineDecay, module="tf_keras")


@gin.configurable(module="sparse_rigl_lands")
@dataclasses.dataclass(frozen=True)
class WarmupStepDecay(tf_keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up, then a constant rate that drops by a factor at given steps.

    At step s, counted from 0: peak * min(1, (s + 1) / warmup_steps) * factor^(drops at or before s).
    Source: Goyal et al. 2017 (arXiv 1706.02677).

    Args:
      peak: the rate after warm-up, per optimizer step.
      warmup_steps: optimizer steps; 0 starts at the peak.
      drops: the steps at which the rate is multiplied by the factor.
      factor: of each drop.
    """

    peak: float
    warmup_steps: int = 0
    drops: Sequence[int] = ()
    factor: float = 0.1

    def __post_init__(self) -> None:
        for name in ("peak", "factor"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"WarmupStepDecay.{name} is {getattr(self, name)}; it must be positive")
        if self.warmup_steps < 0:
            raise InputError(f"WarmupStepDecay.warmup_steps is {self.warmup_steps}; it must not be negative")
        if list(self.drops) != sorted(self.drops):
            raise InputError(f"WarmupStepDecay.drops must ascend: {list(self.drops)}")

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        step = tf.cast(step, tf.float32)
        rate = tf.constant(self.peak, tf.float32)
        if self.warmup_steps:
            rate *= tf.minimum(1.0, (step + 1) / self.warmup_steps)
        if self.drops:
            passed = tf.reduce_sum(tf.cast(step >= tf.constant(list(self.drops), tf.float32), tf.float32))
            rate *= tf.constant(self.factor, tf.float32) ** passed
        return rate

    def get_config(self) -> dict[str, object]:
        return dataclasses.asdict(self)
