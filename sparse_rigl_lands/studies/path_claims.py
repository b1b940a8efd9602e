"""The paper's claims about paths: that the loss falls along them, or that there is a barrier on them.

The bounds of a claim's parts hold all together with the study's confidence: each by itself holds with a greater one
(Bonferroni's inequality). They are those of the path itself, for other images of the same distribution and the
solutions at hand.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sparse_rigl_lands.studies.claim import Claim, Part, Side
from sparse_rigl_lands.studies.path_runs import LINE
from sparse_rigl_lands.studies.study import Study
from sparse_rigl_lands.studies.study_results import Rows

_Quantity = Literal["barrier", "largest_rise"]


def lines_fall(study: Study, paths: Rows) -> Claim:
    """Claim 2, of the lines from sparse initializations; see ``claims.judge`` for the arguments."""
    return Claim(
        number=2,
        figure=3,
        statement="On the straight line from every sparse initialization to the pruned solution the loss falls: "
        f"it nowhere rises by more than {_tolerance(paths)}.",
        parts=_parts(paths, 2, ("largest_rise",), "at most"),
        missing=_missing(study, paths, 2, {"the line from L-I": {"L-I"}, "the line from S-I": {"S-I"}}),
    )


def sparse_paths_have_a_barrier(study: Study, paths: Rows) -> Claim:
    """Claim 3, of the line and the sparse curves between the solutions."""
    return Claim(
        number=3,
        figure=4,
        statement="On the straight line from the scratch to the pruned solution lies a barrier, which curves that are "
        f"fitted within the sparse subspace do not remove within {study.budget:,} steps.",
        parts=_parts(paths, 3, ("barrier",), "above"),
        missing=_missing(study, paths, 3, {"the line": {LINE}, "a sparse curve": {*study.sparse_curves}}),
    )


def dense_curves_have_none(study: Study, paths: Rows) -> Claim:
    """Claim 4, of the dense curves between the solutions."""
    return Claim(
        number=4,
        figure=4,
        statement="Curves that may use every connection lead from the scratch to the pruned solution without a "
        f"barrier, and the loss along them nowhere rises by more than {_tolerance(paths)}.",
        parts=_parts(paths, 4, ("barrier", "largest_rise"), "at most"),
        missing=_missing(study, paths, 4, {"a dense curve": {*study.dense_curves}}),
        remarks=_dips([row for row in paths if row["claim"] == 4]),
    )


def _parts(paths: Rows, number: int, quantities: Sequence[_Quantity], wanted: Side) -> tuple[Part, ...]:
    """That these quantities of all paths of a claim lie on one side of the tolerance."""
    of_claim = [row for row in paths if row["claim"] == number]
    return tuple(_part_of_path(row, quantity, wanted) for quantity in quantities for row in of_claim)


def _part_of_path(row: Mapping[str, Any], quantity: _Quantity, wanted: Side) -> Part:
    kind = f"{row['title']}, {row['manifold']}" if row["manifold"] else row["title"]
    return Part(
        name=f"{kind}, {row['start']} to {row['end']}: {quantity.replace('_', ' ')}",
        seeds=(row["seed"],),
        estimate=row[quantity],
        lower=row[f"{quantity}_lower_for_claim"],
        upper=row[f"{quantity}_upper_for_claim"],
        wanted=wanted,
        threshold=row["tolerance"],
        unit="nats",
        holds_for="images",
    )


def _tolerance(paths: Rows) -> str:
    found = dict.fromkeys(f"{row['tolerance']:g} nats" for row in paths if row["claim"])
    return " or ".join(found) or "the tolerance"


def _dips(paths: Rows) -> tuple[str, ...]:
    dips = [row["lowest_loss"] for row in paths if row["below_both_ends"]]
    if not dips:
        return ()
    return (f"{len(dips)} of {len(paths)} of these curves dip below both ends, the lowest to {min(dips):.3f} nats.",)


def _missing(study: Study, paths: Rows, number: int, kinds: Mapping[str, set[str]]) -> tuple[str, ...]:
    """What a claim lacks: kinds of paths that the study has not been asked for, and paths that are not finished.

    Args:
      study: what was asked for.
      paths: what is finished.
      number: of the claim.
      kinds: of paths, by their names, each with the starts or the curves that are of it.
    """
    planned, there = [path for path in study.paths() if path.claim == number], {row["run"] for row in paths}
    found = {each for path in planned for each in (path.start, path.run.curve)}
    return (
        *(f"{name}, which the study has not" for name, found_by in kinds.items() if not found_by & found),
        *(path.name for path in planned if path.name not in there),
    )
