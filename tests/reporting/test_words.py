"""Protects: what is told of numbers does not say more than they do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.reporting import words


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=2).map(sorted))
def test_bounds_are_rounded_outwards_and_by_no_more_than_it_takes(computed):
    lower, upper = computed
    low, high = map(float, words.bounds(lower, upper).split(" to "))
    assert lower - 0.001 - 1e-8 <= low <= lower + 1e-8
    assert upper - 1e-8 <= high <= upper + 0.001 + 1e-8


@pytest.mark.parametrize(
    ("lower", "upper", "told"),
    [
        (0.07, 0.07, "0.070 to 0.070"),  # 1000 times it is a little more than 70
        (0.0, 0.0502, "0.000 to 0.051"),
        (-0.0002, -0.0, "-0.001 to 0.000"),
        (2.9999, 3.0, "2.999 to 3.000"),
    ],
)
def test_bounds_in_words(lower, upper, told):
    assert words.bounds(lower, upper) == told


@pytest.mark.parametrize(
    ("share", "told"), [(0.95, "95%"), (0.57, "57%"), (0.999, "99.9%"), (0.99999, "99.999%"), (0.9999999, "99.99999%")]
)
def test_a_confidence_is_never_rounded_to_certainty(share, told):
    assert words.percent(share) == told


def test_alternatives_are_named_once_in_their_order():
    assert words.alternatives(["b", "a", "b"]) == "b or a"
    assert words.alternatives([]) == ""
