"""Protects: the verdicts on runs, with bounds over seeds, or over the images of one seed."""

import math

import pytest
import scipy.stats


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


def test_the_bounds_of_seeds_are_those_of_scipys_paired_t_test(judged, random):
    """Where seeds scatter by more than the rounding of an accuracy."""
    rows = {}

    def scattered(row):
        row["training_loss"] += 0.02 * random.normal()
        row["test_accuracy"] -= 0.02 * random.random()
        rows[row["run"]] = row

    found, _ = judged(scattered)
    of_sparsity, of_fraction = "sparsity-0.99/{}-seed", "zeroed-{}/zeroed_init-seed"
    compared = {
        1: [
            (of_sparsity.format(method), of_sparsity.format("pruned"), column, sign)
            for method in ("lottery", "scratch")
            for column, sign in (("training_loss", 1), ("test_accuracy", -1))
        ],
        5: [(of_fraction.format(fraction), "dense-seed", "test_accuracy", -1) for fraction in (0.9, 0.999)],
    }
    for number, pairs in compared.items():
        for part, (worse, better, column, sign) in zip(found[number].parts, pairs, strict=True):
            values = ([sign * rows[f"{run}{seed}"][column] for seed in (0, 1, 2)] for run in (worse, better))
            interval = scipy.stats.ttest_rel(*values).confidence_interval(1 - 0.05 / len(pairs))
            assert (part.lower, part.upper) == pytest.approx(tuple(interval)), part.name


def test_the_bounds_of_one_seed_are_normal(judged):
    rows = {}
    found, _ = judged(lambda row: rows.update({row["run"]: row}), seeds=(1,), path_seeds=(1,), other_seeds=())
    lottery, pruned = (rows[f"sparsity-0.99/{method}-seed1"] for method in ("lottery", "pruned"))
    difference = lottery["training_loss"] - pruned["training_loss"]
    error = math.hypot(lottery["training_loss_error"], pruned["training_loss_error"])
    part = found[1].parts[0]
    assert (part.lower, part.upper) == pytest.approx(scipy.stats.norm(difference, error).interval(1 - 0.05 / 4))
