"""The memory of a path: it must not grow with the number of points.

    python -m benchmarks.path_memory

Evaluates a line of K = 3 and of K = 101 points on ResNet-50 at 224, each in a process of its own, and
reports the peak resident memory of each. The limit is two points, one combined set of weights and one
batch's activations, whatever K is: a ratio of 1. Beside it stands what K sets of weights would take.
"""

import json
import resource
import subprocess
import sys

import numpy as np
import tensorflow as tf

from benchmarks import measure
from sparse_rigl_lands import distribution
from sparse_rigl_lands.networks.resnet50 import resnet50
from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.paths.curves import Line
from sparse_rigl_lands.paths.evaluator import evaluate
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.training.objective import Objective

_BATCH = 8
_POINTS = (3, 101)


def _evaluate(num_points: int) -> None:
    """Evaluates a line on two batches and prints this process's peak memory in MB."""
    strategy = distribution.strategy()
    network = resnet50()
    with strategy.scope():
        curve_network = CurveNetwork(network, 2, "batch")
    curve_network.assign([initializations.dense(network, "imagenet", "dense", seed) for seed in (0, 1)])
    images = np.random.default_rng(0).normal(size=(_BATCH, 224, 224, 3)).astype("float32")
    batch = images, np.zeros(_BATCH, "int32"), np.ones(_BATCH, "float32")
    batches = tf.data.Dataset.from_tensors(batch).repeat(2)
    evaluate(curve_network, Line().coefficients(np.linspace(0, 1, num_points)), Objective(), batches, strategy)
    print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def main() -> None:
    if len(sys.argv) == 2:
        _evaluate(int(sys.argv[1]))
        return
    rows = []
    for num_points in _POINTS:
        command = [sys.executable, "-m", "benchmarks.path_memory", str(num_points)]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        peak = json.loads(output.splitlines()[-1])
        weights = resnet50().count_params() * 4 / 2**20
        rows.append({"points": num_points, "peak_MB": peak, "that_many_weights_MB": num_points * weights})
        rows[-1]["peak_/_first"] = peak / rows[0]["peak_MB"]
    measure.report("path_memory", rows)


if __name__ == "__main__":
    main()
