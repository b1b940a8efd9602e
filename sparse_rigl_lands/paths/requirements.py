"""What settings, points and images of a path must fulfil together: refused in one line, before anything is written."""

from collections.abc import Sequence

import tensorflow as tf
import tf_keras

from sparse_rigl_lands import checks
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.evaluator import BatchNorm
from sparse_rigl_lands.paths.fitting import Fitting
from sparse_rigl_lands.paths.losses import Unit
from sparse_rigl_lands.points.point import Point


def check_dtype(examples: tf.data.Dataset, network: tf_keras.Model) -> None:
    """Refuses floats for a network of integers, to which Keras would cut them without a word."""
    given, taken = examples.element_spec[0].dtype, network.inputs[0].dtype
    if taken.is_integer and not given.is_integer:
        raise InputError(f"the images are {given.name}, but the network takes {taken.name}, pixel values")


def check_statistics(batch_norm: BatchNorm, points: Sequence[Point], fitting: Fitting | None = None) -> None:
    """Refuses stored statistics where control points, or those they are about to become, have none of their own."""
    if batch_norm == "stored" and (
        not all(point.has_statistics_of_its_own for point in points) or (fitting and points[0].statistics)
    ):
        raise InputError(
            "batch_norm is 'stored', but control points that are fitted have no moving statistics; "
            "there are batch and recalibrated"
        )


def check_workloads(points: Sequence[Point]) -> None:
    """Refuses points of different workloads: the start, those between, the end."""
    start, *others = (point.origin.workload for point in points)
    for name, other in zip([*["a control point"] * (len(others) - 1), "the end"], others, strict=True):
        if other != start:
            raise InputError(f"the start is of workload {start}, {name} of {other}")


def check_range(t_range: tuple[float, float], extrapolate: bool) -> None:
    """Refuses a first t that is not below the last, and what lies outside [0, 1] unless it was asked for."""
    checks.each("interpolate.t_range", t_range, checks.number)
    if len(t_range) != 2:
        raise InputError(f"interpolate.t_range is {t_range!r}; it must be two numbers")
    first, last = t_range
    if first >= last:
        raise InputError(f"interpolate.t_range is {t_range!r}; the first t must be below the last")
    if (first < 0 or last > 1) and not extrapolate:
        raise InputError(
            f"interpolate.t_range is {t_range!r}; outside [0, 1] a path is evaluated with interpolate.extrapolate=True"
        )


def check_images(images: int, available: int, unit: Unit, batch_size: int, for_gradients: int) -> None:
    """Refuses what the images there are cannot answer."""
    if batch_size > available:
        raise InputError(f"interpolate.batch_size is {batch_size}, but there are {available} training images")
    if images <= (batch_size if unit == "batch" else 1):
        raise InputError(
            f"{images} images in batches of {batch_size} are one {unit} by itself, and an error takes two that are "
            "independent: with batch statistics, two batches"
        )
    if for_gradients > available:
        raise InputError(f"interpolate.gradient_batches asks for {for_gradients} of {available} training images")
