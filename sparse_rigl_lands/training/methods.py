"""The ways to a solution: where training starts, which variant is trained, what happens between steps.

Here are those that begin with every connection; ``fixed_mask`` has those that begin with few.
"""

import abc
import math
from collections.abc import Callable, Mapping

import gin
import tensorflow as tf
import tf_keras

from sparse_rigl_lands import checks, files
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity import distributions, pruned, variants
from sparse_rigl_lands.sparsity.pruned import PruningSchedule


class Method(abc.ABC):
    """One way to train a network. Stateless: what changes lives in the variant's variables."""

    name: str

    @abc.abstractmethod
    def settings(self) -> dict[str, object]:
        """What tells two runs of this method apart, besides initialization and sparsity, for the record."""

    def validate(self, steps: int) -> None:
        """Refuses, before training starts, what cannot work out in that many steps."""

    def initialization(self, network: tf_keras.Model, origin: Origin, run: files.RunFiles) -> Point:
        """Where training starts: the dense initialization.

        Args:
          network: a plain functional model.
          origin: of the run at step 0.
          run: where the run lies; what it builds upon is looked for beside it.
        """
        return initializations.dense(network, origin)

    def kept_weights(self, network: tf_keras.Model, initialization: Point) -> dict[str, int]:
        """How many weights every kernel has in the end, by name: those of the initialization's mask."""
        return initialization.mask.live_weights(variants.kernel_shapes(network))

    @abc.abstractmethod
    def variant(self, network: tf_keras.Model, initialization: Point) -> tf_keras.Model:
        """The variant that is trained; called within the strategy's scope."""

    def next_intervention(self, step: int) -> int | None:
        """The first step >= ``step``, counted from 1, that an intervention must precede."""
        return None

    def intervention(self, model: tf_keras.Model, momentum: Mapping[str, tf.Variable]) -> Callable[[int], None]:
        """What happens before such a step, between compiled calls, in cross-replica context.

        Args:
          model: of ``variant``.
          momentum: the optimizer's momentum by weight name.

        Returns:
          A function of the step about to be taken, counted from 1.
        """
        return lambda step: None


@gin.configurable(module="sparse_rigl_lands")
class Dense(Method):
    """Every connection, from the first step to the last."""

    name = "dense"

    def settings(self) -> dict[str, object]:
        return {}

    def variant(self, network: tf_keras.Model, initialization: Point) -> tf_keras.Model:
        return variants.clone(network)


@gin.configurable(module="sparse_rigl_lands")
class ZeroedInit(Method):
    """Dense training after a random part of the initialization was set to zero (the paper's Figure 5).

    Args:
      distribution: from kernel shapes by name to the fraction of each that becomes zero.

    Raises:
      InputError: the distribution is no function.
    """

    name = "zeroed_init"

    def __init__(self, distribution: distributions.Distribution = distributions.uniform):
        checks.function("ZeroedInit.distribution", distribution, "@uniform")
        self._distribution = distribution

    def settings(self) -> dict[str, object]:
        return {}

    def initialization(self, network: tf_keras.Model, origin: Origin, run: files.RunFiles) -> Point:
        fractions = self._distribution(variants.kernel_shapes(network))
        return initializations.zeroed(initializations.dense(network, origin), fractions)

    def variant(self, network: tf_keras.Model, initialization: Point) -> tf_keras.Model:
        return variants.clone(network)


@gin.configurable(module="sparse_rigl_lands")
class Pruned(Method):
    """Gradual magnitude pruning while training from the dense initialization (Zhu and Gupta 2017).

    Args:
      schedule: when masks are updated.
      distribution: from kernel shapes by name to the target sparsity of each.
      allow_empty_kernels: whether a target may leave a kernel without any weight.

    Raises:
      InputError: a setting is of another kind.
    """

    name = "pruned"

    def __init__(
        self,
        schedule: PruningSchedule,
        distribution: distributions.Distribution = distributions.uniform,
        allow_empty_kernels: bool = False,
    ):
        checks.kind("Pruned.schedule", schedule, PruningSchedule, "@PruningSchedule()")
        checks.function("Pruned.distribution", distribution, "@uniform")
        checks.flag("Pruned.allow_empty_kernels", allow_empty_kernels)
        self._schedule = schedule
        self._distribution = distribution
        self._allow_empty_kernels = allow_empty_kernels

    def settings(self) -> dict[str, object]:
        return {"pruning_schedule": self._schedule}

    def validate(self, steps: int) -> None:
        self._schedule.validate(steps)

    def kept_weights(self, network: tf_keras.Model, initialization: Point) -> dict[str, int]:
        shapes = variants.kernel_shapes(network)
        sparsities = self._distribution(shapes)
        kept = {name: distributions.kept_weights(math.prod(shapes[name]), s) for name, s in sparsities.items()}
        if not self._allow_empty_kernels:
            distributions.check_not_empty(kept, shapes)
        return kept

    def variant(self, network: tf_keras.Model, initialization: Point) -> tf_keras.Model:
        sparsities = self._distribution(variants.kernel_shapes(network))
        return pruned.pruned_variant(network, sparsities, self._schedule)

    def next_intervention(self, step: int) -> int | None:
        return self._schedule.next_update(step)

    def intervention(self, model: tf_keras.Model, momentum: Mapping[str, tf.Variable]) -> Callable[[int], None]:
        return pruned.mask_update(model, momentum)
