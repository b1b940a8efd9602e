"""A small ImageNet, prepared by TensorFlow Datasets' own builder, of the images of ``data/tree.py``."""

import io
import tarfile

import tensorflow_datasets as tfds

from tests.data.tree import encoded

CLASSES = {"n01440764": 0, "n01443537": 1, "n02123045": 281, "n15075141": 999}
TRAIN = [(list(CLASSES)[i * i % 4], i) for i in range(23)]  # the class and the number of a training image
TEST_LABELS = [65, 970, 230, 809, 516, 57, 334]  # of ILSVRC2012_val_00000001 onwards


def _photograph(i):
    """JPEG of image i, of one of six sizes."""
    return encoded(i, size=(40 + 8 * (i % 3), 60 - 7 * (i % 2)))


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
        images = [(f"{wnid}_{i}.JPEG", _photograph(i)) for name, i in TRAIN if name == wnid]
        _tar(manual / f"{wnid}.tar", images)
    _tar(
        manual / "ILSVRC2012_img_train.tar",
        [(f"{wnid}.tar", (manual / f"{wnid}.tar").read_bytes()) for wnid in CLASSES],
    )
    validation = [(f"ILSVRC2012_val_{i + 1:08}.JPEG", _photograph(i)) for i in range(len(TEST_LABELS))]
    _tar(manual / "ILSVRC2012_img_val.tar", validation)
    builder = tfds.builder("imagenet2012", data_dir=directory)
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(num_shards=num_shards))
    return directory
