"""The cost of sparsity: one training step of the pruned and of the masked variant against a plain dense one.

    python -m benchmarks.train_step

The limit is the plain dense step: at most 1.05 of it on ResNet-50 at 224, 1.15 on digits. What a
user would pick instead is stock tfmot's wrapper for the pruned variant, and for the masked one
Keras' own kernel constraint, which multiplies every kernel by its mask after every step. Updates of
the pruned variant's masks are timed apart, and also given as their share of a step at the
schedule's frequency.
"""

import sys
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras

from benchmarks import measure, steps
from sparse_rigl_lands import distribution
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.networks.resnet50 import resnet50
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.sparsity.masked import masked_variant
from sparse_rigl_lands.sparsity.pruned import PruningSchedule, mask_update, pruned_variant
from sparse_rigl_lands.training.network_trainer import NetworkTrainer


def _stock_variant(network: tf_keras.Model, sparsities: dict[str, float], schedule: PruningSchedule) -> tf_keras.Model:
    def wrap(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer | None:
        target = sparsities.get(f"{layer.name}/kernel")
        if target is None:
            return None
        copy = type(layer).from_config(layer.get_config())
        return tfmot.sparsity.keras.prune_low_magnitude(copy, schedule.towards(target), dtype=layer.dtype_policy)

    model = variants.clone(network, wrap)
    for layer in model.layers:
        if hasattr(layer, "pruning_step"):
            layer.pruning_step.assign(schedule.end_step)  # past its updates: the plain cost of a step
    return model


class _StaysMasked(tf_keras.constraints.Constraint):
    def __init__(self, mask: np.ndarray):
        self._mask = tf.constant(mask, tf.float32)

    def __call__(self, weight: tf.Variable) -> tf.Tensor:
        return weight * self._mask


def _constrained_variant(network: tf_keras.Model, mask: Mask) -> tf_keras.Model:
    def constrain(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer | None:
        live = mask.arrays.get(f"{layer.name}/kernel")
        if live is None:
            return None
        return type(layer).from_config({**layer.get_config(), "kernel_constraint": _StaysMasked(live)})

    return variants.clone(network, constrain)


def _measure(
    network: tf_keras.Model, precision: str, batch_size: int, count: int, rounds: int, frequency: int, limit: float
) -> list[dict[str, Any]]:
    """Times single steps of the variants.

    Args:
      network: to train.
      precision: a Keras dtype policy.
      batch_size: images per step.
      count: steps per timed call.
      rounds: timed calls of each variant.
      frequency: steps between updates of the masks.
      limit: the largest ratio of a sparse step to the dense one.

    Returns:
      A row for the pruned variant, and one for the masked variant.
    """
    strategy = distribution.strategy()
    network = variants.with_precision(network, precision)
    sparsities, mask = steps.sparse(network)
    schedule = PruningSchedule(begin_step=0, end_step=frequency, frequency=frequency)
    with strategy.scope():
        models = {
            "dense": tf_keras.models.clone_model(network),
            "pruned": pruned_variant(network, sparsities, schedule),
            "stock tfmot": _stock_variant(network, sparsities, schedule),
            "masked": masked_variant(network, mask),
            "kernel constraint": _constrained_variant(network, mask),
        }
        trainers = {
            name: NetworkTrainer(model, steps.OBJECTIVE, tf_keras.optimizers.SGD(**steps.SGD), batch_size, strategy)
            for name, model in models.items()
        }
        update_masks = mask_update(models["pruned"], trainers["pruned"].momentum)
        update = measure.interleaved_medians({"update": lambda: update_masks(frequency)}, rounds=5)["update"]
    seconds = steps.seconds_of_a_step(trainers, network, batch_size, count, rounds)

    def row(variant: str, alternative: str, update: float) -> dict[str, Any]:
        return {
            "network": f"{network.name}, {precision}, batch {batch_size}",
            "dense_ms": seconds["dense"] * 1e3,
            "variant": variant,
            "ms": seconds[variant] * 1e3,
            "ratio": seconds[variant] / seconds["dense"],
            "limit": limit,
            "with_updates": (seconds[variant] + update / frequency) / seconds["dense"],
            "instead": alternative,
            "its_ratio": seconds[alternative] / seconds["dense"],
        }

    return [row("pruned", "stock tfmot", update), row("masked", "kernel constraint", 0.0)]


def main() -> None:
    rows = [
        *_measure(digits_resnet(), "float32", batch_size=128, count=20, rounds=31, frequency=10, limit=1.15),
        *_measure(resnet50(), "float32", batch_size=16, count=1, rounds=9, frequency=500, limit=1.05),
        *_measure(resnet50(), "mixed_bfloat16", batch_size=16, count=1, rounds=9, frequency=500, limit=1.05),
    ]
    sys.exit(not measure.report("train_step", rows))


if __name__ == "__main__":
    main()
