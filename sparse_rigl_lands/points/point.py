"""A point of weight space: a frozen value, whatever variant of the network it came from."""

import dataclasses
import hashlib
import math
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a point came from.

    Args:
      workload: the data and the network, such as ``"digits"``.
      method: how it was trained, such as ``"pruned"``.
      seed: of the run.
      global_step: how many training steps led to it; 0 is an initialization.
      fitted: whether it is a control point of a fitted curve. Its moving statistics are then those of
        the points that the fit started from, and say nothing of its own weights.
    """

    workload: str
    method: str
    seed: int
    global_step: int
    fitted: bool = dataclasses.field(default=False, repr=False)

    def __str__(self) -> str:
        return f"{self.workload}-{self.method}-seed{self.seed}-step{self.global_step}"


@dataclasses.dataclass(frozen=True, eq=False)
class Point:
    """Weights, their mask and BatchNorm's moving statistics, by name. Compare points by ``digest``.

    Masked entries of the weights are exactly zero: constructing a point makes them so.

    Args:
      weights: float32 arrays such as ``stem/conv/kernel``, ``stem/norm/gamma``.
      mask: of the kernels that are sparse.
      statistics: float32 arrays such as ``stem/norm/moving_mean``.
      origin: where it came from.

    Raises:
      InputError: the mask does not fit the weights, or a value is not finite.
    """

    weights: Mapping[str, np.ndarray]
    mask: Mask
    statistics: Mapping[str, np.ndarray]
    origin: Origin

    def __post_init__(self) -> None:
        for name, value in {**self.weights, **self.statistics}.items():
            if not np.all(np.isfinite(value)):
                raise InputError(f"{name} holds a value that is not finite")
        object.__setattr__(self, "weights", self.mask.apply(self.weights))

    @property
    def has_statistics_of_its_own(self) -> bool:
        """Whether BatchNorm's moving statistics, if there are any, belong to these weights."""
        return not (self.statistics and self.origin.fitted)

    def digest(self) -> str:
        """A fingerprint of every name and value: 16 hexadecimal digits of a SHA-256."""
        sha = hashlib.sha256()
        for group in (self.weights, self.mask.arrays, self.statistics):
            for name in sorted(group):
                value = np.ascontiguousarray(group[name])
                sha.update(f"{name}{value.dtype.str}{value.shape}".encode())
                sha.update(value.tobytes())
        return sha.hexdigest()[:16]

    def distance(self, other: "Point") -> float:
        """The Euclidean distance to another point of the same network, over all weights, masked ones as zeros.

        BatchNorm's scales and offsets are weights; its moving statistics are not.
        """
        squares = (np.sum((value.astype("float64") - other.weights[name]) ** 2) for name, value in self.weights.items())
        return math.sqrt(sum(squares))

    def under(self, mask: Mask) -> "Point":
        """The same point with other weights masked."""
        return dataclasses.replace(self, mask=mask)


def point_of(model: tf_keras.Model, origin: Origin) -> Point:
    """Reads a point off any variant of a network.

    A distributed variable is read as its replicas agree on it: weights and masks are equal on all,
    moving statistics are averaged.
    """
    named = variants.named_variables(model)
    return Point(
        weights={name: variable.numpy() for name, variable in named.weights.items()},
        mask=Mask({name: variable.numpy() > 0 for name, variable in named.masks.items()}),
        statistics={name: variable.numpy() for name, variable in named.statistics.items()},
        origin=origin,
    )


def assign(model: tf_keras.Model, point: Point) -> None:
    """Gives a point's values to the variables of any variant of its network.

    A variant without masks takes the weights, whose masked entries are zero; a mask variable that
    the point says nothing of becomes all ones.

    Raises:
      InputError: names or shapes differ.
    """
    named = variants.named_variables(model)
    check_fit(point, {**named.weights, **named.statistics})
    for name, variable in named.weights.items():
        variable.assign(point.weights[name])
    for name, variable in named.statistics.items():
        variable.assign(point.statistics[name])
    for name, variable in named.masks.items():
        live = point.mask.arrays.get(name)
        variable.assign(np.ones(variable.shape, "float32") if live is None else live.astype("float32"))


def check_fit(point: Point, variables: Mapping[str, tf.Variable]) -> None:
    """Checks that a point has a value of the right shape for every variable of a network, and no other.

    Args:
      point: whose weights and statistics are checked.
      variables: by name.

    Raises:
      InputError: naming the first few that differ.
    """
    found = {**point.weights, **point.statistics}
    differences = [f"it lacks {name}" for name in variables if name not in found]
    differences += [f"the network lacks {name}" for name in found if name not in variables]
    differences += [
        f"{name} has shape {found[name].shape}, in the network {tuple(variable.shape)}"
        for name, variable in variables.items()
        if name in found and found[name].shape != tuple(variable.shape)
    ]
    if differences:
        more = f", and {len(differences) - 3} more" if len(differences) > 3 else ""
        raise InputError(f"{point.origin} is of another network: {', '.join(differences[:3])}{more}")
