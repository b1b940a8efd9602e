"""Masks drawn at random, with exact counts."""

import math
from collections.abc import Mapping

import numpy as np

from sparse_rigl_lands import seeds
from sparse_rigl_lands.sparsity.distributions import Shapes
from sparse_rigl_lands.sparsity.mask import Mask


def random(shapes: Shapes, sparsities: Mapping[str, float], seed: int, purpose: str) -> Mask:
    """A mask of floor(s * N) zeros in every kernel of N weights, all such masks alike probable.

    Args:
      shapes: the kernels' shapes by name.
      sparsities: kernel name to s, in [0, 1]; a kernel that is not named is dense.
      seed: of the run.
      purpose: what the mask is for. The draw of a kernel is keyed by (seed, purpose, its name).
    """
    arrays = {}
    for name, sparsity in sparsities.items():
        live = np.ones(shapes[name], bool)
        zeros = math.floor(sparsity * live.size)
        live.flat[_shuffle(live.size, seed, f"{purpose}/{name}")[:zeros]] = False
        arrays[name] = live
    return Mask(arrays)


def shuffled(mask: Mask, seed: int, purpose: str) -> Mask:
    """The mask with the entries of every kernel shuffled: as many are live, at other places.

    Args:
      mask: to shuffle.
      seed, purpose: see ``random``.
    """
    return Mask(
        {
            name: live.ravel()[_shuffle(live.size, seed, f"{purpose}/{name}")].reshape(live.shape)
            for name, live in mask.arrays.items()
        }
    )


def _shuffle(size: int, seed: int, purpose: str) -> np.ndarray:
    """A permutation of range(size), of bits that NumPy guarantees to stay the same over its versions."""
    bits = np.random.Philox(key=seeds.key(seed, purpose)).random_raw(size)
    return np.argsort(bits, kind="stable")
