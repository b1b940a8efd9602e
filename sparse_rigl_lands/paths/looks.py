"""How many images a question needs: looks at a growing sample, with a budget for their errors.

The sample grows until the verdict is no longer undecided. Whoever looks several times is wrong more
often than at each look, so the looks share the error that is allowed.
"""

import math

from sparse_rigl_lands.errors import InputError


def looks(first: int, limit: int, growth: float = 2.0) -> tuple[int, ...]:
    """The sizes of the sample at which the verdict is looked at.

    Args:
      first: the size at the first look, at least 1.
      limit: the size of the full sample, at least 1; the last look.
      growth: the factor from one look to the next, above 1. Sizes are rounded up.

    Returns:
      Strictly increasing; only the limit if it is not above ``first``.

    Raises:
      InputError: a size below 1, or a growth that is not a finite number above 1.
    """
    for name, value in (("first look", first), ("last look", limit)):
        if value < 1:
            raise InputError(f"the {name} is at a sample of {value}; it must be at least 1")
    if not 1 < growth < math.inf:
        raise InputError(f"the growth of the sample from look to look is {growth}; it must be finite and above 1")
    sizes = []
    size = first
    while size < limit:
        sizes.append(size)
        size = max(math.ceil(size * growth), size + 1)
    return (*sizes, limit)


def confidence_of_each(confidence: float, num_looks: int) -> float:
    """The confidence of each look with which all of them hold together, by Bonferroni.

    It holds whichever look is the last, and whatever decides that: the chance that any of the planned
    looks errs is at most 1 - confidence.

    Args:
      confidence: of all looks together, in (0, 1).
      num_looks: how many are planned, whether they are made or not; at least 1.
    """
    return 1 - (1 - confidence) / num_looks
