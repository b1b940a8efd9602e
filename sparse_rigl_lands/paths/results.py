"""What is written of a path, as rows of tables and as what a program reads."""

import dataclasses
import math
from typing import Any, Literal

import numpy as np
from typing_extensions import TypedDict

from sparse_rigl_lands.paths.evaluated_path import EvaluatedPath
from sparse_rigl_lands.paths.fitting import Manifold
from sparse_rigl_lands.paths.losses import PathLosses, Unit
from sparse_rigl_lands.paths.statistics import Climb, Judgement, Verdict, variances_of_contrasts
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.training.evaluation import Evaluation


class PathRow(TypedDict):
    """What is read from a row of ``path.csv``."""

    t: float
    cross_entropy: float
    error: float
    smoothed_cross_entropy: float
    top1: float


class _Fitting(TypedDict):
    manifold: Manifold
    steps: int


class _Settings(TypedDict):
    start: Origin
    end: Origin
    curve: str
    fitting: _Fitting | None
    mask: str
    batch_norm: str
    looks: list[int]
    augmented: bool
    label_smoothing: float


class _IndependentUnits(TypedDict):
    count: int


class _Lowest(TypedDict):
    t: float
    cross_entropy: float
    below_both_ends: bool


class _Ends(TypedDict):
    start: float | None
    end: float | None


class PathResult(TypedDict):
    """What is read from ``path.json``; see ``told``."""

    settings: _Settings
    verdict: Verdict
    largest_rise: Climb
    barrier: Climb
    confidence: float
    confidence_of_each_look: float
    tolerance: float
    images: int
    independent_units: _IndependentUnits
    lowest: _Lowest
    ends_on_the_path: _Ends
    ends_under_their_own_statistics_and_mask: dict[Literal["start", "end"], Evaluation | None]
    length: float


def path_rows(path: EvaluatedPath, l2: np.ndarray, gradients: np.ndarray | None) -> list[dict[str, object]]:
    """One row per t. The step is the loss minus that of the row before, with its paired error.

    Args:
      path: K places.
      l2: the L2 term at each, [K].
      gradients: of ``gradients.gradient_norms_on_path``, [K, 2, 2], where they were asked for.
    """
    losses = path.losses
    variances = variances_of_contrasts(losses.covariance())
    cross_entropy, smoothed, top1, top5 = losses.means.T
    errors = losses.errors()
    rows: list[dict[str, object]] = []
    for k, t in enumerate(path.t):
        row: dict[str, object] = {"t": float(t)}
        row |= {"cross_entropy": float(cross_entropy[k]), "error": float(errors[k])}
        if k:
            step_error = math.sqrt(variances[k, k - 1])
            row |= {"step": float(cross_entropy[k] - cross_entropy[k - 1]), "step_error": step_error}
        else:
            row |= {"step": "", "step_error": ""}
        row |= {"smoothed_cross_entropy": float(smoothed[k]), "l2": float(l2[k])}
        row |= {"top1": float(top1[k]), "top5": float(top5[k]), "count": int(losses.count)}
        if gradients is not None:
            for space, (norm, noise) in zip(("sparse", "dense"), gradients[k], strict=True):
                row |= {f"gradient_norm_{space}": float(norm), f"gradient_noise_{space}": float(noise)}
        rows.append(row)
    return rows


def covariance_rows(path: EvaluatedPath) -> list[dict[str, object]]:
    """The covariance of the mean losses, in nats squared: one row and one column per t."""
    names = [str(float(t)) for t in path.t]
    rows = zip(names, path.losses.covariance().tolist(), strict=True)
    return [{"t": name, **dict(zip(names, row, strict=True))} for name, row in rows]


def class_rows(path: EvaluatedPath) -> list[dict[str, object]]:
    """One row per t and class that has examples."""
    losses = path.losses
    return [
        {
            "t": float(t),
            "class": c,
            "cross_entropy": float(losses.class_cross_entropy[c, k]),
            "count": int(losses.class_counts[c]),
        }
        for k, t in enumerate(path.t)
        for c in np.flatnonzero(losses.class_counts).tolist()
    ]


def told(
    path: EvaluatedPath, judgement: Judgement, confidence: float, unit: Unit, ends: tuple[Point, Point]
) -> dict[str, Any]:
    """What is said of a path, and on what grounds, for a program to read.

    Args:
      path: what was evaluated.
      judgement: of it, at its last look.
      confidence: with which the bounds of all looks hold together; that of each one is the judgement's.
      unit: what is independent.
      ends: of the path; of one that has no statistics of its own there is nothing to say under them.
    """
    losses = path.losses
    lowest = int(np.argmin(losses.cross_entropy))
    return {
        **dataclasses.asdict(judgement),
        "confidence": confidence,
        "confidence_of_each_look": judgement.confidence,
        "images": int(losses.count),
        "independent_units": {"unit": unit, "count": int(losses.units)},
        "lowest": {
            "t": float(path.t[lowest]),
            "cross_entropy": float(losses.cross_entropy[lowest]),
            "below_both_ends": path.is_below_both_ends(lowest, judgement.critical_value),
        },
        "ends_on_the_path": {"start": path.loss_at(0.0), "end": path.loss_at(1.0)},
        "ends_under_their_own_statistics_and_mask": {
            name: dataclasses.asdict(evaluation_of(path.ends, k)) if end.has_statistics_of_its_own else None
            for k, (name, end) in enumerate(zip(("start", "end"), ends, strict=True))
        },
    }


def evaluation_of(losses: PathLosses, k: int) -> Evaluation:
    """What there is to say of one place by itself."""
    cross_entropy, smoothed, top1, top5 = (float(mean) for mean in losses.means[k])
    return Evaluation(int(losses.count), cross_entropy, float(losses.errors()[k]), smoothed, top1, top5)
