"""How many images a verdict takes: samples that grow until it is decided, against all images.

    python -m benchmarks.images_saved

Trains the pruned and the scratch solution of digits (finished runs are recognised), and evaluates the
lines S-S to P-S, where there is a barrier, and D-I to P-S, where there is none, both ways: on the 1437
augmented training images, and on a synthetic set forty times as large, in which every copy of an image
is shifted anew and has noise of its own. The verdicts must be the same.
"""

import sys
import tempfile
from typing import Any, Literal

import tensorflow as tf

from benchmarks import measure
from benchmarks.trained import digits_run
from sparse_rigl_lands import distribution, seeds, storage
from sparse_rigl_lands.data.dataset import Dataset, Selection, Split
from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.paths.evaluator import BatchNorm
from sparse_rigl_lands.paths.preparation import prepare_path
from sparse_rigl_lands.paths.run import interpolate
from sparse_rigl_lands.paths.sample import Sample
from sparse_rigl_lands.points.point import Point
from sparse_rigl_lands.replicas import WHOLE, Share
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.summary import load_initialization, load_solution
from sparse_rigl_lands.training.workload import Workload

_COPIES = 40
_NOISE = 0.3  # standard deviations of the images


class _NoisyDigits(Dataset):
    """Copies of the training images in one random order, each augmented by draws of its own."""

    image_shape, num_classes = (8, 8, 1), 10

    def __init__(self) -> None:
        digits = Digits()
        n = digits.num_examples("train")
        copies = [next(iter(digits.evaluation_batches("train", n, True, seed))) for seed in range(_COPIES)]
        images, labels = (tf.concat([copy[i] for copy in copies], axis=0) for i in (0, 1))
        key = [seeds.key(0, "noisy digits"), 0]
        order = tf.random.experimental.stateless_shuffle(tf.range(_COPIES * n), key)
        noise = tf.random.stateless_normal(images.shape, key, stddev=_NOISE)
        self._images, self._labels = tf.gather(images + noise, order), tf.gather(labels, order)

    def num_examples(self, split: Split) -> int:
        return int(self._labels.shape[0])

    def training_batches(self, batch_size: int, seed: int, first_step: int, share: Share = WHOLE) -> tf.data.Dataset:
        raise AssertionError("nothing is trained here")

    def evaluation_examples(self, split: Split, augmented: bool, seed: int, selection: Selection) -> tf.data.Dataset:
        return selection.of(tf.data.Dataset.from_tensor_slices((self._images, self._labels)))


def _judged(
    workload: Workload,
    strategy: tf.distribute.Strategy,
    ends: tuple[Point, Point],
    batch_norm: BatchNorm,
    images: Literal["all", "until_decided"],
) -> tuple[int, str]:
    """The images that were evaluated, and the verdict."""
    sample = Sample(images, first=1024 if batch_norm == "batch" else 256)
    with tempfile.TemporaryDirectory() as directory:
        settings = {"batch_norm": batch_norm, "sample": sample, "num_points": 21}
        path = interpolate(prepare_path(directory, strategy, *ends, workload, **settings))
        result = storage.read_json(path.result)
    return result["images"], result["verdict"]


def main() -> None:
    strategy = distribution.strategy()
    pruned, scratch = digits_run("pruned"), digits_run("scratch")
    solution = load_solution(pruned)
    lines = {
        "S-S to P-S": (load_solution(scratch), solution),
        "D-I to P-S": (load_initialization(pruned), solution),
    }
    rows: list[dict[str, Any]] = []
    for data in (Digits(), _NoisyDigits()):
        workload = Workload("digits", data, digits_resnet(), Objective())
        for line, ends in lines.items():
            for batch_norm in ("batch", "recalibrated"):
                (full, verdict), (images, sooner) = (
                    _judged(workload, strategy, ends, batch_norm, images) for images in ("all", "until_decided")
                )
                rows.append(
                    {
                        "line": line,
                        "batch_norm": batch_norm,
                        "all_images": full,
                        "verdict": verdict,
                        "images_until_decided": images,
                        "verdict_of_these": sooner,
                        "saved": f"{1 - images / full:.0%}",
                    }
                )
    measure.report("images_saved", rows)
    others = sum(row["verdict_of_these"] != row["verdict"] for row in rows)
    if others:
        sys.exit(f"images_saved: {others} of {len(rows)} verdicts are not those of all images")


if __name__ == "__main__":
    main()
