"""Protects: the rule by which parts of a claim, and claims, are decided."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.studies.claim import Claim, Part

_BOUND = st.floats(-1, 1)


def _part(lower, upper, wanted="above", threshold=0.0):
    middle = (lower + upper) / 2
    return Part("a", (0,), middle, lower, upper, wanted, threshold, "nats", "images")


@given(bounds=st.lists(_BOUND, min_size=2, max_size=2).map(sorted), threshold=_BOUND)
def test_a_part_is_decided_where_both_bounds_lie_on_one_side(bounds, threshold):
    above, at_most = (_part(*bounds, wanted, threshold).verdict for wanted in ("above", "at most"))
    if bounds[0] > threshold:
        assert (above, at_most) == ("confirmed", "refuted")
    elif bounds[1] <= threshold:
        assert (above, at_most) == ("refuted", "confirmed")
    else:
        assert (above, at_most) == ("undecided", "undecided")


@pytest.mark.parametrize(
    ("parts", "missing", "verdict"),
    [
        ([(0.1, 0.2), (0.2, 0.3)], (), "confirmed"),
        ([(0.1, 0.2), (-0.2, 0.3)], (), "undecided"),
        ([(0.1, 0.2), (-0.2, 0.3), (-0.2, -0.1)], (), "refuted"),
        ([(0.1, 0.2)], ("another",), "undecided"),
        ([(-0.2, -0.1)], ("another",), "refuted"),
        ([], ("all",), "undecided"),
        ([], (), "undecided"),
    ],
)
def test_a_claim_stands_where_all_of_its_parts_do_and_falls_with_one(parts, missing, verdict):
    assert Claim(1, 1, "", tuple(_part(*bounds) for bounds in parts), missing).verdict == verdict
