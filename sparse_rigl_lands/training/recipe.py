"""How long, how fast and how precisely a network is trained."""

import dataclasses
import itertools
from collections.abc import Sequence

import gin
import tf_keras

from sparse_rigl_lands import checks
from sparse_rigl_lands.errors import InputError


@gin.configurable(module="sparse_rigl_lands")
@dataclasses.dataclass(frozen=True)
class Recipe:
    """How long, how fast, and how precisely a network is trained.

    Args:
      steps: optimizer steps in all.
      batch_size: examples per global batch, whatever the number of replicas.
      learning_rate: from the step, counted from 0, to the rate.
      momentum: of SGD.
      nesterov: whether the momentum is Nesterov's.
      precision: a Keras dtype policy, ``"float32"`` or ``"mixed_bfloat16"``.
      log_every: steps per row of the metrics.
      checkpoint_every: steps between checkpoints; only the latest of them is kept.
      keep_steps: steps whose checkpoints are kept, besides the first and the last.
      log_batch_norm: whether TensorBoard shows the weights and the moving statistics of BatchNorm.

    Raises:
      InputError: a count that is no whole number of at least 1, a momentum outside [0, 1), a rate that is no
        schedule, a flag that is neither True nor False, or steps to keep that are no list or none of training's.
    """

    steps: int
    batch_size: int
    learning_rate: tf_keras.optimizers.schedules.LearningRateSchedule
    momentum: float = 0.9
    nesterov: bool = True
    precision: str = "float32"
    log_every: int = 100
    checkpoint_every: int = 500
    keep_steps: Sequence[int] = ()
    log_batch_norm: bool = False

    def __post_init__(self) -> None:
        of = type(self).__name__
        for name in ("steps", "batch_size", "log_every", "checkpoint_every"):
            checks.whole_number(f"{of}.{name}", getattr(self, name), least=1)
        checks.number(f"{of}.momentum", self.momentum, least=0, below=1)
        for name in ("nesterov", "log_batch_norm"):
            checks.flag(f"{of}.{name}", getattr(self, name))
        schedule = tf_keras.optimizers.schedules.LearningRateSchedule
        checks.kind(f"{of}.learning_rate", self.learning_rate, schedule, "@WarmupStepDecay()")
        checks.each(f"{of}.keep_steps", self.keep_steps, checks.whole_number)
        for step in self.keep_steps:
            if not 0 <= step <= self.steps:
                raise InputError(f"{of}.keep_steps names step {step}; training goes from 0 to {self.steps}")

    def settings(self) -> dict[str, object]:
        """All of it by name, for the record."""
        rate = {type(self.learning_rate).__name__: self.learning_rate.get_config()}
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)} | {"learning_rate": rate}

    def logs_at(self, step: int) -> bool:
        return step % self.log_every == 0 or step == self.steps

    def keeps(self, step: int) -> bool:
        return step in (0, self.steps) or step in self.keep_steps

    def checkpoints_at(self, step: int) -> bool:
        return step % self.checkpoint_every == 0 or self.keeps(step)

    def next_stop(self, step: int) -> int:
        """The first step after ``step`` at which something is logged or saved."""
        return next(s for s in itertools.count(step + 1) if self.logs_at(s) or self.checkpoints_at(s))
