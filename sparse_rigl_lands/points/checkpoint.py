"""Points on disk: ``tf.train.Checkpoint`` bundles with stable names.

What lies in one, as ``tf.train.list_variables`` prints it::

    origin/.ATTRIBUTES/VARIABLE_VALUE                        JSON of the point's Origin
    weights/stem.Sconv.Skernel/.ATTRIBUTES/VARIABLE_VALUE    float32, masked entries exactly zero
    masks/block1.Sconv1.Skernel/.ATTRIBUTES/VARIABLE_VALUE   bool
    statistics/stem.Snorm.Smoving_mean/...                   float32
    training/momentum.Sstem.Sconv.Skernel/...                what else a run needs to go on

(``.S`` is how ``tf.train.Checkpoint`` writes a slash within a name.) The names are those of the
network's layers, so a checkpoint is read without the model, the variant or the optimizer that it
came from, and none of it can be restored in part without anyone noticing.

A checkpoint consists of two files. Both are written under temporary names and renamed, the index
last: one whose index is there is complete.
"""

import dataclasses
import json
import pathlib
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.points import bundle
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity.mask import Mask

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    Args:
      point: the point of weight space.
      training: arrays by name: what else a run needs to go on from here.
    """

    point: Point
    training: Mapping[str, np.ndarray]


def save(prefix: pathlib.Path, checkpoint: Checkpoint) -> None:
    """Writes a checkpoint whole or not at all.

    Args:
      prefix: of ``files.RunFiles.checkpoint``; its directory is made.
      checkpoint: what to write.

    Raises:
      OSError: it cannot be written, as on a full disk.
    """
    prefix.parent.mkdir(parents=True, exist_ok=True)
    point = checkpoint.point
    groups = {
        "weights": point.weights,
        "masks": point.mask.arrays,
        "statistics": point.statistics,
        "training": checkpoint.training,
    }
    temporary = storage.partial(prefix)
    with tf.device("CPU"):
        saver = tf.train.Checkpoint(
            origin=tf.Variable(json.dumps(dataclasses.asdict(point.origin))),
            # In one order, whatever order they came in: the same values are then the same bytes.
            **{group: {name: tf.Variable(array) for name, array in sorted(of.items())} for group, of in groups.items()},
        )
        try:
            saver.write(str(temporary))
        except tf.errors.OpError as error:
            reason = error.message.rpartition("; ")[2].partition(" [Op:")[0]  # between TensorFlow's node and operation
            raise OSError(f"cannot write checkpoint {prefix}: {reason}") from error
    storage.put_in_place(files.data_file(temporary), files.data_file(prefix))
    storage.put_in_place(files.index_file(temporary), files.index_file(prefix))


def load(prefix: pathlib.Path) -> Checkpoint:
    """Reads a checkpoint.

    Raises:
      InputError: it is damaged, was not written by ``save``, holds a value that is not finite, or
        weights that are not zero where its mask says so.
    """
    groups: dict[str, dict[str, np.ndarray]] = {"weights": {}, "masks": {}, "statistics": {}, "training": {}}
    origin = None
    try:
        bundle.check(prefix)
        reader = tf.train.load_checkpoint(str(prefix))
        for key in sorted(reader.get_variable_to_shape_map()):
            value = reader.get_tensor(key)  # reading is what verifies the checksum, so read everything
            group, _, name = key.removesuffix(_VALUE).partition("/")
            if group == "origin":
                origin = Origin(**storage.parse_json(value.decode(), Origin))
            elif group in groups:
                _check_type(key, value, group)
                groups[group][_unescaped(name)] = value
    except (tf.errors.OpError, LookupError, OSError, RuntimeError, RecursionError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"checkpoint {prefix} is damaged: {reason}") from error
    if origin is None or not groups["weights"]:
        raise InputError(f"checkpoint {prefix} is not one of this project's: it holds no point")
    try:
        mask = Mask(groups["masks"])
        _check_agreement(groups["weights"], mask)
        point = Point(groups["weights"], mask, groups["statistics"], origin)
    except InputError as error:
        raise InputError(f"checkpoint {prefix}: {error}") from error
    return Checkpoint(point, groups["training"])


def load_step(run: files.RunFiles, step: int) -> Checkpoint:
    """Reads the checkpoint of a global step of a run.

    Raises:
      InputError: as ``check_step`` or ``load``.
    """
    check_step(run, step)
    return load(run.checkpoint(step))


def check_step(run: files.RunFiles, step: int) -> None:
    """Refuses a global step of which a run has no checkpoint.

    Raises:
      InputError: it has none.
    """
    steps = run.checkpoint_steps()
    if step not in steps:
        kept = ", ".join(map(str, steps)) or "none"
        raise InputError(f"{run.directory} has no checkpoint of step {step}; it has {kept}")


def _check_type(key: str, value: Any, group: str) -> None:
    """Refuses text, and weights that are no float32; a mask says itself that it must be bool."""
    if isinstance(value, bytes):
        raise ValueError(f"{key} is text")
    if group in ("weights", "statistics") and value.dtype != np.float32:
        raise ValueError(f"{key} has dtype {value.dtype}; it must be float32")


def _check_agreement(weights: Mapping[str, np.ndarray], mask: Mask) -> None:
    """Constructing a point would set such weights to zero, and evaluate another network than was trained."""
    for name, count in mask.nonzero_outside(weights).items():
        raise InputError(f"its mask and its weights disagree: {count:,} masked weights of {name} are not zero")


def _unescaped(name: str) -> str:
    """Undoes how ``tf.train.Checkpoint`` writes the key of a dictionary: '.' as '..', '/' as '.S'."""
    return re.sub(r"\.([.S])", lambda match: "." if match.group(1) == "." else "/", name)
