"""What a run logs: one row per interval, to ``metrics.csv`` and TensorBoard."""

import csv
import time

import numpy as np

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.training.tensorboard import Observation, TensorBoard

_SUMS = "interval/sums"
_STEPS = "interval/steps"


class MetricsLog:
    """Averages the steps of an interval and writes them as one row.

    Args:
      run: where.
      start: the checkpoint that training goes on from: it holds the sums of the interval begun,
        and rows of later steps are dropped.
      batch_size: images per step.
      writes: whether this process is the one that writes.
    """

    def __init__(self, run: files.RunFiles, start: Checkpoint, batch_size: int, writes: bool = True):
        self._run = run
        self._batch_size = batch_size
        step = start.point.origin.global_step
        self._rows: list[dict[str, str | float]] = [row for row in _read(run) if int(row["step"]) <= step]
        self._sums = np.array(start.training.get(_SUMS, np.zeros(3)))
        self._steps = int(start.training.get(_STEPS, 0))
        self._tensorboard = TensorBoard(run) if writes else None
        self._last_write, self._last_step = time.monotonic(), step

    def add(self, metrics: np.ndarray) -> None:
        """Counts steps: [n, 3] of ``Trainer.take_steps``."""
        self._sums = self._sums + metrics.astype("float64").sum(axis=0)
        self._steps += len(metrics)

    def write(self, step: int, learning_rate: float, observation: Observation) -> None:
        """Ends the interval at a global step.

        The rate of training goes to TensorBoard only: the table is the same at every run.

        Args:
          step: the global step.
          learning_rate: of the interval's last step.
          observation: at its end.
        """
        now = time.monotonic()
        rate = (step - self._last_step) * self._batch_size / (now - self._last_write)
        self._last_write, self._last_step = now, step
        loss, l2, accuracy = (float(value) for value in self._sums / self._steps)
        scalars = {
            "smoothed_cross_entropy": loss,
            "l2": l2,
            "accuracy": accuracy,
            "learning_rate": learning_rate,
            "sparsity": observation.sparsity["all"],
        }
        self._sums, self._steps = np.zeros(3), 0
        self._rows.append({"step": step, **scalars})
        if self._tensorboard is not None:
            storage.write_csv(self._run.metrics, self._rows)
            self._tensorboard.write(step, {**scalars, "images_per_second": rate}, observation)

    def state(self) -> dict[str, np.ndarray]:
        """The sums of the interval begun, for the checkpoint."""
        return {_SUMS: self._sums, _STEPS: np.array(self._steps)}


def _read(run: files.RunFiles) -> list[dict[str, str | float]]:
    if not run.metrics.exists():
        return []
    with run.metrics.open(newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table))
