"""Learning-rate schedules."""

import dataclasses
import math
from collections.abc import Sequence

import gin
import tensorflow as tf
import tf_keras

from sparse_rigl_lands import checks
from sparse_rigl_lands.errors import InputError


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

    Raises:
      InputError: the peak or the factor are not positive, the warm-up is no number of steps, or the drops do not
        ascend.
    """

    peak: float
    warmup_steps: int = 0
    drops: Sequence[int] = ()
    factor: float = 0.1

    def __post_init__(self) -> None:
        checks.number("WarmupStepDecay.peak", self.peak, above=0)
        checks.number("WarmupStepDecay.factor", self.factor, above=0)
        checks.whole_number("WarmupStepDecay.warmup_steps", self.warmup_steps, least=0)
        checks.each("WarmupStepDecay.drops", self.drops, checks.whole_number)
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


@gin.configurable(module="sparse_rigl_lands")
@dataclasses.dataclass(frozen=True)
class WarmupCosine(tf_keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up, then half a cosine down to zero: one shape, however many steps there are.

    At step s of S, counted from 0, with W = warmup S: peak (s + 1) / W up to the peak, then
    peak (1 + cos(pi (s - W) / (S - W))) / 2. Source: Loshchilov and Hutter 2017 (arXiv 1608.03983),
    without restarts.

    Args:
      peak: the highest rate, per optimizer step.
      steps: S, until the rate is zero.
      warmup: the part of the steps that the rate rises, in [0, 1).

    Raises:
      InputError: the peak or the steps are not positive, or the part is out of range.
    """

    peak: float
    steps: int
    warmup: float = 0.0

    def __post_init__(self) -> None:
        checks.number("WarmupCosine.peak", self.peak, above=0)
        checks.number("WarmupCosine.steps", self.steps, above=0)
        checks.number("WarmupCosine.warmup", self.warmup, least=0, below=1)

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        step = tf.cast(step, tf.float32)
        warm = self.warmup * self.steps
        rising = (step + 1) / max(warm, 1.0)
        falling = (1 + tf.cos(math.pi * tf.clip_by_value((step - warm) / (self.steps - warm), 0.0, 1.0))) / 2
        return self.peak * tf.minimum(rising, falling)

    def get_config(self) -> dict[str, object]:
        return dataclasses.asdict(self)
