"""The memory of a path: it must not grow with the number of points.

    python -m benchmarks.path_memory

Interpolates a line of K = 3 and of K = 101 points on ResNet-50 at 224, as ``interpolate.py`` does, each
in a process of its own, and reports the peak resident memory of each. The limit is that of the fewest
points, whatever K is; five per cent are allowed for what an allocator does. Beside it stands what K sets
of weights would take.
"""

import sys
import tempfile

import numpy as np
import tensorflow as tf

from benchmarks import measure
from sparse_rigl_lands import distribution
from sparse_rigl_lands.data.dataset import Dataset, Selection, Split
from sparse_rigl_lands.networks.resnet50 import resnet50
from sparse_rigl_lands.paths.preparation import prepare_path
from sparse_rigl_lands.paths.run import interpolate
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin
from sparse_rigl_lands.replicas import WHOLE, Share
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.workload import Workload

_BATCH = 8
_POINTS = (3, 101)


class _Noise(Dataset):
    """Two batches of random images."""

    image_shape, image_dtype, num_classes = (224, 224, 3), tf.uint8, 1000

    def num_examples(self, split: Split) -> int:
        return 2 * _BATCH

    def training_batches(self, batch_size: int, seed: int, first_step: int, share: Share = WHOLE) -> tf.data.Dataset:
        raise AssertionError("nothing is trained here")

    def evaluation_examples(self, split: Split, augmented: bool, seed: int, selection: Selection) -> tf.data.Dataset:
        images = np.random.default_rng(0).integers(256, size=(2 * _BATCH, *self.image_shape), dtype="uint8")
        return selection.of(tf.data.Dataset.from_tensor_slices((images, np.zeros(len(images), "int32"))))


def _interpolate(num_points: int) -> None:
    strategy = distribution.strategy()
    workload = Workload("noise", _Noise(), resnet50(), Objective())
    start, end = (initializations.dense(workload.network, Origin("noise", "dense", seed, 0)) for seed in (0, 1))
    with tempfile.TemporaryDirectory() as directory:
        interpolate(prepare_path(directory, strategy, start, end, workload, num_points=num_points, batch_size=_BATCH))


def main() -> None:
    weights = resnet50().count_params() * 4 / 2**20
    peaks = [measure.peak_memory(_interpolate, num_points) for num_points in _POINTS]
    rows = [
        {
            "points": num_points,
            "peak_MB": peak,
            "that_many_weights_MB": num_points * weights,
            "ratio": peak / peaks[0],
            "limit": 1.05,
        }
        for num_points, peak in zip(_POINTS, peaks, strict=True)
    ]
    sys.exit(not measure.report("path_memory", rows))


if __name__ == "__main__":
    main()
