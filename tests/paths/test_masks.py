"""Protects: which weights exist along a path."""

import numpy as np
import pytest

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.masks import path_mask
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity.mask import Mask


def _point(*live):
    return Point({"a": np.ones(3, "float32")}, Mask({"a": np.array(live)}), {}, Origin("w", "m", 0, 0))


START, END = _point(True, True, False), _point(True, False, False)


@pytest.mark.parametrize(
    ("rule", "mask"),
    [("start", START.mask), ("end", END.mask), ("union", START.mask), ("none", Mask({}))],
)
def test_named_rules(rule, mask):
    assert path_mask(START, END, rule) == (mask, rule)


def test_by_itself_it_takes_the_common_mask_and_else_the_ends():
    assert path_mask(END, END, "auto") == (END.mask, "common")
    assert path_mask(START, END, "auto") == (END.mask, "end")


def test_unknown_rule():
    with pytest.raises(InputError, match="^mask is 'both'; known are auto, start, end, union, none$"):
        path_mask(START, END, "both")
