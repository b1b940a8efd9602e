"""The paper's five claims, and whether a study confirms or refutes them.

A claim has parts, such as "the line from S-S to P-S has a barrier, seed 3": a quantity with its bounds, and a
threshold that it has to lie above, or not above. A part is confirmed where both bounds lie on the side that is wanted,
refuted where both lie on the other, and undecided where the threshold lies between them. A claim is confirmed where
all of its parts are, refuted where one of them is, and undecided otherwise, or where a part is missing.

The bounds of a claim's parts hold all together with the study's confidence: each by itself holds with a greater one
(Bonferroni's inequality). Those of a path are for other images of the same distribution and the solutions at hand.
Those of runs are Student's, of the differences between two methods within a seed, for other seeds on the same images;
of a single seed they are for other images alone.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import scipy.stats

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.studies.path_runs import LINE
from sparse_rigl_lands.studies.study import Study

Verdict = Literal["confirmed", "refuted", "undecided"]
Side = Literal["above", "at most"]
_Quantity = Literal["barrier", "largest_rise"]
Row = Mapping[str, Any]

HARMLESS = 0.99  # the fraction of zeros up to which the paper sees no harm (its Figure 5)


@dataclasses.dataclass(frozen=True)
class Part:
    """One comparison that a claim stands or falls with.

    Args:
      name: what is compared, without the seed.
      seeds: those that it is about.
      estimate: of the quantity.
      lower, upper: its bounds.
      wanted: on which side of the threshold the claim has it.
      threshold: in the quantity's unit.
      unit: ``"nats"`` or ``"accuracy"``.
      holds_for: what the bounds are for: other ``"images"``, or other ``"seeds"``.
    """

    name: str
    seeds: tuple[int, ...]
    estimate: float
    lower: float
    upper: float
    wanted: Side
    threshold: float
    unit: Literal["nats", "accuracy"]
    holds_for: Literal["images", "seeds"]

    @property
    def verdict(self) -> Verdict:
        above, at_most = self.lower > self.threshold, self.upper <= self.threshold
        if not above and not at_most:
            return "undecided"
        return "confirmed" if above == (self.wanted == "above") else "refuted"


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim of the paper.

    Args:
      number: 1 to 5.
      figure: of the paper, where it is shown.
      statement: what is claimed.
      parts: what it stands or falls with, as far as it is known.
      missing: what is not known, in words.
      remarks: what else is to be said, which does not decide it.
    """

    number: int
    figure: int
    statement: str
    parts: tuple[Part, ...]
    missing: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        verdicts = {part.verdict for part in self.parts}
        if "refuted" in verdicts:
            return "refuted"
        return "confirmed" if verdicts == {"confirmed"} and not self.missing else "undecided"


def judge(study: Study, runs: Sequence[Row], paths: Sequence[Row]) -> list[Claim]:
    """Judges the five claims.

    Args:
      study: what was asked for.
      runs, paths: of ``study_results.Found``.

    Returns:
      The claims in the order of their numbers.
    """
    return [
        _pruning_is_better(study, runs),
        _lines_fall(study, paths),
        _sparse_paths_have_a_barrier(study, paths),
        _dense_curves_have_none(study, paths),
        _zeros_do_no_harm(study, runs),
    ]


def _pruning_is_better(study: Study, runs: Sequence[Row]) -> Claim:
    alike = [row for row in runs if row["sparsity"] == study.sparsity]
    comparisons = [(method, measure) for method in ("lottery", "scratch") for measure in (_LOSS, _ACCURACY)]
    parts, missing = [], []
    for method, measure in comparisons:
        pairs, lacking = _pairs(study, _of(alike, method=method), _of(alike, method="pruned"))
        missing += [f"{method} and pruned runs of seed {seed}" for seed in lacking]
        if pairs:
            name = f"{measure.name}: {method} is worse than pruned by"
            parts.append(_part_of_runs(study, name, measure, pairs, len(comparisons), "above", 0.0))
    return Claim(
        number=1,
        figure=1,
        statement=f"At a sparsity of {study.sparsity:g} the pruned solution has a lower training loss and a higher "
        "test accuracy than lottery and scratch.",
        parts=tuple(parts),
        missing=tuple(dict.fromkeys(missing)),
    )


def _lines_fall(study: Study, paths: Sequence[Row]) -> Claim:
    statement = (
        "On the straight line from every sparse initialization to the pruned solution the loss falls: "
        f"it nowhere rises by more than {_tolerance(paths)}."
    )
    starts = {"the line from L-I": {"L-I"}, "the line from S-I": {"S-I"}}
    return _of_paths(study, paths, 2, 3, statement, ("largest_rise",), "at most", starts)


def _sparse_paths_have_a_barrier(study: Study, paths: Sequence[Row]) -> Claim:
    statement = (
        "On the straight line from the scratch to the pruned solution lies a barrier, which curves that are fitted "
        f"within the sparse subspace do not remove within {study.budget:,} steps."
    )
    curves = {"the line": {LINE}, "a sparse curve": {*study.sparse_curves}}
    return _of_paths(study, paths, 3, 4, statement, ("barrier",), "above", curves)


def _dense_curves_have_none(study: Study, paths: Sequence[Row]) -> Claim:
    statement = (
        "Curves that may use every connection lead from the scratch to the pruned solution without a barrier, and "
        f"the loss along them nowhere rises by more than {_tolerance(paths)}."
    )
    curves = {"a dense curve": {*study.dense_curves}}
    claim = _of_paths(study, paths, 4, 4, statement, ("barrier", "largest_rise"), "at most", curves)
    return dataclasses.replace(claim, remarks=_dips([row for row in paths if row["claim"] == 4]))


def _of_paths(
    study: Study,
    paths: Sequence[Row],
    number: int,
    figure: int,
    statement: str,
    quantities: Sequence[_Quantity],
    wanted: Side,
    kinds: Mapping[str, set[str]],
) -> Claim:
    """A claim about paths: that these quantities of all of them lie on one side of the tolerance.

    Args:
      study, paths: see ``judge``.
      number, figure, statement: of the claim.
      quantities: what is compared.
      wanted: on which side.
      kinds: of paths that the claim speaks of, by their names, each with the starts or the curves that are of it.
    """
    of_claim = [row for row in paths if row["claim"] == number]
    parts = [_part_of_path(row, quantity, wanted) for quantity in quantities for row in of_claim]
    return Claim(number, figure, statement, tuple(parts), _missing_paths(study, paths, number, kinds))


def _zeros_do_no_harm(study: Study, runs: Sequence[Row]) -> Claim:
    fractions = [fraction for fraction in study.zeroed_fractions if fraction]
    dense = _of(runs, method="dense")
    parts, missing = [], []
    for fraction in fractions:
        pairs, lacking = _pairs(study, _of(runs, zeroed_fraction=fraction), dense)
        missing += [f"dense runs, and those with a fraction of {fraction:g}, of seed {seed}" for seed in lacking]
        if pairs:
            name = f"{_ACCURACY.name}: a zeroed fraction of {fraction:g} costs"
            wanted: Side = "above" if fraction > HARMLESS else "at most"
            tolerance = study.accuracy_tolerance
            parts.append(_part_of_runs(study, name, _ACCURACY, pairs, len(fractions), wanted, tolerance))
    if not any(fraction > HARMLESS for fraction in fractions):
        missing.append(f"a fraction above {HARMLESS:g}, in Study.zeroed_fractions")
    if not any(fraction <= HARMLESS for fraction in fractions):
        missing.append(f"a fraction of {HARMLESS:g} or less, in Study.zeroed_fractions")
    return Claim(
        number=5,
        figure=5,
        statement="Setting a random part of the initialization to zero before dense training costs accuracy only "
        f"above {HARMLESS:.0%}.",
        parts=tuple(parts),
        missing=tuple(missing),
    )


@dataclasses.dataclass(frozen=True)
class _Measure:
    """What runs are compared by."""

    name: str
    unit: Literal["nats", "accuracy"]
    column: str
    worse: int  # the sign of a difference that is for the worse

    def error(self, row: Row) -> float:
        """The standard error of a run's value, over images."""
        if self.unit == "nats":
            return row["training_loss_error"]
        # Agresti and Coull 1998: where all are right, the error is not zero.
        count = row["test_images"] + 4
        share = (row["test_accuracy"] * row["test_images"] + 2) / count
        return math.sqrt(share * (1 - share) / count)

    def rounding(self, pair: tuple[Row, Row]) -> float:
        """The standard deviation of the difference of two runs that is of rounding alone.

        An accuracy is a whole number of images: where seeds agree to the last one, they need not agree at all.
        """
        return 0.0 if self.unit == "nats" else math.sqrt(sum(1 / (12 * row["test_images"] ** 2) for row in pair))


_LOSS = _Measure("training loss", "nats", "training_loss", 1)
_ACCURACY = _Measure("test accuracy", "accuracy", "test_accuracy", -1)


def _of(runs: Sequence[Row], **wanted: object) -> dict[int, Row]:
    return {row["seed"]: row for row in runs if all(row[name] == value for name, value in wanted.items())}


def _pairs(
    study: Study, worse: Mapping[int, Row], better: Mapping[int, Row]
) -> tuple[dict[int, tuple[Row, Row]], list[int]]:
    """The two runs of every seed that has both, and the seeds that lack one."""
    pairs = {seed: (worse[seed], better[seed]) for seed in study.seeds if seed in worse and seed in better}
    return pairs, [seed for seed in study.seeds if seed not in pairs]


def _part_of_runs(
    study: Study,
    name: str,
    measure: _Measure,
    pairs: Mapping[int, tuple[Row, Row]],
    together: int,
    wanted: Side,
    threshold: float,
) -> Part:
    """How much worse one method is than another, with bounds that hold together with those of so many parts."""
    differences = [measure.worse * (worse[measure.column] - better[measure.column]) for worse, better in pairs.values()]
    tail = (1 - study.confidence) / together / 2
    mean = float(np.mean(differences))
    if len(differences) > 1:
        spread = max(float(np.std(differences, ddof=1)), *map(measure.rounding, pairs.values()))
        margin = spread / math.sqrt(len(differences)) * float(scipy.stats.t.isf(tail, len(differences) - 1))
    else:
        (both,) = pairs.values()
        margin = math.hypot(*map(measure.error, both)) * float(scipy.stats.norm.isf(tail))
    return Part(
        name=name,
        seeds=tuple(pairs),
        estimate=mean,
        lower=mean - margin,
        upper=mean + margin,
        wanted=wanted,
        threshold=threshold,
        unit=measure.unit,
        holds_for="seeds" if len(differences) > 1 else "images",
    )


def _part_of_path(row: Row, quantity: _Quantity, wanted: Side) -> Part:
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


def _tolerance(paths: Sequence[Row]) -> str:
    found = dict.fromkeys(f"{row['tolerance']:g} nats" for row in paths if row["claim"])
    return " or ".join(found) or "the tolerance"


def _dips(paths: Sequence[Row]) -> tuple[str, ...]:
    dips = [row["lowest_loss"] for row in paths if row["below_both_ends"]]
    if not dips:
        return ()
    return (f"{len(dips)} of {len(paths)} of these curves dip below both ends, the lowest to {min(dips):.3f} nats.",)


def _missing_paths(study: Study, paths: Sequence[Row], claim: int, wanted: Mapping[str, set[str]]) -> tuple[str, ...]:
    """What a claim lacks: kinds of paths that the study has not been asked for, and paths that are not finished.

    Args:
      study: what was asked for.
      paths: what is finished.
      claim: its number.
      wanted: kinds of paths by their names, each with the starts or the curves that are of it.
    """
    planned, there = [path for path in study.paths() if path.claim == claim], {row["run"] for row in paths}
    kinds = {each for path in planned for each in (path.start, path.run.curve)}
    return (
        *(f"{name}, which the study has not" for name, found_by in wanted.items() if not found_by & kinds),
        *(path.name for path in planned if path.name not in there),
    )


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
