"""What the benchmarks of a path's speed share: the ends of a path, and rows of what is compared.

Ratios are of speeds: the other's time over that of the path, per point and batch. Larger is better.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tf_keras

from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity.mask import Mask

# What bfloat16 rounds away of a loss near ln 1000; a network that computed something else would differ by more.
_AGREEMENT = {"float32": 1e-3, "mixed_bfloat16": 5e-2}
PRECISIONS = tuple(_AGREEMENT)

Ends = tuple[Point, Point]
Call = Callable[[], np.ndarray]


def row(
    what: str,
    precision: str,
    batch: int,
    compared_with: str,
    seconds: float,
    its_seconds: float,
    at_least: float | None = None,
) -> dict[str, Any]:
    """A row of the report; seconds per point and batch."""
    return {
        "what": what,
        "precision": precision,
        "batch": batch,
        "ms": seconds * 1e3,
        "compared_with": compared_with,
        "its_ms": its_seconds * 1e3,
        "ratio": its_seconds / seconds,
        "at_least": at_least,
    }


def ends(network: tf_keras.Model) -> Ends:
    """Two initializations, with moving statistics as after some training."""

    def end(seed: int) -> Point:
        initialization = initializations.dense(network, Origin("benchmark", "dense", seed, 0))
        random = np.random.default_rng(seed)
        statistics = {
            name: random.uniform(0.5, 1.5, array.shape).astype("float32") - name.endswith("/moving_mean")
            for name, array in initialization.statistics.items()
        }
        return Point(initialization.weights, Mask({}), statistics, initialization.origin)

    return end(0), end(1)


def check_agreement(mine: np.ndarray, others: np.ndarray, precision: str) -> None:
    """What is compared must compute the same."""
    np.testing.assert_allclose(mine, others, rtol=_AGREEMENT[precision])
