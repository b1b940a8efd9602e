"""The input of training: images per second and per second of a core, host memory, and waiting between groups.

    python -m benchmarks.input_pipeline

``ImageNet.training_batches`` reads files that TensorFlow Datasets has prepared of generated photographs, in 16 lanes as
gin/workload.gin has them. The limit is the same decoding and cropping of photographs that are in memory, without
batches. A user would read the files by TFDS, which decodes the whole photograph, crop it likewise, and standardise it
there and then, as the reference does; how much of the difference is the decoding's is told by one that hands on pixel
values, too.
A window of time is as long as a group of files, so that each holds the reading of one. A ratio is the median of those
of the rounds, whose windows follow one another. Time is also told in seconds of the processor, of all threads together:
unlike the clock's these do not depend on what else the machine does.

Memory: the peak of a process that reads through several groups must not depend on how many files there are. Waiting:
groups are read ahead, so that the batch that begins one should come no later than others.
"""

import itertools
import operator
import pathlib
import statistics
import sys
import tempfile
import time
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds

from benchmarks import measure, photographs
from sparse_rigl_lands.data import crops
from sparse_rigl_lands.data.imagenet import ImageNet

_LANES, _BATCH, _SIZE = 16, 64, 224
_FILES, _OF_FILE = 32, 128
_GROUP = _LANES * _OF_FILE  # images of the groups that are trained on at a time, one file per lane
_UNTIMED, _ROUNDS = 512, 9
_FILES_IN_MEMORY_TEST, _OF_THESE = (32, 96), 32  # files, and photographs of each
_READ_IN_MEMORY_TEST = 8 * _LANES * _OF_THESE
_GROUPS_WAITED_FOR = 4


def _prepare(directory: pathlib.Path, count: int, num_files: int) -> float:
    """By a process of its own: what this one has allocated decides how it gives memory back, and so how fast it is."""
    return measure.in_its_own_process(photographs.prepare_imagenet, directory, count, num_files)


def _training(directory: str) -> tf.data.Dataset:
    return ImageNet(directory, _SIZE, lanes=_LANES, files_per_group=1).training_batches(_BATCH, 0, 0)


def _in_memory() -> tf.data.Dataset:
    """The limit; of an image one number is passed on, and these are batched so that Python does not count."""

    def example(index: tf.Tensor, photograph: tf.Tensor) -> tf.Tensor:
        return crops.random_resized_crop(photograph, tf.stack([index, 0]), _SIZE)[0, 0, 0]

    encoded = tf.data.Dataset.from_tensor_slices(photographs.encoded(256)).repeat().enumerate()
    return encoded.map(example, tf.data.AUTOTUNE, deterministic=True).batch(_BATCH)


def _decoded_whole(directory: str, standardised: bool) -> tf.data.Dataset:
    """As a user would write it; files are shuffled, and nothing else."""
    # In rows, which TensorFlow broadcasts four times as fast as three channels: kinder than what most would write.
    means, deviations = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
    mean, deviation = (tf.tile(tf.constant(of_channels), [_SIZE])[tf.newaxis] for of_channels in (means, deviations))

    def example(index: tf.Tensor, example: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        box_seed, flip_seed = tf.unstack(tf.random.experimental.stateless_split(tf.stack([index, 0]), 2))
        box = crops.random_box(tf.shape(example["image"]), box_seed)
        part = tf.image.crop_to_bounding_box(example["image"], *tf.unstack(box))
        if not standardised:
            return tf.image.stateless_random_flip_left_right(crops.resized(part, _SIZE), flip_seed), example["label"]
        resized = tf.image.resize(part, [_SIZE, _SIZE], tf.image.ResizeMethod.BICUBIC)
        flipped = tf.image.stateless_random_flip_left_right(resized, flip_seed)
        rows = (tf.reshape(flipped, [_SIZE, -1]) - mean) / deviation
        return tf.reshape(rows, flipped.shape), example["label"]

    builder = tfds.builder("imagenet2012", data_dir=directory)
    examples = builder.as_dataset("train", shuffle_files=True).repeat().enumerate()
    return examples.map(example, tf.data.AUTOTUNE).batch(_BATCH).prefetch(tf.data.AUTOTUNE)


def _speed(directory: str) -> list[dict[str, Any]]:
    streams = {
        "training": _training(directory),
        "photographs in memory": _in_memory(),
        "TFDS, decoded whole": _decoded_whole(directory, standardised=True),
        "the same, pixel values": _decoded_whole(directory, standardised=False),
    }
    clocks = {"clock": time.perf_counter, "processor": time.process_time}
    seconds: dict[tuple[str, str], list[float]] = {(n, c): [] for n in streams for c in clocks}
    for name in [name for _ in range(_ROUNDS) for name in streams]:
        batches = iter(streams[name])  # anew: one that is left would go on reading ahead while others are timed
        for _ in range(_UNTIMED // _BATCH):
            next(batches)
        started = {clock: now() for clock, now in clocks.items()}
        for _ in range(_GROUP // _BATCH):
            next(batches)
        for clock, now in clocks.items():
            seconds[name, clock].append(now() - started[clock])
        del batches
    rates = {key: _GROUP / statistics.median(values) for key, values in seconds.items()}
    return [
        {
            "compared_with": other,
            "seconds_of": clock,
            "images_per_second": rates["training", clock],
            "slowest": _GROUP / max(seconds["training", clock]),
            "fastest": _GROUP / min(seconds["training", clock]),
            "its_images_per_second": rates[other, clock],
            "ratio": statistics.median(map(operator.truediv, seconds[other, clock], seconds["training", clock])),
            "at_least": at_least,
        }
        for other, at_least in zip(list(streams)[1:], (0.9, 1.2, None), strict=True)
        for clock in clocks
    ]


def _read(directory: str, count: int) -> None:
    for _ in itertools.islice(_training(directory), count // _BATCH):
        pass


def _memory(directory: pathlib.Path) -> list[dict[str, Any]]:
    peaks, size = [], 0.0
    for files in _FILES_IN_MEMORY_TEST:
        of_files = directory / str(files)
        size = _prepare(of_files, files * _OF_THESE, files)
        peaks.append([measure.peak_memory(_read, str(of_files), n) for n in (0, _READ_IN_MEMORY_TEST)])
    return [
        {
            "files": files,
            "files_MB": files * _OF_THESE * size / 2**20,
            "read_MB": _READ_IN_MEMORY_TEST * size / 2**20,
            "two_groups_MB": 2 * _LANES * _OF_THESE * size / 2**20,
            "before_reading_MB": before,
            "peak_MB": peak,
            "ratio": peak / peaks[0][1],
            "limit": 1.1,
        }
        for files, (before, peak) in zip(_FILES_IN_MEMORY_TEST, peaks, strict=True)
    ]


def _waiting(directory: str) -> list[dict[str, Any]]:
    """The gaps between batches that are asked for as fast as they come."""
    of_group = _GROUP // _BATCH

    def gaps(batches: tf.data.Dataset) -> list[float]:
        times = []
        for _ in itertools.islice(batches, (_GROUPS_WAITED_FOR + 1) * of_group):
            times.append(time.perf_counter())
        return [after - before for before, after in itertools.pairwise(times)][of_group // 2 :]

    rows = []
    for name, batches in {"training": _training(directory), "photographs in memory": _in_memory()}.items():
        found = gaps(batches)
        # The k-th gap is the one before batch of_group / 2 + k + 1; the first batches of a group may wait for it.
        at_end = [gap for k, gap in enumerate(found) if (of_group // 2 + k + 1) % of_group < 2]
        median = statistics.median(found)
        rows.append(
            {
                "stream": name,
                "batches": len(found),
                "median_ms": median * 1e3,
                "largest_over_median": max(found) / median,
                "at_a_groups_end": max(at_end) / median,
            }
        )
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        _prepare(directory / "speed", _FILES * _OF_FILE, _FILES)
        within = [
            measure.report("input_pipeline", _speed(str(directory / "speed"))),
            measure.report("input_pipeline_waiting", _waiting(str(directory / "speed"))),
            measure.report("input_pipeline_memory", _memory(directory)),
        ]
    sys.exit(not all(within))


if __name__ == "__main__":
    main()
