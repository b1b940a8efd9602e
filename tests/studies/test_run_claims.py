"""Protects: the verdicts on runs, with bounds over seeds, or over the images of one seed."""

import pytest


def test_where_scratch_is_better_the_first_claim_is_refuted(judged):
    def better(row):
        if row["method"] == "scratch":
            row["training_loss"] /= 10

    _, verdicts = judged(better)
    assert verdicts[0] == "refuted"


def test_where_seeds_disagree_nothing_is_decided(judged):
    def noisy(row):
        if row["method"] == "lottery":
            row["training_loss"] += 0.5 * (row["seed"] - 1)

    found, verdicts = judged(noisy)
    assert found[1].parts[0].verdict == "undecided"
    assert verdicts[0] == "undecided"


def test_one_seed_is_judged_by_its_images_alone(judged):
    found, verdicts = judged(seeds=(1,), path_seeds=(1,), other_seeds=())
    assert {part.holds_for for part in found[1].parts} == {"images"}
    assert [part.verdict for part in found[1].parts] == ["confirmed", "undecided", "confirmed", "undecided"]
    assert verdicts[1:] == [*["confirmed"] * 3, "undecided"]  # 360 images do not tell a hundredth


@pytest.mark.parametrize(("fraction", "accuracy"), [(0.9, 0.8), (0.999, 0.989)])
def test_zeros_that_do_other_than_the_paper_says(judged, fraction, accuracy):
    def otherwise(row):
        if row["zeroed_fraction"] == fraction:
            row["test_accuracy"] = accuracy - 0.001 * row["seed"]

    _, verdicts = judged(otherwise)
    assert verdicts == [*["confirmed"] * 4, "refuted"]


def test_seeds_that_agree_to_the_last_image_leave_a_difference_that_cannot_be_seen_undecided(judged):
    """Student's interval would be a point: two seeds of 360 images say more than nothing, but not that."""

    def alike(row):
        row["test_accuracy"] = 0.975

    found, _ = judged(alike, seeds=(0, 1), path_seeds=(0,))
    of_accuracy = found[1].parts[1]
    assert of_accuracy.estimate == 0
    # both accuracies are rounded to an image; Student's quantile of one degree of freedom at 1 - 0.05 / 8 is 50.92
    assert of_accuracy.upper == pytest.approx(50.923 * (1 / 360) / 6**0.5 / 2**0.5, rel=1e-4)
    assert of_accuracy.verdict == "undecided"


def test_the_bounds_of_seeds_hold_together(judged):
    """With the confidence that is left to each of four, Student's quantile of two degrees of freedom is 8.86."""
    found, _ = judged()
    lottery = found[1].parts[0]
    spread = 0.01 * (0.09 - 0.04)  # from one seed to the next
    assert lottery.estimate == pytest.approx(0.05 + spread)
    assert lottery.upper - lottery.estimate == pytest.approx(8.8602 * spread / 3**0.5, rel=1e-4)
