"""Protects: what is said of a claim is what its parts say."""

import pytest

from sparse_rigl_lands.reporting import verdicts
from sparse_rigl_lands.studies.claim import Claim, Part
from tests.studies import finished_study


def _part(seed, estimate, lower, upper, name="a line: barrier", **settings):
    defaults = {"wanted": "above", "threshold": 0.05, "unit": "nats", "holds_for": "images"}
    return Part(name, (seed,), estimate, lower, upper, **{**defaults, **settings})


_PARTS = (_part(0, 3.0, 2.5, 3.5), _part(2, 0.1, 0.01, 0.2), _part(1, 1.0, 0.9, 1.1), _part(0, 2.0, 1.0, 3.0, "other"))


def test_parts_that_differ_by_their_seed_are_one_row():
    first, second = verdicts.groups_of(Claim(3, 4, "", _PARTS))
    assert verdicts.group_cells(first) == {
        "grounds": "a line: barrier",
        "estimate": "0.100 to 3.000 nats",
        "bounds": "0.010 to 3.500",
        "claimed": "above 0.05 nats",
        "seeds": "0, 1, 2",
        "verdict": "confirmed 2, undecided 1",
    }
    assert (second.name, second.estimates, second.verdict) == ("other", "2.000 nats", "confirmed")


def test_an_accuracy_has_no_unit():
    part = _part(0, 0.25, 0.125, 0.5, unit="accuracy", wanted="at most", threshold=0.01)
    cells = verdicts.group_cells(verdicts.groups_of(Claim(5, 5, "", (part,)))[0])
    assert (cells["estimate"], cells["claimed"], cells["verdict"]) == ("0.250", "at most 0.01", "refuted")


def test_of_much_that_is_missing_the_first_is_named():
    assert verdicts.missing_in_words(Claim(2, 3, "", (), ())) == ""
    assert verdicts.missing_in_words(Claim(2, 3, "", (), ("a", "b", "c"))) == "missing: a, b, c"
    assert verdicts.missing_in_words(Claim(2, 3, "", (), tuple("abcde"))) == "missing: a, b, c and 2 more"


@pytest.mark.parametrize(
    ("holds_for", "words"),
    [("seeds", "for other seeds of training on the same images"), ("images", "not for other seeds")],
)
def test_what_the_bounds_are_for(holds_for, words):
    assert words in verdicts.scope_in_words(Claim(1, 1, "", (_part(0, 1, 1, 1, holds_for=holds_for),)))


def test_where_some_bounds_are_of_one_seed_both_are_told():
    parts = (_part(0, 1, 1, 1, holds_for="images"), _part(0, 1, 1, 1, holds_for="seeds"))
    told = verdicts.scope_in_words(Claim(1, 1, "", parts))
    assert "Those of several seeds are for other seeds of training" in told
    assert "Those of one seed are for other images" in told
    assert verdicts.scope_in_words(Claim(1, 1, "", ())) == ""


def test_a_claim_is_a_row_with_all_of_its_grounds():
    (cells,) = verdicts.claims_cells([Claim(3, 4, "There is a barrier.", _PARTS, ("a path",))])
    assert cells["claim"] == "3. There is a barrier."
    assert cells["verdict"] == "undecided"
    assert cells["grounds"] == (
        "a line: barrier 0.100 to 3.000 nats (bounds 0.010 to 3.500, confirmed 2, undecided 1); "
        "other 2.000 nats (bounds 1.000 to 3.000); missing: a path"
    )


def test_a_claim_is_told_with_its_settings():
    study = finished_study.study()
    rows = [
        {"claim": claim, "images": 1437, "tolerance": 0.05, "steps": steps}
        for claim, steps in ((2, 0), (3, 0), (3, 1200))
    ]
    told = [verdicts.settings_in_words(Claim(number, 1, "", ()), study, rows) for number in range(1, 6)]
    assert told == [
        "Sparsity 0.99.",
        "Sparsity 0.99, 1,437 images, tolerance 0.05 nats.",
        "Sparsity 0.99, 1,437 images, tolerance 0.05 nats, fits of 1,200 steps.",
        "Sparsity 0.99.",
        "Tolerance 0.01 of accuracy.",
    ]
