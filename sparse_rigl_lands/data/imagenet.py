"""ImageNet, the ILSVRC 2012 classification data, from where TensorFlow Datasets has prepared it."""

import gin
import numpy as np
import tensorflow as tf

from sparse_rigl_lands import checks
from sparse_rigl_lands.data.dataset import Split
from sparse_rigl_lands.data.photographs import Photographs, Source
from sparse_rigl_lands.data.tfds_images import data_directory, preparation, prepared, tfds_source
from sparse_rigl_lands.errors import InputError

_VERSIONS = ("5.1.0", "5.0.0")  # alike in what is read here: 5.1.0 adds the unlabelled test images
_EXAMPLES_AND_FILES: dict[Split, tuple[int, int]] = {"train": (1_281_167, 1024), "test": (50_000, 64)}


@gin.configurable(module="sparse_rigl_lands")
class ImageNet(Photographs):
    """1,281,167 training and 50,000 test images (the validation set) of 1000 classes.

    TensorFlow Datasets has shuffled all examples when it wrote the 1024 training files, so any few of them
    are a random sample of everything.

    Args:
      data_dir: the directory that holds ``imagenet2012/<version>``; by default that of the
        environment variable TFDS_DATA_DIR, or else ~/tensorflow_datasets.
      image_size: height and width of the images in pixels.
      lanes, files_per_group: see ``record_order.RecordOrder``; a file holds 1251 examples or 0.14 GB.
      skip: a file of ``scripts/check_images.py``: the photographs that it names are left out.

    Where imagenet2012 is not prepared, ``check_there`` says how; all that a plan needs is known.

    Raises:
      InputError: a file is missing of what was prepared, a setting is no path, or as ``photographs.Photographs``.

    Source: Russakovsky et al. 2015 (arXiv 1409.0575).
    """

    def __init__(
        self,
        data_dir: str | None = None,
        image_size: int = 224,
        lanes: int = 1,
        files_per_group: int = 16,
        skip: str | None = None,
    ):
        checks.path("ImageNet.data_dir", data_dir, others=(None,))
        checks.path("ImageNet.skip", skip, others=(None,))
        where = data_directory(data_dir)
        directory = prepared(where / "imagenet2012", _VERSIONS)
        if directory is None:
            source = _missing(
                f"imagenet2012, version {' or '.join(_VERSIONS)}, is not prepared in {where}: put "
                "ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar of https://image-net.org into "
                f"{where / 'downloads' / 'manual'} and run: {preparation(f'imagenet2012:{_VERSIONS[0]}', where)} "
                "(gin/digits/ has the same experiments on data that needs no download)"
            )
        else:
            source = tfds_source(directory, {"train": "train", "test": "validation"}, skip)
        super().__init__(source, image_size, lanes, files_per_group)


def _missing(message: str) -> Source:
    """Of as many examples and files as there would be, none of which can be read."""

    def refuse(_: tf.Tensor) -> tf.data.Dataset:
        raise InputError(message)

    return Source(
        files={split: range(files) for split, (_, files) in _EXAMPLES_AND_FILES.items()},
        lengths={s: np.diff(np.arange(f + 1) * n // f) for s, (n, f) in _EXAMPLES_AND_FILES.items()},
        open_files=refuse,
        parse=refuse,
        num_classes=1000,
        missing=message,
    )
