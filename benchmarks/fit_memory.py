"""The memory of fitting a curve: an inner control point may add itself and its momentum.

    python -m benchmarks.fit_memory

Takes steps of a fit of degree 2 and of degree 10 on ResNet-50 at 224, each in a process of its own, and reports the
peak resident memory of each beside that of plain dense training. TensorFlow's own record of a control point's variables
and operations is told apart: it is what one adds to a network of the same layers that is eight times as narrow.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import tf_keras

from benchmarks import fits, measure, steps
from sparse_rigl_lands.networks.resnet50 import resnet50
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask

_DEGREES = (2, 10)
_BATCH = 4
_STEPS = 3
_MOST_PER_POINT = 1.25  # of a control point and its momentum; the allocator's rounding is part of what is seen
_NARROWED = 8


def _narrow_resnet50() -> tf_keras.Model:
    """The same layers, and so the same operations, with an eighth of the filters."""

    def narrow(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        config = layer.get_config()
        if isinstance(layer, tf_keras.layers.Conv2D):
            config["filters"] //= _NARROWED
        return type(layer).from_config(config)

    return tf_keras.models.clone_model(resnet50(), clone_function=narrow)


def _take_steps(made: Callable[[], tf_keras.Model], degree: int | None) -> None:
    """Of a fit of that degree, or of dense training."""
    network = made()
    trainer = fits.fit(network, degree, Mask({}), _BATCH) if degree else fits.dense(network, _BATCH)
    steps.taken_by(trainer, network, _BATCH, _STEPS)()


def _added_by_point(of_degrees: list[float]) -> float:
    """MB, from the peaks of the fits."""
    (least, most), (low, high) = _DEGREES, of_degrees
    return (high - low) / (most - least)


def _mb_of_control_point(network: tf_keras.Model) -> float:
    """Of its weights, their momentum, and its statistics."""
    named = variants.named_variables(network)
    variables = [*named.weights.values(), *named.weights.values(), *named.statistics.values()]
    return sum(4 * int(np.prod(variable.shape)) for variable in variables) / 2**20


def main() -> None:
    peaks, narrow_peaks = (
        [measure.peak_memory(_take_steps, made, degree) for degree in _DEGREES] for made in (resnet50, _narrow_resnet50)
    )
    added, narrow_added = _added_by_point(peaks), _added_by_point(narrow_peaks)
    expected, narrow_expected = _mb_of_control_point(resnet50()), _mb_of_control_point(_narrow_resnet50())
    row: dict[str, Any] = {
        "network": f"resnet50, float32, batch {_BATCH}",
        "dense_mb": measure.peak_memory(_take_steps, resnet50, None),
        **{f"degree_{degree}_mb": value for degree, value in zip(_DEGREES, peaks, strict=True)},
        "mb_per_point": added,
        "record_mb": narrow_added - narrow_expected,
        "expected_mb": expected,
        "ratio": (added - narrow_added) / (expected - narrow_expected),
        "at_least": 0.9,  # or something else was measured
        "limit": _MOST_PER_POINT,
    }
    sys.exit(not measure.report("fit_memory", [row]))


if __name__ == "__main__":
    main()
