"""What is refused of the settings of a path, each in one line, before anything is written."""

import math
from collections.abc import Sequence
from typing import Any, get_args

import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.curves import Curve
from sparse_rigl_lands.paths.evaluator import BatchNorm
from sparse_rigl_lands.paths.fitting import Fitting
from sparse_rigl_lands.paths.losses import Unit
from sparse_rigl_lands.points.point import Point


def check_batch_norm(batch_norm: BatchNorm) -> None:
    """Refuses an unknown choice."""
    if batch_norm not in get_args(BatchNorm):
        raise InputError(f"batch_norm is {batch_norm!r}; known are {', '.join(get_args(BatchNorm))}")


def check_dtype(examples: tf.data.Dataset, network: tf_keras.Model) -> None:
    """Refuses floats for a network of integers, to which Keras would cut them without a word."""
    given, taken = examples.element_spec[0].dtype, network.inputs[0].dtype
    if taken.is_integer and not given.is_integer:
        raise InputError(f"the images are {given.name}, but the network takes {taken.name}, pixel values")


def check_curve(curve: Curve | None, control_points: Sequence[str], fitting: Fitting | None) -> None:
    """Refuses what is no curve, no list of checkpoints or no fitting."""
    kinds = {"curve": (curve, Curve, "@Bezier()"), "fitting": (fitting, Fitting, "@Fitting()")}
    for name, (value, kind, example) in kinds.items():
        if value is not None and not isinstance(value, kind):
            raise InputError(f"interpolate.{name} is {value!r}, not a {kind.__name__}: in a gin file, {example}")
    if not isinstance(control_points, tuple | list) or not all(isinstance(name, str) for name in control_points):
        raise InputError(f"interpolate.control_points is {control_points!r}; it must be a list of checkpoints")


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


def check_numbers(of: str, **numbers: tuple[Any, float]) -> None:
    """Refuses what is not a whole number of at least so much: (value, least) by name, of whose settings."""
    for name, (value, least) in numbers.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            needed = "a whole number" if least == -math.inf else f"a whole number of at least {least}"
            raise InputError(f"{of}.{name} is {value!r}; it must be {needed}")


def check_flags(**flags: Any) -> None:
    """Refuses what is neither True nor False, by name."""
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise InputError(f"interpolate.{name} is {value!r}; it must be True or False")


def check_judgement(confidence: float, tolerance: float) -> None:
    """Refuses what ``statistics.judge`` makes no sense of."""
    if not isinstance(confidence, float) or not 0 < confidence < 1:
        raise InputError(f"interpolate.confidence is {confidence!r}; it lies in (0, 1)")
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 <= tolerance < math.inf:
        raise InputError(f"interpolate.tolerance is {tolerance!r}; it must be finite and not negative")


def check_range(t_range: tuple[float, float], extrapolate: bool) -> None:
    """Refuses a first t that is not below the last, and what lies outside [0, 1] unless it was asked for."""
    if not isinstance(t_range, tuple | list) or [type(t) in (int, float) for t in t_range] != [True, True]:
        raise InputError(f"interpolate.t_range is {t_range!r}; it must be two numbers")
    first, last = t_range
    if not -math.inf < first < last < math.inf:
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


def check_save_every(save_every: float) -> None:
    """Refuses what is no positive number of seconds."""
    if not isinstance(save_every, int | float) or not 0 < save_every < math.inf:
        raise InputError(f"interpolate.save_every is {save_every!r}; it must be a positive number of seconds")
