"""Protects: what is said of a path is true, and says how surely."""

import re

import pytest

from sparse_rigl_lands.reporting import path_words
from tests import finished_path
from tests.finished_path import climb


def _judged(verdict, rise, barrier, fitting=None, lowest=0.1, dips=False):
    return finished_path.result(
        fitting=fitting,
        verdict=verdict,
        largest_rise=rise,
        barrier=barrier,
        lowest={"t": 0.3, "cross_entropy": lowest, "below_both_ends": dips},
    )


@pytest.mark.parametrize(
    ("verdict", "rise", "barrier", "words"),
    [
        ("monotone", climb(0.0, upper=0.0101), climb(0.0), "Monotone: the loss rises by at most 0.011; "),
        ("monotone", climb(0.02, lower=0.01, upper=0.03), climb(0.0), "Monotone: .* by 0.020 .0.010 to 0.030.; "),
        (
            "barrier",
            climb(2.0, 0.0, 0.5),
            climb(1.5, 0.0, 0.5, 1.4, 1.6),
            "A barrier of 1.500 .1.400 to 1.600. above the higher end, at t = 0.50; ",
        ),
        (
            "no_barrier",
            climb(0.2, 0.4, 0.6, 0.1, 0.3),
            climb(0.0, upper=0.02),
            "No barrier, at most 0.020, but the loss rises by 0.200 .0.100 to 0.300. from t = 0.40 to 0.60; ",
        ),
        (
            "undecided",
            climb(0.06, upper=0.13),
            climb(0.04, lower=0.01, upper=0.06),
            "Undecided: the largest rise is 0.060 .0.000 to 0.130., the barrier 0.040 .0.010 to 0.060.; ",
        ),
        (
            "undecided",
            climb(0.04, 0.5, 1.0, 0.01, 0.07),
            climb(0.0, upper=0.01),
            "No barrier, at most 0.010; a rise is undecided: 0.040 .0.010 to 0.070. from t = 0.50 to 1.00; ",
        ),
    ],
)
def test_words_of_a_path(verdict, rise, barrier, words):
    found = path_words.describe_path(_judged(verdict, rise, barrier))
    assert re.match(words, found)
    assert found.endswith("; tolerance 0.05, 95% confidence, 1,437 images.")


def test_words_of_the_ends():
    own = {"cross_entropy": 0.04321}
    result = {"ends_under_their_own_statistics_and_mask": {"start": own, "end": None}}
    result["ends_on_the_path"] = {"start": 2.3, "end": 1.0}
    assert path_words.describe_ends(result) == [
        "start: cross-entropy 2.3000 on the path, 0.0432 by its own statistics and mask",
        "end: a control point of a fitted curve, without statistics of its own",
    ]
    result["ends_on_the_path"]["start"] = None
    assert path_words.describe_ends(result)[0].startswith("start: cross-entropy not on the path, 0.0432")


@pytest.mark.parametrize(
    ("verdict", "barrier", "words", "few_words"),
    [
        (
            "barrier",
            climb(0.5, 0, 0.5, 0.4, 0.6),
            "at t = 0.50, is left within 1,200 steps; ",
            "barrier 0.500 (0.400 to 0.600)\nwithin 1,200 steps",
        ),
        (
            "no_barrier",
            climb(0.0),
            "No barrier within 1,200 steps, at most 0.000, but ",
            "no barrier, at most 0.000\nwithin 1,200 steps, dips to 0.050",
        ),
        (
            "monotone",
            climb(0.0),
            "Nowhere a rise above the tolerance within 1,200 steps: the loss ",
            "no barrier, at most 0.000\nwithin 1,200 steps, dips to 0.050",
        ),
        (
            "undecided",
            climb(0.0),
            "No barrier within 1,200 steps, ",
            "no barrier, at most 0.000\nwithin 1,200 steps, dips to 0.050",
        ),
        (
            "undecided",
            climb(0.02, 0, 0.5, 0.0, 0.1),
            "Undecided within 1,200 steps: ",
            "barrier 0.020 (0.000 to 0.100)\nwithin 1,200 steps, undecided",
        ),
    ],
)
def test_of_a_fitted_curve_the_budget_is_told(verdict, barrier, words, few_words):
    result = _judged(verdict, climb(0.1), barrier, {"manifold": "dense", "steps": 1200}, 0.05, dips=True)
    assert words in path_words.describe_path(result)
    assert path_words.barrier_in_words(result) == few_words


def test_few_words_of_a_line_name_no_budget():
    barrier = climb(0.5, 0, 0.5, 0.4, 0.6)
    assert path_words.barrier_in_words(_judged("barrier", barrier, barrier)) == "barrier 0.500 (0.400 to 0.600)"


@pytest.mark.parametrize("verdict", ["monotone", "no_barrier", "undecided"])
def test_a_dip_below_both_ends_is_told(verdict):
    def words(dips):
        return path_words.describe_path(_judged(verdict, climb(0.1), climb(0.0), lowest=0.02, dips=dips))

    assert "; it dips below both ends, to 0.020 at t = 0.30; tolerance" in words(dips=True)
    assert "onotone" not in words(dips=True)
    assert "dips" not in words(dips=False)
    assert ("Monotone: " in words(dips=False)) == (verdict == "monotone")


def test_grounds_that_differ_are_all_told():
    def result(images, batch_norm):
        return {"images": images, "settings": {"augmented": True, "batch_norm": batch_norm}}

    alike = [result(1437, "batch"), result(1437, "batch")]
    assert path_words.grounds(alike) == "1,437 augmented training images, BatchNorm: batch"
    differ = [*alike, result(400, "stored")]
    assert path_words.grounds(differ) == "1,437 or 400 augmented training images, BatchNorm: batch or stored"
