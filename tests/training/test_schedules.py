"""Protects: the learning rate of every step."""

import numpy as np
import pytest

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.training.schedules import WarmupCosine, WarmupStepDecay


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
        {"peak": "1"},
        {"peak": 1.0, "factor": None},
        {"peak": 1.0, "warmup_steps": 1.5},
        {"peak": 1.0, "drops": 600},
        {"peak": 1.0, "drops": (600, None)},
    ],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(InputError, match="WarmupStepDecay"):
        WarmupStepDecay(**settings)


def test_rise_and_cosine():
    schedule = WarmupCosine(peak=2.0, steps=8, warmup=0.5)
    found = [float(schedule(step)) for step in range(10)]
    falling = [1 + np.cos(np.pi * part / 4) for part in (0, 1, 2, 3, 4, 4)]
    np.testing.assert_allclose(found, [0.5, 1.0, 1.5, 2.0, *falling], atol=1e-6)


def test_one_shape_for_any_number_of_steps():
    short, long = (WarmupCosine(peak=1.0, steps=steps, warmup=0.2) for steps in (100, 1000))
    np.testing.assert_allclose([float(short(s)) for s in (20, 60, 90)], [float(long(s)) for s in (200, 600, 900)])
    assert float(WarmupCosine(peak=0.3, steps=10)(0)) == pytest.approx(0.3)


@pytest.mark.parametrize(
    "settings",
    [
        {"peak": -1.0},
        {"peak": "1"},
        {"steps": 0},
        {"steps": None},
        {"warmup": 1.0},
        {"warmup": -0.1},
        {"warmup": ()},
    ],
)
def test_an_impossible_cosine_is_refused(settings):
    with pytest.raises(InputError, match=f"WarmupCosine.{next(iter(settings))} is"):
        WarmupCosine(**{"peak": 1.0, "steps": 10, **settings})
