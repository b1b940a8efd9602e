"""The pruned variant: tfmot's gradual magnitude pruning, rid of its side effects.

``PruneLowMagnitude`` below *is* tfmot's wrapper: its schedule and its mask arithmetic stay. What
tfmot does in every forward pass is gone: the write kernel <- kernel * mask (which all-reduces every
kernel under ``tf.distribute`` and rounds float32 weights under mixed precision), and the counting of
forward passes as training steps. The wrapped layer is a masked one instead (``layers``), and masks
are updated between the compiled steps, by ``mask_update``, from the global step.

What becomes of a masked weight. In stock tfmot it receives gradient and momentum and can return, at
the next update of the mask, with the magnitude of a single step. In the variable-scope tool of Gale
et al. 2019 it keeps the value it had when it was masked, and can return with that. Here it is set to
zero together with its momentum when it is masked; since its gradient is zero from then on, it stays
exactly zero: masks only shrink.
"""

import dataclasses
from collections.abc import Callable, Mapping

import gin
import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.python.core.sparsity.keras import (
    pruning_impl,
    pruning_schedule,
    pruning_wrapper,
)

from sparse_rigl_lands import checks
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.layers import MaskedConv2D, MaskedDense, masked_layer


@gin.configurable(module="sparse_rigl_lands")
@dataclasses.dataclass(frozen=True)
class PruningSchedule:
    """When masks are updated, and how sparse they are then (Zhu and Gupta 2017, arXiv 1710.01878).

    With s_f the target, at step t the sparsity is s_f (1 - (1 - (t - begin) / (end - begin))^power).
    Steps count from 1, as tfmot's do: the masks of step t are in force in its forward pass.

    Args:
      begin_step: the first step at which masks may be updated.
      end_step: the step of the last update, which reaches the target.
      frequency: steps between updates.
      power: of the polynomial.
    """

    begin_step: int
    end_step: int
    frequency: int
    power: float = 3.0

    def validate(self, training_steps: int) -> None:
        """Refuses a schedule that cannot reach its target.

        Raises:
          InputError: naming what is wrong.
        """
        checks.whole_number("PruningSchedule.begin_step", self.begin_step)
        checks.whole_number("PruningSchedule.end_step", self.end_step)
        checks.whole_number("PruningSchedule.frequency", self.frequency, least=1)
        checks.number("PruningSchedule.power", self.power, above=0)
        if not 0 <= self.begin_step < self.end_step:
            raise InputError(
                f"pruning begins at step {self.begin_step} and ends at {self.end_step}; "
                "needed is 0 <= begin_step < end_step"
            )
        if (self.end_step - self.begin_step) % self.frequency:
            last = self.end_step - (self.end_step - self.begin_step) % self.frequency
            raise InputError(
                f"pruning would stop short of its target: updates every {self.frequency} steps from "
                f"{self.begin_step} end at {last}, not at end_step {self.end_step}; "
                "make end_step - begin_step a multiple of frequency"
            )
        if self.end_step > training_steps:
            raise InputError(
                f"pruning ends at step {self.end_step}, but training at {training_steps}: the target would not be met"
            )

    def next_update(self, step: int) -> int | None:
        """The first step >= ``step`` at which masks are updated, if there is one."""
        following = max(step, self.begin_step)
        following += -(following - self.begin_step) % self.frequency
        return following if following <= self.end_step else None

    def towards(self, sparsity: float) -> pruning_schedule.PolynomialDecay:
        """tfmot's schedule from dense to a target."""
        return pruning_schedule.PolynomialDecay(
            0.0, sparsity, self.begin_step, self.end_step, self.power, self.frequency
        )


class _ExactPruning(pruning_impl.Pruning):
    """tfmot's pruning, with ties broken.

    tfmot keeps every weight whose magnitude reaches the threshold. Float32 magnitudes do tie (about
    one update in ten of a kernel of 2.4 million), and then too many are kept. Here exactly the k
    largest are, of equal ones the first in memory.
    """

    def _update_mask(self, weights: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        sparsity = self._pruning_schedule(self._step_fn())[1]
        magnitudes = tf.reshape(tf.abs(weights), [-1])
        size = tf.size(magnitudes)
        kept = tf.cast(tf.round(tf.cast(size, tf.float32) * (1.0 - sparsity)), tf.int32)  # distributions.kept_weights
        values, order = tf.math.top_k(magnitudes, k=size)  # of equal elements the lower index comes first
        ranked = tf.cast(tf.range(size) < kept, weights.dtype)
        mask = tf.scatter_nd(order[:, tf.newaxis], ranked, [size])
        return values[kept - 1], tf.reshape(mask, tf.shape(weights))


class PruneLowMagnitude(pruning_wrapper.PruneLowMagnitude):
    """tfmot's wrapper around a masked layer; its forward pass is the layer's, and nothing else."""

    def __init__(self, layer: MaskedConv2D | MaskedDense, pruning_schedule: pruning_schedule.PolynomialDecay):
        layer.get_prunable_weights = lambda: [layer.kernel]  # how tfmot asks a custom layer
        # The wrapper's own policy decides what the layer computes in: tfmot calls its ``call`` directly.
        super().__init__(layer, pruning_schedule, dtype=layer.dtype_policy)

    def build(self, input_shape: tf.TensorShape) -> None:
        tf_keras.layers.Wrapper.build(self, input_shape)
        threshold, self.pruning_step = (
            self.add_weight(
                name,
                shape=[],
                dtype=dtype,
                initializer="zeros",
                trainable=False,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
            for name, dtype in (("threshold", tf.float32), ("pruning_step", tf.int64))
        )
        self.pruning_vars = [(self.layer.kernel, self.layer.mask, threshold)]
        self.pruning_obj = _ExactPruning(
            lambda: self.pruning_step,
            self.pruning_vars,
            self.pruning_schedule,
            self.block_size,
            self.block_pooling_type,
        )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """The layer with kernel * mask for a kernel."""
        return self.layer.call(inputs)

    def update_mask(self, step: tf.Tensor, momentum: tf.Variable) -> None:
        """Updates the mask for a step, and sets what it masks, with its momentum, to zero."""
        self.pruning_step.assign(step)
        self.pruning_obj.conditional_mask_update()
        ((kernel, mask, _),) = self.pruning_vars
        live = mask > 0
        for variable in (kernel, momentum):
            variable.assign(tf.where(live, variable, tf.zeros_like(variable)))


def pruned_variant(
    network: tf_keras.Model, sparsities: Mapping[str, float], schedule: PruningSchedule
) -> tf_keras.Model:
    """A network whose kernels are pruned as it is trained.

    Args:
      network: a plain functional model.
      sparsities: kernel name to target; a kernel with target 0 is left unwrapped and dense.
      schedule: when.

    Raises:
      InputError: a layer with weights that are not understood.
    """

    def wrap(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer | None:
        target = sparsities.get(f"{layer.name}/kernel", 0.0)
        if target == 0.0:
            return None
        return PruneLowMagnitude(masked_layer(layer), schedule.towards(target))

    return variants.clone(network, wrap)


def scheduled_sparsity(model: tf_keras.Model, step: int) -> dict[str, float]:
    """What the schedule has for every kernel of a pruned variant at a step, counted from 1; none in other variants.

    Between two updates the masks are behind it.
    """
    wrappers = [layer for layer in model.layers if isinstance(layer, PruneLowMagnitude)]
    now = tf.constant(step, tf.int64)
    return {f"{each.layer.name}/kernel": float(each.pruning_schedule(now)[1]) for each in wrappers}


def mask_update(model: tf_keras.Model, momentum: Mapping[str, tf.Variable]) -> Callable[[int], None]:
    """Compiles the update of all masks of a pruned variant.

    Args:
      model: of ``pruned_variant``.
      momentum: the optimizer's momentum by weight name.

    Returns:
      A function of the training step about to be taken, counted from 1, which does nothing where
      the schedule has no update. Call it between compiled steps and in the strategy's scope, that
      is, in cross-replica context: every replica is given the same values, without a collective.
    """
    # AutoGraph would find nothing to convert, and take a second of a processor to read tfmot.
    compiled = tf.function(lambda step: update_masks(model, momentum, step), autograph=False)
    return lambda step: compiled(tf.constant(step, tf.int64))


def update_masks(model: tf_keras.Model, momentum: Mapping[str, tf.Variable], step: tf.Tensor) -> None:
    """The update of all masks for a step, one compiled function for all steps, see ``mask_update``.

    Args:
      model, momentum: see there.
      step: int64 [], the training step about to be taken, counted from 1.
    """
    for layer in model.layers:
        if isinstance(layer, PruneLowMagnitude):
            layer.update_mask(step, momentum[f"{layer.layer.name}/kernel"])
