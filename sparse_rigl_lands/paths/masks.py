"""Which weights exist along a path, where its ends may disagree."""

from typing import Literal, get_args

from sparse_rigl_lands import checks
from sparse_rigl_lands.points.point import Point
from sparse_rigl_lands.sparsity.mask import Mask

MaskRule = Literal["auto", "start", "end", "union", "none"]


def path_mask(start: Point, end: Point, rule: MaskRule) -> tuple[Mask, str]:
    """Chooses the mask under which both ends are put.

    Args:
      start, end: the ends.
      rule: ``"start"`` or ``"end"``: that end's mask; ``"union"``: live where either is;
        ``"none"``: the ends as they are; ``"auto"``: the common mask where the ends agree, and
        else the end's, so that a dense initialization becomes the masked one.

    Returns:
      The mask, and the rule that was used in the end, for the record: never ``"auto"``.

    Raises:
      InputError: an unknown rule.
    """
    checks.choice("mask", rule, get_args(MaskRule))
    if rule == "auto":
        return (end.mask, "common") if start.mask == end.mask else (end.mask, "end")
    masks = {"start": start.mask, "end": end.mask, "union": start.mask.union(end.mask), "none": Mask({})}
    return masks[rule], rule
