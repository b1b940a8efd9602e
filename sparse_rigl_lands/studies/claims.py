"""The paper's five claims, and whether a study confirms or refutes them."""

from collections.abc import Sequence

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.studies import path_claims, run_claims
from sparse_rigl_lands.studies.claim import Claim
from sparse_rigl_lands.studies.study import Study
from sparse_rigl_lands.studies.study_results import Rows


def judge(study: Study, runs: Rows, paths: Rows) -> list[Claim]:
    """Judges the five claims.

    Args:
      study: what was asked for.
      runs, paths: of ``study_results.Found``.

    Returns:
      The claims in the order of their numbers.
    """
    return [
        run_claims.pruning_is_better(study, runs),
        path_claims.lines_fall(study, paths),
        path_claims.sparse_paths_have_a_barrier(study, paths),
        path_claims.dense_curves_have_none(study, paths),
        run_claims.zeros_do_no_harm(study, runs),
    ]


def write(claims: Sequence[Claim], written: files.StudyFiles) -> None:
    """Writes the verdicts to ``claims.json``, and a row per part to ``claims.csv``, where there are parts."""
    told = [
        {
            "claim": claim.number,
            "figure": claim.figure,
            "statement": claim.statement,
            "verdict": claim.verdict,
            "missing": list(claim.missing),
            "remarks": list(claim.remarks),
        }
        for claim in claims
    ]
    storage.write_json(written.claims, {"claims": told})
    rows = [
        {
            "claim": claim.number,
            "part": part.name,
            "seeds": " ".join(map(str, part.seeds)),
            "estimate": part.estimate,
            "lower": part.lower,
            "upper": part.upper,
            "wanted": part.wanted,
            "threshold": part.threshold,
            "unit": part.unit,
            "bounds_hold_for_other": part.holds_for,
            "verdict": part.verdict,
        }
        for claim in claims
        for part in claim.parts
    ]
    if rows:
        storage.write_csv(written.claims_table, rows)
