"""What a run logs: one row per interval, to ``metrics.csv`` and TensorBoard."""

import csv
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from sparse_rigl_lands import files

_SUMS = "interval/sums"
_STEPS = "interval/steps"


class MetricsLog:
    """Averages the steps of an interval and writes them as one row.

    Args:
      run: where.
      first_step: the global step that training goes on from; rows written after it are dropped.
      training: of the checkpoint that it goes on from: holds the sums of the interval begun.
    """

    def __init__(self, run: files.RunFiles, first_step: int, training: Mapping[str, np.ndarray]):
        self._run = run
        self._rows: list[dict[str, str | float]] = [row for row in _read(run) if int(row["step"]) <= first_step]
        self._sums = np.array(training.get(_SUMS, np.zeros(3)))
        self._steps = int(training.get(_STEPS, 0))
        self._writer = tf.summary.create_file_writer(str(run.tensorboard))

    def add(self, metrics: np.ndarray) -> None:
        """Counts steps: [n, 3] of ``Trainer.take_steps``."""
        self._sums = self._sums + metrics.astype("float64").sum(axis=0)
        self._steps += len(metrics)

    def write(self, step: int, learning_rate: float, sparsity: Mapping[str, float], rate: float) -> None:
        """Ends the interval at a global step.

        Args:
          step: the global step.
          learning_rate: of the interval's last step.
          sparsity: the fraction of zeros of every pruned kernel, and of all under ``"all"``.
          rate: images per second; to TensorBoard only, since the table is the same at every run.
        """
        loss, l2, accuracy = (float(value) for value in self._sums / self._steps)
        row: dict[str, str | float] = {
            "step": step,
            "smoothed_cross_entropy": loss,
            "l2": l2,
            "accuracy": accuracy,
            "learning_rate": learning_rate,
            "sparsity": sparsity["all"],
        }
        self._rows.append(row)
        files.write_csv(self._run.metrics, self._rows)
        with self._writer.as_default(step):
            for name, value in row.items():
                if name != "step":
                    tf.summary.scalar(f"training/{name}", value)
            tf.summary.scalar("training/images_per_second", rate)
            for name, value in sparsity.items():
                tf.summary.scalar(f"sparsity/{name}", value)
        self._writer.flush()
        self._sums, self._steps = np.zeros(3), 0

    def state(self) -> dict[str, np.ndarray]:
        """The sums of the interval begun, for the checkpoint."""
        return {_SUMS: self._sums, _STEPS: np.array(self._steps)}


def _read(run: files.RunFiles) -> list[dict[str, str | float]]:
    if not run.metrics.exists():
        return []
    with run.metrics.open(newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table))
