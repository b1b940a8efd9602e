"""A small ImageNet, prepared by TensorFlow Datasets' own builder.

In every image blue is a constant that tells which one it is, red rises from left to right and green
from top to bottom: what an augmented image shows can be read from it.
"""

import io
import tarfile

import numpy as np
import PIL.Image
import tensorflow_datasets as tfds

CLASSES = {"n01440764": 0, "n01443537": 1, "n02123045": 281, "n15075141": 999}
TRAIN = [(list(CLASSES)[i * i % 4], i) for i in range(23)]  # the class and the number of a training image
TEST_LABELS = [65, 970, 230, 809, 516, 57, 334]  # of ILSVRC2012_val_00000001 onwards


def photograph(i):
    """JPEG of image i: blue is 10 i."""
    height, width = 40 + 8 * (i % 3), 60 - 7 * (i % 2)
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)
    pixels[..., 1] = np.linspace(0, 255, height)[:, None]
    pixels[..., 2] = 10 * i
    stream = io.BytesIO()
    PIL.Image.fromarray(pixels).save(stream, "JPEG", quality=100, subsampling=0)
    return stream.getvalue()


def _tar(path, files):
    with tarfile.open(path, "w") as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def prepare(directory, num_shards):
    """Prepares imagenet2012 in a new directory, and returns that."""
    manual = directory / "downloads" / "manual"
    manual.mkdir(parents=True)
    for wnid in CLASSES:
        images = [(f"{wnid}_{i}.JPEG", photograph(i)) for name, i in TRAIN if name == wnid]
        _tar(manual / f"{wnid}.tar", images)
    _tar(
        manual / "ILSVRC2012_img_train.tar",
        [(f"{wnid}.tar", (manual / f"{wnid}.tar").read_bytes()) for wnid in CLASSES],
    )
    validation = [(f"ILSVRC2012_val_{i + 1:08}.JPEG", photograph(i)) for i in range(len(TEST_LABELS))]
    _tar(manual / "ILSVRC2012_img_val.tar", validation)
    builder = tfds.builder("imagenet2012", data_dir=directory)
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(num_shards=num_shards))
    return directory
