"""ImageNet, the ILSVRC 2012 classification data, from where TensorFlow Datasets has prepared it."""

import gin

from sparse_rigl_lands.data.photographs import Photographs
from sparse_rigl_lands.data.tfds_images import data_directory, preparation, prepared, tfds_source
from sparse_rigl_lands.errors import InputError

_VERSIONS = ("5.1.0", "5.0.0")  # alike in what is read here: 5.1.0 adds the unlabelled test images


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

    Raises:
      InputError: imagenet2012 is not prepared there, or as ``photographs.Photographs``.

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
        where = data_directory(data_dir)
        directory = prepared(where / "imagenet2012", _VERSIONS)
        if directory is None:
            raise InputError(
                f"imagenet2012, version {' or '.join(_VERSIONS)}, is not prepared in {where}: put "
                "ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar of https://image-net.org into "
                f"{where / 'downloads' / 'manual'} and run: {preparation(f'imagenet2012:{_VERSIONS[0]}', where)} "
                "(gin/digits/ has the same experiments on data that needs no download)"
            )
        source = tfds_source(directory, {"train": "train", "test": "validation"}, skip)
        super().__init__(source, image_size, lanes, files_per_group)
