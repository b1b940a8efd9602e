"""The mask of a network: which of its weights exist."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from sparse_rigl_lands.errors import InputError


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

    def apply(self, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The weights with every masked entry exactly zero.

        Raises:
          InputError: a masked kernel is missing, or has another shape.
        """
        for name, array in self.arrays.items():
            if name not in weights:
                raise InputError(f"the mask names {name}, which is not among the weights")
            if weights[name].shape != array.shape:
                raise InputError(f"the mask of {name} has shape {array.shape}, the weight {weights[name].shape}")
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
