"""The paper's claims about runs: how much worse one method is than another, seed by seed.

The bounds of a claim's parts hold all together with the study's confidence: each by itself holds with a greater one
(Bonferroni's inequality). They are Student's, of the differences between two methods within a seed, for other seeds on
the same images; of a single seed they are for other images alone.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import scipy.stats

from sparse_rigl_lands.studies.claim import Claim, Part, Side
from sparse_rigl_lands.studies.study import Study
from sparse_rigl_lands.studies.study_results import Rows

_Row = Mapping[str, Any]

_HARMLESS = 0.99  # the fraction of zeros up to which the paper sees no harm (its Figure 5)


def pruning_is_better(study: Study, runs: Rows) -> Claim:
    """Claim 1, of the solutions at the study's sparsity; see ``claims.judge`` for the arguments."""
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


def zeros_do_no_harm(study: Study, runs: Rows) -> Claim:
    """Claim 5, of dense training from an initialization that is zero in part."""
    fractions = [fraction for fraction in study.zeroed_fractions if fraction]
    dense = _of(runs, method="dense")
    parts, missing = [], []
    for fraction in fractions:
        pairs, lacking = _pairs(study, _of(runs, zeroed_fraction=fraction), dense)
        missing += [f"dense runs, and those with a fraction of {fraction:g}, of seed {seed}" for seed in lacking]
        if pairs:
            name = f"{_ACCURACY.name}: a zeroed fraction of {fraction:g} costs"
            wanted: Side = "above" if fraction > _HARMLESS else "at most"
            tolerance = study.accuracy_tolerance
            parts.append(_part_of_runs(study, name, _ACCURACY, pairs, len(fractions), wanted, tolerance))
    if not any(fraction > _HARMLESS for fraction in fractions):
        missing.append(f"a fraction above {_HARMLESS:g}, in Study.zeroed_fractions")
    if not any(fraction <= _HARMLESS for fraction in fractions):
        missing.append(f"a fraction of {_HARMLESS:g} or less, in Study.zeroed_fractions")
    return Claim(
        number=5,
        figure=5,
        statement="Setting a random part of the initialization to zero before dense training costs accuracy only "
        f"above {_HARMLESS:.0%}.",
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

    def error(self, row: _Row) -> float:
        """The standard error of a run's value, over images."""
        if self.unit == "nats":
            return row["training_loss_error"]
        # Agresti and Coull 1998: where all are right, the error is not zero.
        count = row["test_images"] + 4
        share = (row["test_accuracy"] * row["test_images"] + 2) / count
        return math.sqrt(share * (1 - share) / count)

    def rounding(self, pair: tuple[_Row, _Row]) -> float:
        """The standard deviation of the difference of two runs that is of rounding alone.

        An accuracy is a whole number of images: where seeds agree to the last one, they need not agree at all.
        """
        return 0.0 if self.unit == "nats" else math.sqrt(sum(1 / (12 * row["test_images"] ** 2) for row in pair))


_LOSS = _Measure("training loss", "nats", "training_loss", 1)
_ACCURACY = _Measure("test accuracy", "accuracy", "test_accuracy", -1)


def _of(runs: Rows, **wanted: object) -> dict[int, _Row]:
    return {row["seed"]: row for row in runs if all(row[name] == value for name, value in wanted.items())}


def _pairs(
    study: Study, worse: Mapping[int, _Row], better: Mapping[int, _Row]
) -> tuple[dict[int, tuple[_Row, _Row]], list[int]]:
    """The two runs of every seed that has both, and the seeds that lack one."""
    pairs = {seed: (worse[seed], better[seed]) for seed in study.seeds if seed in worse and seed in better}
    return pairs, [seed for seed in study.seeds if seed not in pairs]


def _part_of_runs(
    study: Study,
    name: str,
    measure: _Measure,
    pairs: Mapping[int, tuple[_Row, _Row]],
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
