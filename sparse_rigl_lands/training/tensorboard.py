"""What TensorBoard shows of a run: ``tensorboard --logdir runs``."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from sparse_rigl_lands import files

_LARGEST = 256  # pixels of a mask's image in a row or a column


@dataclasses.dataclass(frozen=True)
class Observation:
    """What is looked at at the end of an interval, besides its loss.

    Args:
      sparsity: the fraction of zeros of what is masked, by kernel, and of all kernels together under ``"all"``.
      scheduled_sparsity: what the pruning schedule has for the kernels that it prunes.
      masks: bool, by kernel name.
      batch_norm: weights and moving statistics of BatchNorm by name, where they are asked for.
    """

    sparsity: Mapping[str, float]
    scheduled_sparsity: Mapping[str, float] = dataclasses.field(default_factory=dict)
    masks: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    batch_norm: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)


class TensorBoard:
    """Writes a run's events.

    Args:
      run: where.
    """

    def __init__(self, run: files.RunFiles):
        self._writer = tf.summary.create_file_writer(str(run.tensorboard))
        self._shown: Mapping[str, float] | None = None  # the sparsity of the masks whose images were written last

    def write(self, step: int, scalars: Mapping[str, float], observation: Observation) -> None:
        """Writes what there is at a global step; images of masks where these have changed."""
        with self._writer.as_default(step):
            for name, value in scalars.items():
                tf.summary.scalar(f"training/{name}", value)
            for name, value in observation.sparsity.items():
                tf.summary.scalar(f"sparsity/{name}", value)
            for name, value in observation.scheduled_sparsity.items():
                tf.summary.scalar(f"scheduled_sparsity/{name}", value)
            if observation.sparsity != self._shown:  # masks only shrink: others have another sparsity
                self._shown = observation.sparsity
                for name, mask in observation.masks.items():
                    tf.summary.image(f"mask/{name}", mask_image(mask)[np.newaxis, :, :, np.newaxis])
            for name, values in observation.batch_norm.items():
                tf.summary.histogram(f"batch_norm/{name}", values)
        self._writer.flush()


def mask_image(mask: np.ndarray) -> np.ndarray:
    """A mask as a picture: a column per unit (output channel), a row per weight that it sees.

    Args:
      mask: bool, of any kernel's shape; units are on its last axis.

    Returns:
      float32 [height, width], at most 256 of each: the share of live weights, 1 is white. Larger masks are
      averaged over blocks of nearly equal size.
    """
    picture = mask.reshape(-1, mask.shape[-1]).astype("float64")
    for axis in (0, 1):
        size = picture.shape[axis]
        edges = np.linspace(0, size, min(size, _LARGEST) + 1).astype(int)
        counts = np.diff(edges).reshape([-1 if each == axis else 1 for each in (0, 1)])
        picture = np.add.reduceat(picture, edges[:-1], axis=axis) / counts
    return picture.astype("float32")
