"""Protects: the verdicts on the paper's claims as a whole, and their files."""

import csv
import dataclasses

import pytest

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.studies import claims
from sparse_rigl_lands.studies.claim import Part


def test_where_all_is_as_the_paper_says_all_is_confirmed(judged):
    found, verdicts = judged()
    assert verdicts == ["confirmed"] * 5
    assert {part.holds_for for number in (1, 5) for part in found[number].parts} == {"seeds"}


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
    found, verdicts = judged(without={missing})
    assert found[claim].missing
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
    found, verdicts = judged(**settings)
    assert found[claim].missing == (missing,)
    assert verdicts.pop(claim - 1) == "undecided"
    assert verdicts == ["confirmed"] * 4


def test_verdicts_are_written_and_a_row_for_every_part(judged, tmp_path):
    (found, _), written = judged(), files.StudyFiles(tmp_path)
    claims.write(list(found.values()), written)
    told = storage.read_json(written.claims)["claims"]
    assert [(each["claim"], each["verdict"]) for each in told] == [(number, "confirmed") for number in range(1, 6)]
    with written.claims_table.open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == sum(len(claim.parts) for claim in found.values())
    assert rows[0]["verdict"] == "confirmed"
    assert {field.name for field in dataclasses.fields(Part)} - {"name", "holds_for"} <= rows[0].keys()
