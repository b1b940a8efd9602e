"""How sparsity is distributed over the kernels of a network: pure functions of their shapes.

Each returns the sparsity of every kernel by name, in the order of the shapes.
"""

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import gin
import numpy as np

from sparse_rigl_lands import checks
from sparse_rigl_lands.errors import InputError

Shapes = Mapping[str, tuple[int, ...]]
Distribution = Callable[[Shapes], dict[str, float]]


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

    Raises:
      InputError: a sparsity outside [0, 1), or a capped kernel that does not exist.
    """
    _check_sparsity("uniform.sparsity", sparsity)
    checks.mapping("uniform.at_most", at_most, others=(None,))
    caps = dict(at_most or {})
    _check_sparsities("uniform.at_most", caps, shapes)
    return {name: min(sparsity, caps.get(name, sparsity)) for name in shapes}


@gin.configurable(module="sparse_rigl_lands")
def erdos_renyi_kernel(
    shapes: Shapes, sparsity: float, dense: Sequence[str] = (), power: float = 1.0
) -> dict[str, float]:
    """Erdos-Renyi-Kernel: the larger a kernel, the sparser, for a sparsity of all kernels together.

    The density of kernel l is e * r_l with r_l = (sum of its shape / product of its shape)^power.
    e meets the budget (1 - sparsity) * N over the N weights of all kernels; while that gives some
    kernel a density above 1, all kernels of the largest r become dense and e is solved again.
    Source: Evci et al. 2020 (arXiv 1911.11134), after Mocanu et al. 2018 (arXiv 1707.04780).

    Args:
      shapes: the kernels' shapes by name.
      sparsity: of all kernels together, in [0, 1).
      dense: kernels that stay dense; the others make up for them.
      power: finite, not negative; 0 gives every kernel that is not dense the same sparsity.

    Raises:
      InputError: a sparsity outside [0, 1), an impossible power, a kernel that does not exist, or a
        budget that the dense kernels use up.
    """
    _check_sparsity("erdos_renyi_kernel.sparsity", sparsity)
    checks.number("erdos_renyi_kernel.power", power, least=0)
    checks.listed("erdos_renyi_kernel.dense", dense)
    _check_names("erdos_renyi_kernel.dense", dense, shapes)
    sizes = {name: math.prod(shape) for name, shape in shapes.items()}
    log_ratio = {name: math.log(sum(shape) / sizes[name]) for name, shape in shapes.items()}
    budget = (1 - sparsity) * sum(sizes.values())
    whole = set(dense)
    while True:
        sparse = [name for name in shapes if name not in whole]
        left = budget - sum(sizes[name] for name in whole)
        if sparse and left <= 0:
            raise InputError(
                f"a sparsity of {sparsity} cannot be met: it leaves {budget:.0f} weights, and the kernels of "
                f"erdos_renyi_kernel.dense alone have {budget - left:.0f}"
            )
        if not sparse:
            if sparsity > 0:
                raise InputError(f"a sparsity of {sparsity} cannot be met: every kernel is to stay dense")
            return dict.fromkeys(shapes, 0.0)
        largest = max(log_ratio[name] for name in sparse)
        ratio = {name: math.exp(power * (log_ratio[name] - largest)) for name in sparse}  # r_l / max r, which cancels
        epsilon = left / sum(ratio[name] * sizes[name] for name in sparse)
        if epsilon <= 1:
            return {name: 0.0 if name in whole else 1 - epsilon * ratio[name] for name in shapes}
        whole |= {name for name in sparse if log_ratio[name] == largest}


@gin.configurable(module="sparse_rigl_lands")
def per_layer(shapes: Shapes, sparsities: Mapping[str, float], default: float = 0.0) -> dict[str, float]:
    """Every kernel's own sparsity.

    Args:
      shapes: the kernels' shapes by name.
      sparsities: kernel name to its sparsity, in [0, 1).
      default: of the kernels that are not named.

    Raises:
      InputError: a sparsity outside [0, 1), or a kernel that does not exist.
    """
    _check_sparsity("per_layer.default", default)
    checks.mapping("per_layer.sparsities", sparsities)
    _check_sparsities("per_layer.sparsities", sparsities, shapes)
    return {name: sparsities.get(name, default) for name in shapes}


def check_not_empty(kept: Mapping[str, int], shapes: Shapes) -> None:
    """Refuses a kernel that is left without any weight.

    Args:
      kept: how many weights each kernel keeps, by name.
      shapes: the kernels' shapes by name.

    Raises:
      InputError: naming the kernels.
    """
    empty = [f"{name} (of {math.prod(shapes[name]):,})" for name, count in kept.items() if count == 0]
    if empty:
        more = f" and {len(empty) - 3} more" if len(empty) > 3 else ""
        raise InputError(f"no weight is left in {', '.join(empty[:3])}{more}: give it a lower sparsity")


def _check_sparsity(setting: str, sparsity: float) -> None:
    checks.number(setting, sparsity, least=0, below=1)


def _check_sparsities(setting: str, sparsities: Mapping[str, float], shapes: Shapes) -> None:
    for name, sparsity in sparsities.items():
        _check_sparsity(f"{setting}[{name!r}]", sparsity)
    _check_names(setting, sparsities, shapes)


def _check_names(setting: str, names: Iterable[str], shapes: Shapes) -> None:
    for name in names:
        if name not in list(shapes):
            close = difflib.get_close_matches(str(name), list(shapes), n=3, cutoff=0.5)
            raise InputError(f"{setting} names {name}, which the network does not have; close names: {close}")
