"""The photographs that are left out of a dataset because they cannot be decoded, as a file names them::

    {
      "train": {"imagenet2012-train.tfrecord-00003-of-01024": ["n01440764_77.JPEG"]},
      "test": {}
    }

It is part of what a run is of: how many examples there are, and in what order, is known before one is read.
"""

import pathlib
from collections.abc import Mapping, Sequence
from typing import get_args

from sparse_rigl_lands import storage
from sparse_rigl_lands.data.dataset import Split
from sparse_rigl_lands.errors import InputError

# split to file to the names of its photographs
Skipped = Mapping[Split, Mapping[str, Sequence[str]]]


def read_skipped(path: str) -> Skipped:
    """Reads such a file.

    Raises:
      InputError: it is missing, or another kind of file.
    """
    if not pathlib.Path(path).is_file():
        raise InputError(f"{path}, which names photographs to skip, is not there; scripts/check_images.py writes it")
    try:
        content = storage.read_json(pathlib.Path(path), dict[Split, dict[str, list[str]]])
        if set(content) != set(get_args(Split)):
            raise InputError(f"{path} is damaged: it has the splits {', '.join(content) or 'none'}")
    except InputError as error:
        wanted = "it does not name photographs by split and file, as scripts/check_images.py does"
        raise InputError(f"{error}; {wanted}") from error
    return content  # type: ignore[return-value]  # its keys are splits


def write_skipped(path: pathlib.Path, skipped: Skipped) -> None:
    """Writes such a file."""
    storage.write_json(path, {split: skipped[split] for split in get_args(Split)})
