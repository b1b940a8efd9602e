"""The mask of a network: which of its weights exist."""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.sparsity.distributions import Shapes


@dataclasses.dataclass(frozen=True, eq=False)
class Mask:
    """Which weights of which kernels are live.

    A kernel that is not named is dense. One of which all weights are live is dense too, so it is
    not named either: there is one mask for one set of live weights, whatever variant it was read off.

    Args:
      arrays: kernel name to a boolean array of the kernel's shape, true where the weight is live.

    Raises:
      InputError: an array is not boolean.
    """

    arrays: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        for name, array in self.arrays.items():
            if array.dtype != np.bool_:
                raise InputError(f"the mask of {name} has dtype {array.dtype}; it must be bool")
        sparse = {name: array for name, array in self.arrays.items() if not array.all()}
        object.__setattr__(self, "arrays", sparse)

    def sparsity(self, name: str) -> float:
        """The fraction of zeros of one kernel, by its name."""
        array = self.arrays.get(name)
        return 0.0 if array is None else 1.0 - np.count_nonzero(array) / array.size

    def sparsity_of_all(self, shapes: Shapes) -> float:
        """The fraction of zeros in all kernels of a network together.

        Args:
          shapes: the shapes of all its kernels by name.
        """
        zeros = sum(int(np.count_nonzero(~array)) for array in self.arrays.values())
        return zeros / sum(math.prod(shape) for shape in shapes.values())

    def live_weights(self, shapes: Shapes) -> dict[str, int]:
        """How many weights of every kernel of a network are live, by name.

        Args:
          shapes: the shapes of all its kernels by name.
        """
        sizes = {name: math.prod(shape) for name, shape in shapes.items()}
        return {**sizes, **{name: int(np.count_nonzero(array)) for name, array in self.arrays.items()}}

    def empty_kernels(self) -> list[str]:
        """The names of the kernels without any live weight."""
        return [name for name, array in self.arrays.items() if not array.any()]

    def check_fit(self, shapes: Shapes) -> None:
        """Checks that every masked kernel is one of a network.

        Args:
          shapes: the shapes of all its kernels by name.

        Raises:
          InputError: a masked kernel is missing, or has another shape.
        """
        for name, array in self.arrays.items():
            if name not in shapes:
                raise InputError(f"the mask is of another network: it names {name}, which this one does not have")
            if shapes[name] != array.shape:
                raise InputError(
                    f"the mask is of another network: {name} has shape {array.shape}, in this one {shapes[name]}"
                )

    def overlap(self, other: "Mask") -> float:
        """How much two masks have in common: live weights of both over live weights of either.

        The Jaccard index, over the kernels that at least one of them masks, in [0, 1]; two masks that
        are the same have 1, also where both are empty.
        """
        both = either = 0
        for name in {**self.arrays, **other.arrays}:
            first, second = self.arrays.get(name, True), other.arrays.get(name, True)
            both += int(np.count_nonzero(np.logical_and(first, second)))
            either += int(np.count_nonzero(np.logical_or(first, second)))
        return both / either if either else 1.0

    def nonzero_outside(self, weights: Mapping[str, np.ndarray]) -> dict[str, int]:
        """How many weights are not zero though they are masked, of every kernel that has any, by name.

        Args:
          weights: by name, those of all masked kernels among them.

        Raises:
          InputError: the mask does not fit them.
        """
        self.check_fit({name: value.shape for name, value in weights.items()})
        counts = {name: int(np.count_nonzero(weights[name][~live])) for name, live in self.arrays.items()}
        return {name: count for name, count in counts.items() if count}

    def apply(self, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The weights with every masked entry exactly zero.

        Raises:
          InputError: the mask does not fit them.
        """
        self.check_fit({name: value.shape for name, value in weights.items()})
        # where, not a product: zero times a negative weight would be -0.0
        return {
            name: np.where(self.arrays[name], value, np.zeros((), value.dtype)) if name in self.arrays else value
            for name, value in weights.items()
        }

    def union(self, other: "Mask") -> "Mask":
        """Live where either is live; a kernel that only one of them masks is dense.

        Raises:
          InputError: the two give one kernel different shapes.
        """
        common = [name for name in self.arrays if name in other.arrays]
        for name in common:
            if self.arrays[name].shape != other.arrays[name].shape:
                raise InputError(f"two masks of {name} have different shapes")
        return Mask({name: self.arrays[name] | other.arrays[name] for name in common})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mask):
            return NotImplemented
        return self.arrays.keys() == other.arrays.keys() and all(
            np.array_equal(array, other.arrays[name]) for name, array in self.arrays.items()
        )
