"""Protects: looking at a growing sample spends no more error than allowed, and saves images."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths import statistics
from sparse_rigl_lands.paths.looks import confidence_of_each, looks


def test_looks_grow_up_to_the_limit():
    assert looks(100, 1000) == (100, 200, 400, 800, 1000)
    assert looks(100, 800) == (100, 200, 400, 800)
    assert looks(3, 20, growth=1.5) == (3, 5, 8, 12, 18, 20)
    assert looks(100, 100) == looks(500, 100) == (100,)


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(1.001, 100))
def test_looks_are_whole_rising_and_end_with_the_limit(first, limit, growth):
    sizes = looks(first, limit, growth)
    assert all(isinstance(size, int) for size in sizes)
    assert sizes[-1] == limit
    assert len(sizes) == 1 or sizes[0] == first
    assert all(before < after <= np.ceil(before * growth) + 1 for before, after in itertools.pairwise(sizes))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 10), "the first look is at a sample of 0; it must be at least 1"),
        ((10, -5), "the last look is at a sample of -5; it must be at least 1"),
        ((1, 10, 1.0), "growth .* is 1.0; it must be finite and above 1"),
        ((1, 10, float("nan")), "growth .* is nan; it must be finite and above 1"),
        ((1, 10, float("inf")), "growth .* is inf; it must be finite and above 1"),
    ],
)
def test_refuses_in_one_line(arguments, message):
    with pytest.raises(InputError, match=message) as refused:
        looks(*arguments)
    assert "\n" not in str(refused.value)


def test_looks_share_the_error():
    assert confidence_of_each(0.95, 1) == pytest.approx(0.95)
    assert confidence_of_each(0.95, 5) == pytest.approx(0.99)


# The whole rule, on simulated losses whose path is known.

TOLERANCE = 0.02
SIZES = looks(125, 8000)


def _losses(random, curve):
    """Losses of the full sample of 8000 examples, float64 [8000, K]."""
    t = np.linspace(0, 1, len(curve))
    difficulty, slope = 0.5 * random.normal(size=(2, SIZES[-1], 1))
    return curve + difficulty + slope * t + 0.1 * random.normal(size=(SIZES[-1], len(curve)))


def _judge(losses, confidence):
    t, covariance = np.linspace(0, 1, losses.shape[1]), np.cov(losses.T) / len(losses)
    return statistics.judge(t, losses.mean(axis=0), covariance, len(losses) - 1, confidence, TOLERANCE).verdict


def _decide(losses, confidence_of_each):
    """The verdict, and how many examples it took."""
    for size in SIZES:
        verdict = _judge(losses[:size], confidence_of_each)
        if verdict != "undecided":
            break
    return verdict, size


def _rate_of_wrong(random, curve, truth, confidence_of_each, repetitions):
    verdicts = [_decide(_losses(random, curve), confidence_of_each)[0] for _ in range(repetitions)]
    return np.mean([verdict not in (truth, "undecided") for verdict in verdicts])


@pytest.fixture
def _fewer_draws(monkeypatch):
    monkeypatch.setattr(statistics, "MOST_DRAWS", 2000)


HUMP = np.sin(np.pi * np.linspace(0, 1, 11))
NEARLY_WRONG = {  # a rise just above the tolerance or just below it, and its verdict
    "hump-above": (1 + 1.02 * TOLERANCE * HUMP, "barrier"),
    "hump-below": (1 + 0.98 * TOLERANCE * HUMP, "monotone"),
    "step-above": (np.array([1.0, 1 + 1.02 * TOLERANCE]), "no_barrier"),
    "step-below": (np.array([1.0, 1 + 0.98 * TOLERANCE]), "monotone"),
}


@pytest.mark.usefixtures("_fewer_draws")
@pytest.mark.parametrize("name", NEARLY_WRONG)
def test_stopping_at_any_look_is_wrong_no_more_often_than_allowed(name, random):
    confidence, repetitions = 0.8, 200
    curve, truth = NEARLY_WRONG[name]
    each = confidence_of_each(confidence, len(SIZES))
    wrong = _rate_of_wrong(random, curve, truth, each, repetitions)
    assert wrong <= 1 - confidence + 3 * np.sqrt(confidence * (1 - confidence) / repetitions)


@pytest.mark.usefixtures("_fewer_draws")
def test_looks_that_do_not_share_the_error_are_wrong_too_often(random):
    """Why there is a budget. With two places each look comes close to the error it is allowed."""
    assert _rate_of_wrong(random, *NEARLY_WRONG["step-above"], confidence_of_each=0.8, repetitions=200) > 0.25


@pytest.mark.usefixtures("_fewer_draws")
@pytest.mark.parametrize(
    ("curve", "verdict"),
    [(1 + 0.5 * HUMP, "barrier"), (1 - 0.5 * HUMP, "no_barrier"), (1 - np.linspace(0, 1, 11), "monotone")],
    ids=["barrier", "no_barrier", "monotone"],
)
def test_an_easy_path_takes_a_small_part_of_the_images(curve, verdict, random):
    losses = _losses(random, curve)
    found, size = _decide(losses, confidence_of_each(0.95, len(SIZES)))
    assert found == verdict == _judge(losses, 0.95)
    assert size <= SIZES[-1] / 8
