"""Protects: the table of a run that goes on is the one that its checkpoint knows, whatever became of the file."""

import numpy as np
import pandas as pd
import pytest

from sparse_rigl_lands import files
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.training.metrics import MetricsLog
from sparse_rigl_lands.training.tensorboard import Observation


def _checkpoint(step, training):
    origin = Origin("small", "dense", 0, step)
    return Checkpoint(Point({"kernel": np.ones(1, "float32")}, Mask({}), {}, origin), training)


def _write(log, step):
    log.add(np.array([[1 / step, 0.5, 0.75]]))
    log.write(step, 0.1, Observation({"all": 0.5}, {}, {}))


@pytest.mark.parametrize("content", [None, "", "step\n1\n", "later"])
def test_rows_come_from_the_checkpoint(tmp_path, content):
    """Those of later steps are dropped, a number keeps all of its digits, and what lies there is not read."""
    run = files.RunFiles(tmp_path)
    log = MetricsLog(run, _checkpoint(0, {}), 32)
    _write(log, 3)
    _write(log, 7)
    state, written = log.state(), run.metrics.read_text()
    assert written.startswith(
        "step,smoothed_cross_entropy,l2,accuracy,learning_rate,sparsity\n3,0.3333333333333333,0.5"
    )
    if content == "later":
        _write(log, 9)
    elif content is None:
        run.metrics.unlink()
    else:
        run.metrics.write_text(content)
    again = MetricsLog(run, _checkpoint(7, state), 32)
    assert run.metrics.read_text() == written
    _write(again, 8)
    assert list(pd.read_csv(run.metrics)["step"]) == [3, 7, 8]
