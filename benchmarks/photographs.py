"""Generated photographs as ImageNet has them, and an ImageNet of them that TensorFlow Datasets' builder prepares."""

import io
import pathlib
import tarfile
from collections.abc import Iterable

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

_HEIGHT, _WIDTH = 375, 500
_WNID = "n01440764"
_DISTINCT = 256  # photographs of a prepared set, 28 MB: more than the caches of a processor


def encoded(count: int) -> list[bytes]:
    """JPEG files of 500 x 375 pixels and about 110 kB, as ImageNet's are: smooth shapes and some noise."""
    random = np.random.default_rng(0)
    shapes = tf.image.resize(random.uniform(0, 255, (count, 12, 16, 3)), (_HEIGHT, _WIDTH), "bicubic").numpy()
    return [
        tf.io.encode_jpeg(np.clip(shape + random.normal(0, 12, shape.shape), 0, 255).astype("uint8")).numpy()
        for shape in shapes
    ]


def prepare_imagenet(directory: pathlib.Path, count: int, num_files: int) -> float:
    """Prepares imagenet2012, all training images of one class, and with one test image per file.

    A few hundred photographs are repeated under names of their own: each copy is cropped by draws of its own.

    Args:
      directory: where to; it is made.
      count: of training images.
      num_files: of either split.

    Returns:
      The mean size of a photograph in bytes.
    """
    manual = directory / "downloads" / "manual"
    manual.mkdir(parents=True)
    jpegs = encoded(_DISTINCT)
    images = _tar((f"{_WNID}_{i}.JPEG", jpegs[i % _DISTINCT]) for i in range(count))
    (manual / "ILSVRC2012_img_train.tar").write_bytes(_tar([(f"{_WNID}.tar", images)]))
    test = _tar((f"ILSVRC2012_val_{i + 1:08}.JPEG", jpegs[0]) for i in range(num_files))
    (manual / "ILSVRC2012_img_val.tar").write_bytes(test)
    tfds.disable_progress_bar()
    builder = tfds.builder("imagenet2012", data_dir=directory)
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(num_shards=num_files))
    return float(np.mean([len(jpeg) for jpeg in jpegs]))


def _tar(files: Iterable[tuple[str, bytes]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()
