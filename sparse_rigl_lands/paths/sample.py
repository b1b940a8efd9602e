"""Which images a path is evaluated on, and how many."""

import dataclasses
import math
from typing import Literal

import gin

from sparse_rigl_lands import checks
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.looks import looks


@gin.configurable(module="sparse_rigl_lands")
@dataclasses.dataclass(frozen=True)
class Sample:
    """The first images of a dataset's order, which is a random one.

    Args:
      images: a number; ``"all"``; or ``"until_decided"``: so many that the verdict is not undecided,
        looked at when there are ``first`` and whenever they have grown by ``growth``.
      limit: the most that ``"until_decided"`` takes; None for all.
      first: images at its first look; more where they would be too few to tell an error from.
      growth: the factor from one look to the next. Many looks make the error allowed to each so small
        that the bounds become those of Bonferroni.

    Raises:
      InputError: a setting is out of range.
    """

    images: int | Literal["all", "until_decided"] = "all"
    limit: int | None = None
    first: int = 1024
    growth: float = 2.0

    def __post_init__(self) -> None:
        checks.whole_number("Sample.images", self.images, least=1, others=("all", "until_decided"))
        checks.whole_number("Sample.limit", self.limit, least=1, others=(None,))
        checks.whole_number("Sample.first", self.first, least=1)
        checks.number("Sample.growth", self.growth, above=1)

    def looks(self, available: int, fewest: int, global_batch: int) -> tuple[int, ...]:
        """The numbers of images at which the verdict is looked at; the last is the most.

        Args:
          available: how many there are.
          fewest: how many a first look needs.
          global_batch: all looks but the last are at the end of a whole batch of so many.

        Raises:
          InputError: more are asked for than there are, or a setting is out of range.
        """
        if self.images == "until_decided":
            limit = min(self.limit or available, available)
            first, last = (math.ceil(size / global_batch) for size in (max(self.first, fewest), limit))
            return tuple(min(batches * global_batch, limit) for batches in looks(first, last, self.growth))
        if self.images == "all":
            return (available,)
        if self.images > available:
            raise InputError(f"Sample.images is {self.images}; there are {available}")
        return (self.images,)
