"""Protects: the learning rate of every step."""

import numpy as np
import pytest

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.training.schedules import WarmupStepDecay


def test_warm_up_and_drops():
    schedule = WarmupStepDecay(peak=2.0, warmup_steps=4, drops=(6, 8), factor=0.1)
    found = [float(schedule(step)) for step in range(10)]
    np.testing.assert_allclose(found, [0.5, 1.0, 1.5, 2.0, 2.0, 2.0, 0.2, 0.2, 0.02, 0.02], rtol=1e-6)


def test_without_warm_up_it_starts_at_the_peak():
    assert float(WarmupStepDecay(peak=0.3)(0)) == pytest.approx(0.3)


@pytest.mark.parametrize(
    "settings",
    [
        {"peak": 0.0},
        {"peak": float("nan")},
        {"peak": 1.0, "drops": (8, 6)},
        {"peak": 1.0, "warmup_steps": -2},
        {"peak": 1.0, "factor": -1},
    ],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(InputError, match="WarmupStepDecay"):
        WarmupStepDecay(**settings)
