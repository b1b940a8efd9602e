"""What bfloat16 costs in accuracy: the same paths in float32 and in bfloat16.

    python -m benchmarks.precision

Trains the pruned and the scratch solution of digits (finished runs are recognised), and evaluates two
lines on all augmented training images, 51 points, in both precisions and for everything that BatchNorm
may do: S-S to P-S, where there is a barrier, and D-I to P-S, where only stored statistics see one.
Reports the largest difference of the mean loss over t, and whether barriers and verdicts are the same.
Weights and sums are float32 or better in either precision: it is the layers' arithmetic that differs.
"""

from typing import Any, get_args

import numpy as np
import tensorflow as tf

from benchmarks import measure
from benchmarks.trained import digits_run
from sparse_rigl_lands import distribution
from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.paths.evaluated_path import EvaluatedPath
from sparse_rigl_lands.paths.evaluator import BatchNorm
from sparse_rigl_lands.paths.interface import evaluate_path
from sparse_rigl_lands.points.point import Point
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.training.summary import load_initialization, load_solution


def _examples() -> tf.data.Dataset:
    """All training images, augmented, one by one."""
    dataset = Digits()
    batches = dataset.evaluation_batches("train", dataset.num_examples("train"), augmented=True)  # one, without padding
    return batches.map(lambda images, labels, weights: (images, labels)).unbatch()


def _row(line: str, batch_norm: BatchNorm, in_float32: EvaluatedPath, in_bfloat16: EvaluatedPath) -> dict[str, Any]:
    """Compares a path in float32 with the same one in bfloat16."""
    differences = np.abs(in_bfloat16.losses.cross_entropy - in_float32.losses.cross_entropy)
    largest = int(np.argmax(differences))
    judgements = {"float32": in_float32.judge(), "bfloat16": in_bfloat16.judge()}
    return {
        "line": line,
        "batch_norm": batch_norm,
        "difference": float(differences[largest]),
        "at_t": float(in_float32.t[largest]),
        "loss_there": float(in_float32.losses.cross_entropy[largest]),
        **{f"barrier_{precision}": judgement.barrier.height for precision, judgement in judgements.items()},
        **{f"verdict_{precision}": judgement.verdict for precision, judgement in judgements.items()},
    }


def main() -> None:
    pruned, scratch = digits_run("pruned"), digits_run("scratch")
    strategy = distribution.strategy()
    solution = load_solution(pruned)
    lines = {
        "S-S to P-S": load_solution(scratch),
        "D-I to P-S": load_initialization(pruned),
    }

    def path(start: Point, batch_norm: BatchNorm, precision: str) -> EvaluatedPath:
        network = variants.with_precision(digits_resnet(), precision)
        return evaluate_path(network, start, solution, _examples(), batch_norm=batch_norm, strategy=strategy)

    rows = [
        _row(line, batch_norm, *(path(start, batch_norm, precision) for precision in ("float32", "mixed_bfloat16")))
        for line, start in lines.items()
        for batch_norm in get_args(BatchNorm)
    ]
    measure.report("precision", rows)


if __name__ == "__main__":
    main()
