"""Protects: the verdicts on the paper's claims, against a computation that shares no code with them."""

import csv
import dataclasses
import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.studies import claims, study_results
from sparse_rigl_lands.studies.claims import Claim, Part
from tests.studies import finished_study, recomputed_claims

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


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """What a study has found; of equal ones the files are written once."""

    @functools.cache
    def collect(settings):
        study, written = finished_study.study(**dict(settings)), files.StudyFiles(tmp_path_factory.mktemp("study"))
        return study, study_results.collect(study, written, finished_study.write(study, written))

    def finished(without, settings):
        """The study, its runs and its paths; the rows are copies."""
        study, found = collect(tuple(settings.items()))
        return study, *([dict(row) for row in rows if row["run"] not in without] for rows in (found.runs, found.paths))

    return finished


@pytest.fixture
def judged(finished, tmp_path):
    """The claims of a study whose results were changed, and the verdicts computed once more."""

    def judged(change_run=lambda row: None, change_path=lambda row: None, without=frozenset(), **settings):
        written = files.StudyFiles(tmp_path)
        study, runs, paths = finished(without, settings)
        for row in runs:
            change_run(row)
        for row in paths:
            change_path(row)
        for rows, table in ((runs, written.table), (paths, written.paths_table)):
            table.unlink(missing_ok=True)
            if rows:
                storage.write_csv(table, rows)
        once_more = recomputed_claims.verdicts(
            tmp_path,
            study.sparsity,
            len(study.seeds),
            {claim: sum(path.claim == claim for path in study.paths()) for claim in (2, 3, 4)},
            [fraction for fraction in study.zeroed_fractions if fraction],
            study.confidence,
            study.accuracy_tolerance,
        )
        by_number = {claim.number: claim for claim in claims.judge(study, runs, paths)}
        assert {number: claim.verdict for number, claim in by_number.items()} == once_more
        return by_number

    return judged


def _verdicts(by_number):
    return [by_number[number].verdict for number in range(1, 6)]


def test_where_all_is_as_the_paper_says_all_is_confirmed(judged):
    found = judged()
    assert _verdicts(found) == ["confirmed"] * 5
    assert {part.holds_for for number in (1, 5) for part in found[number].parts} == {"seeds"}


def test_one_seed_is_judged_by_its_images_alone(judged):
    found = judged(seeds=(1,), path_seeds=(1,), other_seeds=())
    assert {part.holds_for for part in found[1].parts} == {"images"}
    assert [part.verdict for part in found[1].parts] == ["confirmed", "undecided", "confirmed", "undecided"]
    assert _verdicts(found)[1:] == [*["confirmed"] * 3, "undecided"]  # 360 images do not tell a hundredth


def test_where_scratch_is_better_the_first_claim_is_refuted(judged):
    def better(row):
        if row["method"] == "scratch":
            row["training_loss"] /= 10

    assert _verdicts(judged(better))[0] == "refuted"


def test_where_seeds_disagree_nothing_is_decided(judged):
    def noisy(row):
        if row["method"] == "lottery":
            row["training_loss"] += 0.5 * (row["seed"] - 1)

    found = judged(noisy)
    assert found[1].parts[0].verdict == "undecided"
    assert _verdicts(found)[0] == "undecided"


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

    found = _verdicts(judged(change_path=otherwise))
    assert found.pop(claim - 1) == ("refuted" if decided else "undecided")
    assert found == ["confirmed"] * 4


@pytest.mark.parametrize(("fraction", "accuracy"), [(0.9, 0.8), (0.999, 0.989)])
def test_zeros_that_do_other_than_the_paper_says(judged, fraction, accuracy):
    def otherwise(row):
        if row["zeroed_fraction"] == fraction:
            row["test_accuracy"] = accuracy - 0.001 * row["seed"]

    assert _verdicts(judged(otherwise)) == [*["confirmed"] * 4, "refuted"]


@pytest.mark.parametrize(
    ("missing", "claim"),
    [
        ("sparsity-0.99/scratch-seed2", 1),
        ("paths/S-I_to_P-S/line-seed1", 2),
        ("paths/S-S_to_P-S/line-seed0", 3),
        ("paths/S-S_to_P-S/cubic_dense-1200-seed0", 4),
        ("zeroed-0.9/zeroed_init-seed1", 5),
        ("dense-seed2", 5),
    ],
)
def test_what_is_missing_leaves_its_claim_undecided(judged, missing, claim):
    found = judged(without={missing})
    assert found[claim].missing
    verdicts = _verdicts(found)
    assert verdicts.pop(claim - 1) == "undecided"
    assert verdicts == ["confirmed"] * 4


@pytest.mark.parametrize(
    ("settings", "claim", "missing"),
    [
        ({"zeroed_fractions": (0.9,)}, 5, "a fraction above 0.99, in Study.zeroed_fractions"),
        ({"zeroed_fractions": (0.999,)}, 5, "a fraction of 0.99 or less, in Study.zeroed_fractions"),
        ({"dense_curves": ()}, 4, "a dense curve, which the study has not"),
        ({"sparse_curves": ()}, 3, "a sparse curve, which the study has not"),
        ({"lines": ("L-I to P-S", "S-I to P-S")}, 3, "the line, which the study has not"),
        ({"lines": ("S-I to P-S", "S-S to P-S")}, 2, "the line from L-I, which the study has not"),
        ({"lines": ("L-I to P-S", "S-S to P-S")}, 2, "the line from S-I, which the study has not"),
    ],
)
def test_what_was_not_asked_for_leaves_a_claim_that_speaks_of_it_undecided(judged, settings, claim, missing):
    found = judged(**settings)
    assert found[claim].missing == (missing,)
    verdicts = _verdicts(found)
    assert verdicts.pop(claim - 1) == "undecided"
    assert verdicts == ["confirmed"] * 4


def test_seeds_that_agree_to_the_last_image_leave_a_difference_that_cannot_be_seen_undecided(judged):
    """Student's interval would be a point: two seeds of 360 images say more than nothing, but not that."""

    def alike(row):
        row["test_accuracy"] = 0.975

    found = judged(alike, seeds=(0, 1), path_seeds=(0,))
    of_accuracy = found[1].parts[1]
    assert of_accuracy.estimate == 0
    # both accuracies are rounded to an image; Student's quantile of one degree of freedom at 1 - 0.05 / 8 is 50.92
    assert of_accuracy.upper == pytest.approx(50.923 * (1 / 360) / 6**0.5 / 2**0.5, rel=1e-4)
    assert of_accuracy.verdict == "undecided"


def test_curves_that_dip_below_both_ends_are_told_of(judged):
    def dips(row):
        if row["claim"] == 4 and row["seed"] == 1:
            row["below_both_ends"], row["lowest_loss"] = True, 0.0125

    found = judged(change_path=dips)
    (remark,) = found[4].remarks
    assert remark == "2 of 4 of these curves dip below both ends, the lowest to 0.013 nats."
    assert judged()[4].remarks == ()


def test_the_tolerance_is_part_of_what_is_claimed(judged):
    found = judged()
    for claim in (2, 4):
        assert "nowhere rises by more than 0.05 nats" in found[claim].statement


def test_the_bounds_of_seeds_hold_together(judged):
    """With the confidence that is left to each of four, Student's quantile of two degrees of freedom is 8.86."""
    found = judged()
    lottery = found[1].parts[0]
    spread = 0.01 * (0.09 - 0.04)  # from one seed to the next
    assert lottery.estimate == pytest.approx(0.05 + spread)
    assert lottery.upper - lottery.estimate == pytest.approx(8.8602 * spread / 3**0.5, rel=1e-4)


def test_verdicts_are_written_and_a_row_for_every_part(judged, tmp_path):
    found, written = judged(), files.StudyFiles(tmp_path)
    claims.write(list(found.values()), written)
    told = storage.read_json(written.claims)["claims"]
    assert [(each["claim"], each["verdict"]) for each in told] == [(number, "confirmed") for number in range(1, 6)]
    with written.claims_table.open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == sum(len(claim.parts) for claim in found.values())
    assert rows[0]["verdict"] == "confirmed"
    assert {field.name for field in dataclasses.fields(Part)} - {"name", "holds_for"} <= rows[0].keys()
