"""A look at every image of a dataset: which ones cannot be decoded."""

import pathlib
from typing import get_args

import gin

from sparse_rigl_lands import checks, files, progress
from sparse_rigl_lands.data.dataset import Split
from sparse_rigl_lands.data.photographs import Photographs
from sparse_rigl_lands.data.skipped import write_skipped
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.training.workload import Workload


@gin.configurable(module="sparse_rigl_lands", denylist=["output_dir"])
def check_images(output_dir: str | None, workload: Workload) -> tuple[pathlib.Path, dict[str, dict[str, str]]]:
    """Decodes every image of both splits.

    Args:
      output_dir: where to write; None is ``runs/images/<workload>``.
      workload: whose dataset is looked at. What it skips already is not looked at.

    Returns:
      The file that names the damaged ones, see ``data.skipped``; and by split their names and faults.

    Raises:
      InputError: the dataset has no encoded images, or one of its files cannot be read.
    """
    checks.kind("check_images.workload", workload, Workload, "@Workload()")
    dataset = workload.dataset
    if not isinstance(dataset, Photographs):
        raise InputError(f"{type(dataset).__name__} has no encoded images that could be damaged")
    written = files.ImageCheckFiles(output_dir or files.default_images_directory(workload.name))
    with written.alone():
        found: dict[Split, dict[str, list[str]]] = {}
        faults: dict[str, dict[str, str]] = {}
        for split in get_args(Split):
            found[split], faults[split] = {}, {}
            with progress.Progress(f"decoding the {split} images", dataset.num_examples(split), "image") as bar:
                for file, count, damaged in dataset.damaged(split):
                    if damaged:
                        found[split][file] = list(damaged)
                        faults[split] |= damaged
                    bar.advance(count, f"{len(faults[split])} damaged")
        write_skipped(written.skipped, found)
    return written.skipped, faults
