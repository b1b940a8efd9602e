"""How sparsity is distributed over the kernels of a network: pure functions of their shapes."""

import difflib
from collections.abc import Mapping

import gin
import numpy as np

from sparse_rigl_lands.errors import InputError

Shapes = Mapping[str, tuple[int, ...]]


def kept_weights(size: int, sparsity: float) -> int:
    """How many of ``size`` weights are kept at a sparsity: round(size * (1 - sparsity)).

    In float32 and with halves rounded to even, as ``tfmot``'s ``PruneLowMagnitude`` computes it,
    so that "the target" means the same count to it and to us.
    """
    return int(np.round(np.float32(size) * (np.float32(1) - np.float32(sparsity))))


@gin.configurable(module="sparse_rigl_lands")
def uniform(shapes: Shapes, sparsity: float, at_most: Mapping[str, float] | None = None) -> dict[str, float]:
    """The same sparsity for every kernel, but for those that are capped.

    Args:
      shapes: the kernels' shapes by name, such as ``{"stem/conv/kernel": (7, 7, 3, 64)}``.
      sparsity: the fraction of zeros, in [0, 1).
      at_most: kernel name to the largest sparsity it may have; 0 keeps a kernel dense.

    Returns:
      The sparsity of each kernel, by name, in the order of ``shapes``.

    Raises:
      InputError: a sparsity outside [0, 1), a capped kernel that does not exist, or a kernel
        that would be left without any weight.
    """
    caps = dict(at_most or {})
    for name, value in {"the sparsity": sparsity, **caps}.items():
        if not 0.0 <= value < 1.0:
            raise InputError(f"{name} is {value}; a sparsity lies in [0, 1)")
    for name in caps.keys() - shapes.keys():
        close = difflib.get_close_matches(name, list(shapes), n=3, cutoff=0.5)
        raise InputError(f"uniform.at_most names {name}, which the network does not have; close names: {close}")
    sparsities = {name: min(sparsity, caps.get(name, sparsity)) for name in shapes}
    for name, value in sparsities.items():
        size = int(np.prod(shapes[name]))
        if kept_weights(size, value) == 0:
            raise InputError(f"sparsity {value} leaves none of the {size} weights of {name}; cap it in uniform.at_most")
    return sparsities
