"""The ways to a solution: which variant is trained, and what happens between steps."""

import abc
from collections.abc import Callable, Mapping

import gin
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Point
from sparse_rigl_lands.sparsity import distributions, pruned, variants
from sparse_rigl_lands.sparsity.pruned import PruningSchedule


class Method(abc.ABC):
    """One way to train a network. Stateless: what changes lives in the variant's variables."""

    name: str

    def initialization(self, network: tf_keras.Model, workload: str, seed: int) -> Point:
        """Where training starts: the dense initialization."""
        return initializations.dense(network, workload, self.name, seed)

    @abc.abstractmethod
    def settings(self) -> dict[str, object]:
        """What tells two runs of this method apart, besides their sparsities, for the record."""

    @abc.abstractmethod
    def sparsities(self, network: tf_keras.Model) -> dict[str, float]:
        """The sparsity that every kernel has in the end, by name."""

    def validate(self, steps: int) -> None:
        """Refuses, before training starts, what cannot work out in that many steps."""

    @abc.abstractmethod
    def variant(self, network: tf_keras.Model) -> tf_keras.Model:
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

    def sparsities(self, network: tf_keras.Model) -> dict[str, float]:
        return dict.fromkeys(variants.kernel_shapes(network), 0.0)

    def variant(self, network: tf_keras.Model) -> tf_keras.Model:
        return variants.clone(network)


@gin.configurable(module="sparse_rigl_lands")
class Pruned(Method):
    """Gradual magnitude pruning while training from the dense initialization (Zhu and Gupta 2017).

    Args:
      schedule: when masks are updated.
      distribution: from kernel shapes by name to the target sparsity of each.
    """

    name = "pruned"

    def __init__(
        self,
        schedule: PruningSchedule,
        distribution: Callable[[distributions.Shapes], dict[str, float]] = distributions.uniform,
    ):
        self._schedule = schedule
        self._distribution = distribution

    def settings(self) -> dict[str, object]:
        return {"pruning_schedule": self._schedule}

    def sparsities(self, network: tf_keras.Model) -> dict[str, float]:
        return self._distribution(variants.kernel_shapes(network))

    def validate(self, steps: int) -> None:
        self._schedule.validate(steps)

    def variant(self, network: tf_keras.Model) -> tf_keras.Model:
        return pruned.pruned_variant(network, self.sparsities(network), self._schedule)

    def next_intervention(self, step: int) -> int | None:
        return self._schedule.next_update(step)

    def intervention(self, model: tf_keras.Model, momentum: Mapping[str, tf.Variable]) -> Callable[[int], None]:
        return pruned.mask_update(model, momentum)
