"""The cost of fitting a curve: one fitting step against one plain dense training step.

    python -m benchmarks.curve_fit

The limit is the plain dense step of the same network, batch and precision: at most 1.10 of it for a quadratic and 1.15
for a cubic Bezier curve on ResNet-50 at 224, 1.5 on digits. What a user would pick instead is the same loss with a
gradient of its own for every control point, as in dnn-mode-connectivity.
"""

import functools
import sys
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tf_keras

from benchmarks import fits, measure, steps
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.networks.resnet50 import resnet50
from sparse_rigl_lands.paths.curve_trainer import CurveTrainer
from sparse_rigl_lands.paths.curves import Bezier
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.training.trainer import Trainer


class _EveryControlPoint(CurveTrainer):
    """The gradient with respect to every inner control point, through the combination of the weights."""

    def _replica_step(self, images: tf.Tensor, labels: tf.Tensor, of_step: tf.Tensor) -> tf.Tensor:
        trained = self._trained
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(list(trained.values()))
            weights = self._weights(of_step)
            losses = self._objective.smoothed_cross_entropy(labels, self._logits(images, weights, of_step))
            loss = tf.reduce_mean(losses) + self._objective.l2(weights)
        gradients = tape.gradient(loss, list(trained.values()))
        for k, name in enumerate(trained):
            live = self._live.get(name.partition("/")[2])
            if live is not None:
                gradients[k] = tf.where(live, gradients[k], 0.0)
        self._optimizer.apply_gradients(zip(gradients, trained.values(), strict=True))
        return tf.stack([tf.reduce_mean(losses), 0.0, 0.0])


def _measure(
    network: tf_keras.Model, precision: str, batch_size: int, count: int, rounds: int, limits: Mapping[int, float]
) -> list[dict[str, Any]]:
    """Times steps.

    Args:
      network: to train.
      precision: a Keras dtype policy.
      batch_size: images per step.
      count: steps per timed call.
      rounds: timed calls of each.
      limits: by degree, the largest ratio of a fitting step to the dense one.

    Returns:
      A row per degree, of the sparse manifold, which has a mask to heed besides.
    """
    network = variants.with_precision(network, precision)
    _, mask = steps.sparse(network)
    trainers: dict[str, Trainer] = {"dense": fits.dense(network, batch_size)}
    for degree in limits:
        trainers[f"fit {degree}"] = fits.fit(network, degree, mask, batch_size)
        trainers[f"every control point {degree}"] = fits.fit(network, degree, mask, batch_size, _EveryControlPoint)
    seconds = steps.seconds_of_a_step(trainers, network, batch_size, count, rounds)
    return [
        {
            "network": f"{network.name}, {precision}, batch {batch_size}",
            "dense_ms": seconds["dense"] * 1e3,
            "curve": Bezier(degree).title,
            "ms": seconds[f"fit {degree}"] * 1e3,
            "ratio": seconds[f"fit {degree}"] / seconds["dense"],
            "limit": limit,
            "instead": "a gradient per control point",
            "its_ratio": seconds[f"every control point {degree}"] / seconds["dense"],
        }
        for degree, limit in limits.items()
    ]


def main() -> None:
    measured = functools.partial(_measure, count=1, rounds=9, batch_size=16, limits={2: 1.10, 3: 1.15})
    rows = [
        *_measure(digits_resnet(), "float32", 128, count=20, rounds=31, limits={2: 1.5, 3: 1.5}),
        *measured(resnet50(), "float32"),
        *measured(resnet50(), "mixed_bfloat16"),
    ]
    sys.exit(not measure.report("curve_fit", rows))


if __name__ == "__main__":
    main()
