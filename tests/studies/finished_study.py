"""The files of a study that was finished in name only: real ones, with numbers that were made up."""

import json
import math

import numpy as np

from sparse_rigl_lands import files
from sparse_rigl_lands.studies.study import POINTS, Study
from sparse_rigl_lands.studies.study_jobs import TABLE_OF_SOLUTIONS
from tests import finished_path

STEPS = (100, 200)
LOSSES = {"dense": 0.001, "pruned": 0.04, "lottery": 0.09, "scratch": 0.11, "zeroed_init": 0.001}
ACCURACIES = {"dense": 0.99, "pruned": 0.98, "lottery": 0.96, "scratch": 0.95, "zeroed_init": 0.99}
SECONDS = 30.0  # of every step
EVALUATION = {"count": 1437, "cross_entropy": 0.1, "cross_entropy_error": 0.01, "smoothed_cross_entropy": 0.2}
EVALUATION |= {"accuracy": 0.9, "top5": 1.0}


def study(**settings) -> Study:
    """A study of digits with a little of everything."""
    defaults = {
        "seeds": (0, 1, 2),
        "other_sparsities": (0.9,),
        "other_seeds": (0, 1),
        "zeroed_fractions": (0.9, 0.999),
        "path_seeds": (0, 1),
        "budget": 1200,
        "other_budgets": (300,),
    }
    return Study("test", "gin/digits", 0.99, **{**defaults, **settings})


def write(of: Study, written: files.StudyFiles) -> frozenset[str]:
    """Writes what its steps would leave; returns their names."""
    written.create()
    names = []
    for run in (run for sweep in of.sweeps() for run in sweep.runs()):
        _write_run(run, written.run(run.name))
        names.append(run.name)
    for path in of.paths():
        _write_path(path, written.path(path.name))
        names.append(path.name)
    written.solutions.create()
    rows = [
        _solution(str(written.run(run.name).directory), run) for run in of.sweeps()[0].runs() if not run.zeroed_fraction
    ]
    finished_path.write_csv(written.solutions.table, rows)
    for name in names:
        record = written.logs / f"{name}.json"
        record.parent.mkdir(parents=True, exist_ok=True)
        _write_json(record, {"seconds_of_last_process": SECONDS})
    return frozenset([*names, TABLE_OF_SOLUTIONS])


def loss_of(run) -> float:
    """The training loss of a run: that of its method, a little different for every seed."""
    return LOSSES[run.method] * (1 + 0.01 * run.seed) + (0.05 * run.sparsity if run.method != "dense" else 0.0)


def accuracy_of(run) -> float:
    accuracy = ACCURACIES[run.method] - 1e-5 * len(run.method) * run.seed
    return 0.1 if run.zeroed_fraction > 0.99 else accuracy


def _write_json(path, content) -> None:
    path.write_text(json.dumps(content, indent=2))


def _write_run(run, run_files) -> None:
    run_files.create()
    run_files.config.write_text(f"# of {run.method}\n")
    sparsity = run.sparsity and run.sparsity - 0.01
    rows = [
        {
            "step": step,
            "smoothed_cross_entropy": 0.2 / place,
            "l2": 0.01,
            "accuracy": 0.9,
            "learning_rate": 0.1,
            "sparsity": sparsity / (3 - place),
        }
        for place, step in enumerate(STEPS, start=1)
    ]
    finished_path.write_csv(run_files.metrics, rows)
    layers = [{"kernel": "a/kernel", "shape": [3, 8], "nonzero_at_start": 7, "units_empty_at_start": 1}]
    layers[0] |= {"weights": 24, "kept": 7, "sparsity": sparsity}
    _write_json(
        run_files.summary,
        {
            "workload": "digits",
            "first_step": 0,
            "global_step": STEPS[-1],
            "sparsity": sparsity,
            "layers": layers,
            "train_augmented": {**EVALUATION, "cross_entropy": loss_of(run), "cross_entropy_error": 0.002},
            "test": {**EVALUATION, "accuracy": accuracy_of(run), "count": 360},
            "environment": {"tensorflow": "2.20.0" if run.seed == 1 else "2.21.0", "device": "Some GPU"},
        },
    )


def height_of(path) -> float:
    """The barrier of a path, in nats; nothing for what the paper has as falling."""
    if path.run.steps:
        return 0.0 if path.run.curve in ("quadratic_dense", "cubic_dense") else 0.5
    return 0.0 if path.start.endswith("-I") else 3.0


def _write_path(path, path_files) -> None:
    height, degree = height_of(path), "cubic" if "cubic" in path.run.curve else "quadratic"
    manifold, steps = "dense" if "dense" in path.run.curve else "sparse", path.run.steps
    start, t = 2.3 if path.start.endswith("-I") else 0.11, np.linspace(0, 1, 5)
    climb = finished_path.climb(height, 0.0, 0.5, 0.9 * height, 1.1 * height + 0.002)
    finished_path.write(
        path_files,
        start + (0.04 - start) * t + height * np.sin(math.pi * t),
        f"{degree} Bezier curve" if steps else "line",
        {"manifold": manifold, "steps": steps} if steps else None,
        error=0.001,
        settings={"start": _origin(path.start, path.seed), "end": _origin(path.end, path.seed)},
        verdict="barrier" if height else "monotone",
        barrier=climb,
        largest_rise=climb,
        ends_under_their_own_statistics_and_mask={"start": EVALUATION, "end": EVALUATION},
        lowest={"t": 1.0, "cross_entropy": 0.04, "below_both_ends": False},
        confidence=0.99,
        confidence_of_each_look=0.99,
    )
    path_files.config.write_text(f"# of {path.run.curve}\n")


def _origin(point: str, seed: int) -> dict[str, object]:
    method, is_last = POINTS[point]
    return finished_path.origin(method, seed, STEPS[-1] if is_last else 0)


def _solution(directory: str, run) -> dict[str, object]:
    return {
        "run": directory,
        "point": {"dense": "D-S", "pruned": "P-S", "lottery": "L-S", "scratch": "S-S"}[run.method],
        "seed": run.seed,
        "sparsity": run.sparsity,
        "training_loss": loss_of(run),
        "training_loss_error": 0.002,
        "gradient_norm_sparse": 0.1,
        "gradient_noise_sparse": 0.1,
        "gradient_norm_dense": 0.2,
        "gradient_noise_dense": 0.1,
        "test_accuracy": accuracy_of(run),
        "distance_from_initialization": 12.5,
        "distance_to_pruned": "" if run.method == "dense" else 3.5,
        "mask_overlap_with_pruned": "" if run.method == "dense" else 1.0,
    }
