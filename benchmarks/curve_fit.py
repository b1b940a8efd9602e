"""The cost of fitting a curve: one fitting step against one plain dense training step, and the memory of a fit.

    python -m benchmarks.curve_fit

The limit is the plain dense step of the same network, batch and precision: at most 1.10 of it for a quadratic and 1.15
for a cubic Bezier curve on ResNet-50 at 224, 1.5 on digits. What a user would pick instead is the same loss with a
gradient of its own for every control point, as in dnn-mode-connectivity. Memory: every inner control point may add
itself and its momentum; a step holds more (see the README), so this limit is not met.
"""

import functools
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from benchmarks import measure
from sparse_rigl_lands import distribution
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.networks.resnet50 import resnet50
from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.paths.curve_trainer import CurveTrainer
from sparse_rigl_lands.paths.curves import Bezier
from sparse_rigl_lands.paths.draws import uniform
from sparse_rigl_lands.sparsity import random_masks, variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.training.network_trainer import NetworkTrainer
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.trainer import Trainer

_SPARSITY = 0.8
_OBJECTIVE = Objective(1e-4, 0.1)
_DEGREES = (2, 3, 6)  # of the fits whose memory is measured
_MOST_PER_POINT = 1.25  # of a control point and its momentum; the allocator's rounding is part of what is seen


class _EveryControlPoint(CurveTrainer):
    """The gradient with respect to every inner control point, from weights combined in the layers."""

    def _replica_step(self, images: tf.Tensor, labels: tf.Tensor, of_step: tf.Tensor) -> tf.Tensor:
        trained = self._trained
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(list(trained.values()))
            logits = self._network(images, of_step, "batch")
            losses = self._objective.smoothed_cross_entropy(labels, logits)
            loss = tf.reduce_mean(losses) + self._objective.l2(self._network.weights(of_step))
        gradients = tape.gradient(loss, list(trained.values()))
        for k, name in enumerate(trained):
            live = self._live.get(name.partition("/")[2])
            if live is not None:
                gradients[k] = tf.where(live, gradients[k], 0.0)
        self._optimizer.apply_gradients(zip(gradients, trained.values(), strict=True))
        return tf.stack([tf.reduce_mean(losses), 0.0, 0.0])


def _optimizer() -> tf_keras.optimizers.SGD:
    return tf_keras.optimizers.SGD(1e-3, 0.9, nesterov=True)


def _fit(kind: type[CurveTrainer], network: tf_keras.Model, degree: int, mask: Mask, batch_size: int) -> CurveTrainer:
    """A fit from random control points, which are made one array at a time."""
    strategy, curve = distribution.strategy(), Bezier(degree)
    with strategy.scope():
        on_curve, optimizer = CurveNetwork(network, curve.num_control_points), _optimizer()
    random = np.random.default_rng(0)
    for name, thetas in on_curve.control_points().items():
        for theta in thetas:
            value = random.normal(scale=0.05, size=theta.shape)
            theta.assign(np.where(mask.arrays.get(name, True), value, 0.0) + name.endswith("/gamma"))
    return kind(on_curve, curve, mask, uniform(0), _OBJECTIVE, optimizer, batch_size, strategy)


def _steps(trainer: Trainer, network: tf_keras.Model, batch_size: int, count: int) -> Callable[[], object]:
    random = np.random.default_rng(0)
    images = random.normal(size=(batch_size, *network.input_shape[1:])).astype("float32")
    labels = random.integers(network.output_shape[-1], size=batch_size, dtype="int32")
    dataset = tf.data.Dataset.from_tensors((images, labels)).repeat()
    batches = iter(trainer.strategy.experimental_distribute_dataset(dataset))
    return lambda: trainer.take_steps(batches, count)


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
    strategy, network = distribution.strategy(), variants.with_precision(network, precision)
    shapes = variants.kernel_shapes(network)
    mask = random_masks.random(shapes, dict.fromkeys(shapes, _SPARSITY), 0, "benchmark")
    with strategy.scope():
        dense = NetworkTrainer(tf_keras.models.clone_model(network), _OBJECTIVE, _optimizer(), batch_size, strategy)
    trainers: dict[str, Trainer] = {"dense": dense}
    for degree in limits:
        trainers[f"fit {degree}"] = _fit(CurveTrainer, network, degree, mask, batch_size)
        trainers[f"every control point {degree}"] = _fit(_EveryControlPoint, network, degree, mask, batch_size)
    calls = {name: _steps(trainer, network, batch_size, count) for name, trainer in trainers.items()}
    seconds = {name: value / count for name, value in measure.interleaved_medians(calls, rounds).items()}
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


def _peak_of_fit(degree: int) -> None:
    """Prints the peak resident memory of a process that takes three steps of a fit, in MB."""
    network = resnet50()
    take_steps = _steps(_fit(CurveTrainer, network, degree, Mask({}), 4), network, 4, 3)
    take_steps()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _measure_memory() -> list[dict[str, Any]]:
    peaks = {}
    for degree in _DEGREES:
        command = [sys.executable, "-m", "benchmarks.curve_fit", str(degree)]
        process = subprocess.run(command, check=True, capture_output=True, text=True)
        peaks[degree] = float(process.stdout.split()[-1])
    named = variants.named_variables(resnet50())
    sizes = ({**named.weights, **named.statistics}, named.weights)  # the control point, and its momentum
    expected = sum(4 * int(np.prod(v.shape)) for group in sizes for v in group.values()) / 2**20
    least, *more = _DEGREES
    return [
        {
            "fit": Bezier(degree).title,
            "peak_mb": peaks[degree],
            "mb_per_point": (per_point := (peaks[degree] - peaks[least]) / (degree - least)),
            "expected_mb": expected,
            "ratio": per_point / expected,
            "limit": _MOST_PER_POINT,
        }
        for degree in more
    ]


def main() -> None:
    if len(sys.argv) > 1:
        _peak_of_fit(int(sys.argv[1]))
        return
    memory = _measure_memory()  # first: a process that is started counts the peak of its parent as its own
    measured = functools.partial(_measure, count=1, rounds=9, batch_size=16, limits={2: 1.10, 3: 1.15})
    rows = [
        *_measure(digits_resnet(), "float32", 128, count=20, rounds=31, limits={2: 1.5, 3: 1.5}),
        *measured(resnet50(), "float32"),
        *measured(resnet50(), "mixed_bfloat16"),
    ]
    measure.report("curve_fit", rows)
    measure.report("curve_fit_memory", memory)


if __name__ == "__main__":
    main()
