"""Protects: the verdicts on paths, of which each can refute its claim."""

import pytest


@pytest.mark.parametrize(
    ("claim", "curve", "quantity", "bounds"),
    [
        (2, "line", "largest_rise", (0.2, 0.3)),
        (3, "line", "barrier", (0.0, 0.01)),
        (3, "cubic_sparse", "barrier", (0.0, 0.01)),
        (4, "cubic_dense", "barrier", (0.2, 0.3)),
        (4, "quadratic_dense", "largest_rise", (0.2, 0.3)),
    ],
)
@pytest.mark.parametrize("decided", [True, False])
def test_one_path_that_is_otherwise_refutes_its_claim_and_no_other(judged, claim, curve, quantity, bounds, decided):
    lower, upper = bounds if decided else (0.0, 0.5)

    def otherwise(row):
        if (row["claim"], row["curve"], row["seed"]) == (claim, curve, 1):
            row[f"{quantity}_lower_for_claim"], row[f"{quantity}_upper_for_claim"] = lower, upper

    _, verdicts = judged(change_path=otherwise)
    assert verdicts.pop(claim - 1) == ("refuted" if decided else "undecided")
    assert verdicts == ["confirmed"] * 4


def test_curves_that_dip_below_both_ends_are_told_of(judged):
    def dips(row):
        if row["claim"] == 4 and row["seed"] == 1:
            row["below_both_ends"], row["lowest_loss"] = True, 0.0125

    found, _ = judged(change_path=dips)
    (remark,) = found[4].remarks
    assert remark == "2 of 4 of these curves dip below both ends, the lowest to 0.013 nats."
    found, _ = judged()
    assert found[4].remarks == ()


def test_the_tolerance_is_part_of_what_is_claimed(judged):
    found, _ = judged()
    for claim in (2, 4):
        assert "nowhere rises by more than 0.05 nats" in found[claim].statement
