"""Protects: at which steps something is logged, saved and kept, and which counts are refused."""

import pytest

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.training.recipe import Recipe
from sparse_rigl_lands.training.schedules import WarmupStepDecay


def _recipe(**settings):
    defaults = {"steps": 25, "batch_size": 64, "learning_rate": WarmupStepDecay(0.1), "log_every": 10}
    return Recipe(**{**defaults, "checkpoint_every": 7, "keep_steps": (12,), **settings})


def test_stops_are_all_steps_at_which_something_is_written():
    recipe, step, stops = _recipe(), 0, []
    while step < 25:
        step = recipe.next_stop(step)
        stops.append(step)
    assert stops == [7, 10, 12, 14, 20, 21, 25]
    assert [s for s in range(26) if recipe.logs_at(s)] == [0, 10, 20, 25]
    assert [s for s in range(26) if recipe.checkpoints_at(s)] == [0, 7, 12, 14, 21, 25]
    assert [s for s in range(26) if recipe.keeps(s)] == [0, 12, 25]


@pytest.mark.parametrize("setting", ["steps", "batch_size", "log_every", "checkpoint_every"])
def test_counts_below_one_are_refused(setting):
    with pytest.raises(InputError, match=f"Recipe.{setting} is 0"):
        _recipe(**{setting: 0})


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("steps", "abc"),
        ("steps", 2.5),
        ("momentum", 1.5),
        ("momentum", "x"),
        ("learning_rate", 0.1),
        ("keep_steps", 5),
        ("log_batch_norm", 1),
        ("nesterov", "False"),
        ("steps", True),
    ],
)
def test_values_of_another_kind_are_refused(setting, value):
    with pytest.raises(InputError, match=f"Recipe.{setting} is {value!r}"):
        _recipe(**{setting: value})


@pytest.mark.parametrize("step", [-1, 26])
def test_steps_that_are_never_taken_cannot_be_kept(step):
    with pytest.raises(InputError, match=f"Recipe.keep_steps names step {step}; training goes from 0 to 25"):
        _recipe(keep_steps=(step,))


@pytest.mark.parametrize("step", [True, 2.5, "5"])
def test_what_is_no_step_cannot_be_kept(step):
    with pytest.raises(InputError, match=f"Recipe.keep_steps names {step!r}; it must be a whole number"):
        _recipe(keep_steps=(step,))
