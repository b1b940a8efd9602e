"""What a run logs: one row per interval, to ``metrics.csv`` and TensorBoard."""

import time

import numpy as np
from typing_extensions import TypedDict

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.training.tensorboard import Observation, TensorBoard

_SUMS = "interval/sums"
_STEPS = "interval/steps"
_ROWS = "interval/rows"


class MetricsRow(TypedDict):
    """A row of ``metrics.csv``."""

    step: int
    smoothed_cross_entropy: float
    l2: float
    accuracy: float
    learning_rate: float
    sparsity: float


_COLUMNS = tuple(MetricsRow.__annotations__)


class MetricsLog:
    """Averages the steps of an interval and writes them as one row.

    The table is never read back: a checkpoint holds the rows until its step, so that a table that was damaged, or has
    rows of later steps, is made again.

    Args:
      run: where.
      start: the checkpoint that training goes on from: it holds the rows and the sums of the interval begun.
      batch_size: images per step.
      writes: whether this process is the one that writes.
    """

    def __init__(self, run: files.RunFiles, start: Checkpoint, batch_size: int, writes: bool = True):
        self._run = run
        self._batch_size = batch_size
        self._rows = np.array(start.training.get(_ROWS, np.zeros((0, len(_COLUMNS)))))
        self._sums = np.array(start.training.get(_SUMS, np.zeros(3)))
        self._steps = int(start.training.get(_STEPS, 0))
        self._tensorboard = TensorBoard(run) if writes else None
        self._last_write, self._last_step = time.monotonic(), start.point.origin.global_step
        self._write_table()

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
        row = [step, *(self._sums / self._steps), learning_rate, observation.sparsity["all"]]
        self._sums, self._steps = np.zeros(3), 0
        self._rows = np.vstack([self._rows, row])
        self._write_table()
        if self._tensorboard is not None:
            scalars = dict(zip(_COLUMNS[1:], map(float, row[1:]), strict=True))
            self._tensorboard.write(step, {**scalars, "images_per_second": rate}, observation)

    def state(self) -> dict[str, np.ndarray]:
        """The rows and the sums of the interval begun, for the checkpoint."""
        rows = {_ROWS: self._rows} if len(self._rows) else {}  # a checkpoint holds no empty array
        return {**rows, _SUMS: self._sums, _STEPS: np.array(self._steps)}

    def _write_table(self) -> None:
        if self._tensorboard is None:
            return
        if len(self._rows):
            rows = [dict(zip(_COLUMNS, row, strict=True)) for row in self._rows.tolist()]
            storage.write_csv(self._run.metrics, [{**row, "step": int(row["step"])} for row in rows])
        else:
            self._run.metrics.unlink(missing_ok=True)
