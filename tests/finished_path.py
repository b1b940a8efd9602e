"""The files of a path that was evaluated in name only: real ones, with all that their readers ask for, made up."""

import csv
import json
from typing import Any

import numpy as np

from sparse_rigl_lands import files


def climb(height, start=0.0, end=0.0, lower=0.0, upper=None) -> dict[str, float]:
    return {"height": height, "start": start, "end": end, "lower": lower, "upper": height if upper is None else upper}


def origin(method="pruned", seed=0, global_step=2000) -> dict[str, Any]:
    return {"workload": "digits", "method": method, "seed": seed, "global_step": global_step, "digest": ""}


def result(losses=(0.1, 2.0, 0.1), curve="line", fitting=None, settings=None, **changes) -> dict[str, Any]:
    """What ``path.json`` says.

    Args:
      losses: at t from 0 to 1, evenly spaced.
      curve: as it is told.
      fitting: of the curve; None for a line.
      settings: other ones than those below.
      changes: in all else.
    """
    t, lowest = np.linspace(0, 1, len(losses)), int(np.argmin(losses))
    told = {
        "settings": {
            "start": origin("scratch"),
            "end": origin(),
            "mask": "end",
            "label_smoothing": 0.0,
            "curve": curve,
            "fitting": fitting,
            "augmented": True,
            "batch_norm": "batch",
            "looks": [1437],
            **(settings or {}),
        },
        "verdict": "barrier",
        "barrier": climb(1.9, 0.0, 0.5, 1.8, 2.0),
        "largest_rise": climb(1.9, 0.0, 0.5, 1.8, 2.0),
        "ends_on_the_path": {"start": float(losses[0]), "end": float(losses[-1])},
        "ends_under_their_own_statistics_and_mask": {},
        "lowest": {"t": float(t[lowest]), "cross_entropy": float(losses[lowest]), "below_both_ends": False},
        "length": 8.5,
        "images": 1437,
        "independent_units": {"unit": "batch", "count": 12},
        "confidence": 0.95,
        "confidence_of_each_look": 0.95,
        "tolerance": 0.05,
    }
    assert set(changes) <= set(told)
    return {**told, **changes}


def write(path: files.PathFiles, losses, curve="line", fitting=None, error=0.01, **changes) -> None:
    """Writes ``path.csv``, ``path_covariance.csv`` and ``path.json``; see ``result`` for what may be changed.

    As ``storage`` does, but without waiting for the disk: of a study there are hundreds.

    Args:
      path: where they are to lie.
      losses: at t from 0 to 1, evenly spaced.
      curve: as it is told.
      fitting: of the curve; None for a line.
      error: of every loss; they do not covary.
      changes: in what ``path.json`` says.
    """
    path.create()
    told = result(losses, curve, fitting, **changes)
    t, losses = np.linspace(0, 1, len(losses)).tolist(), np.asarray(losses).tolist()
    smoothing = told["settings"]["label_smoothing"]
    rows = [
        {"t": at, "cross_entropy": loss, "error": error, "smoothed_cross_entropy": loss + smoothing, "top1": 0.9}
        for at, loss in zip(t, losses, strict=True)
    ]
    covariance = [
        {"t": str(at), **dict(zip(map(str, t), row, strict=True))}
        for at, row in zip(t, (error**2 * np.eye(len(t))).tolist(), strict=True)
    ]
    write_csv(path.table, rows)
    write_csv(path.covariance, covariance)
    path.result.write_text(json.dumps(told, indent=2))


def write_csv(path, rows) -> None:
    with path.open("w", newline="") as table:
        writer = csv.DictWriter(table, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
