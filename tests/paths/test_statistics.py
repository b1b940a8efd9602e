"""Protects: rise, barrier and verdict against their definitions, and how often their bounds hold.

Coverage is counted on simulated losses whose path is known: a smooth curve, what examples share
along it, and noise.
"""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.paths import statistics
from sparse_rigl_lands.paths.statistics import Climb

# Not every float: between two losses 1e-300 apart no covariance means anything.
LOSSES = st.lists(st.integers(0, 1000), min_size=2, max_size=12).map(lambda losses: np.array(losses) / 100)
DEGREES_OF_FREEDOM = st.sampled_from([1, 5, 11, 200, 10**5])


@pytest.fixture(scope="module", autouse=True)
def _fewer_draws():
    """A thousand draws put the critical value within a few per cent, which is enough to count on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "MOST_DRAWS", 1000)
        yield


def _covariance(num_places, degrees_of_freedom, scale=0.1, seed=0):
    """A covariance of means as estimated: of rank at most the degrees of freedom."""
    units = np.random.default_rng(seed).normal(size=(min(degrees_of_freedom, 50) + 1, num_places)).cumsum(axis=1)
    return scale**2 * np.atleast_2d(np.cov(units.T)) / len(units)


def _judge(losses, degrees_of_freedom=200, confidence=0.95, tolerance=0.01, **covariance):
    t = np.linspace(0, 1, len(losses))
    covariance = _covariance(len(losses), degrees_of_freedom, **covariance)
    return statistics.judge(t, losses, covariance, degrees_of_freedom, confidence, tolerance)


def _at(losses, t):
    return losses[np.flatnonzero(np.linspace(0, 1, len(losses)) == t)[0]]


@given(LOSSES, DEGREES_OF_FREEDOM)
def test_largest_rise_is_the_largest_of_all_pairs(losses, degrees_of_freedom):
    rise = _judge(losses, degrees_of_freedom).largest_rise
    assert rise.height == max(losses[j] - losses[i] for j in range(len(losses)) for i in range(j + 1))
    assert rise.start <= rise.end
    assert _at(losses, rise.end) - _at(losses, rise.start) == rise.height
    assert 0 <= rise.lower <= rise.height <= rise.upper


@given(LOSSES, DEGREES_OF_FREEDOM)
def test_barrier_is_the_maximum_above_the_higher_end(losses, degrees_of_freedom):
    barrier = _judge(losses, degrees_of_freedom).barrier
    assert barrier.height == losses.max() - max(losses[0], losses[-1])
    assert barrier.start == (0 if losses[0] >= losses[-1] else 1)
    assert _at(losses, barrier.end) == losses.max()
    assert 0 <= barrier.lower <= barrier.height <= barrier.upper


@given(LOSSES, DEGREES_OF_FREEDOM)
def test_bounds_are_those_of_the_contrasts_put_into_the_definitions(losses, degrees_of_freedom):
    judgement = _judge(losses, degrees_of_freedom)
    covariance, places = _covariance(len(losses), degrees_of_freedom), range(len(losses))
    for side, name in ((-1, "lower"), (1, "upper")):

        def bound(i, j, side=side):
            variance = max(covariance[i, i] + covariance[j, j] - 2 * covariance[i, j], 0)
            return losses[j] - losses[i] + side * judgement.critical_value * variance**0.5

        rise = max(0, *(bound(i, j) for j in places for i in range(j)))
        barrier = max(0, *(min(bound(0, k), bound(len(losses) - 1, k)) for k in places))
        assert getattr(judgement.largest_rise, name) == pytest.approx(rise, abs=1e-9)
        assert getattr(judgement.barrier, name) == pytest.approx(barrier, abs=1e-9)


@given(LOSSES, st.sampled_from([0.0, 0.01, 0.1, 1.0]))
def test_the_verdict_is_what_the_bounds_allow(losses, tolerance):
    judgement = _judge(losses, tolerance=tolerance)
    rise, barrier = judgement.largest_rise, judgement.barrier

    def possible(verdict):
        """Whether some true rise and barrier within the bounds have this verdict."""
        return {
            "barrier": barrier.upper > tolerance,
            "monotone": rise.lower <= tolerance,
            "no_barrier": rise.upper > tolerance and barrier.lower <= tolerance,
        }[verdict]

    verdicts = [verdict for verdict in ("barrier", "monotone", "no_barrier") if possible(verdict)]
    assert judgement.verdict == (verdicts[0] if len(verdicts) == 1 else "undecided")


def test_exact_losses_are_decided():
    """With heights at the tolerance, which do not count, and above it."""
    t, nothing = np.array([0.0, 0.5, 1.0]), np.zeros((3, 3))
    verdicts = {
        (3.0, 2.0, 1.0): "monotone",
        (3.0, 0.5, 0.75): "monotone",
        (3.0, 0.5, 1.0): "no_barrier",
        (1.0, 2.0, 3.0): "no_barrier",
        (1.0, 1.25, 1.0): "monotone",
        (1.0, 1.375, 1.0): "barrier",
        (1.0, 3.25, 3.0): "no_barrier",
    }
    for losses, verdict in verdicts.items():
        judgement = statistics.judge(t, np.array(losses), nothing, 10, 0.95, tolerance=0.25)
        assert judgement.verdict == verdict, losses
        assert judgement.critical_value == 0
    descent = statistics.judge(t, np.array([3.0, 2.0, 1.0]), nothing, 10, 0.95, tolerance=0.0)
    assert descent.largest_rise == Climb(0.0, 0.0, 0.0, 0.0, 0.0)
    assert descent.barrier == Climb(0.0, 0.0, 0.0, 0.0, 0.0)
    dip = statistics.judge(t, np.array([3.0, 0.5, 1.0]), nothing, 10, 0.95, tolerance=0.0)
    assert dip.largest_rise == Climb(0.5, 0.5, 1.0, 0.5, 0.5)
    assert dip.barrier == Climb(0.0, 0.0, 0.0, 0.0, 0.0)


def _heights(judgement):
    climbs = (judgement.largest_rise, judgement.barrier)
    return np.array([[climb.height, climb.lower, climb.upper] for climb in climbs])


@given(LOSSES, DEGREES_OF_FREEDOM, st.floats(-1000, 1000))
def test_a_constant_added_to_the_losses_changes_nothing(losses, degrees_of_freedom, constant):
    before, after = _judge(losses, degrees_of_freedom), _judge(losses + constant, degrees_of_freedom)
    np.testing.assert_allclose(_heights(after), _heights(before), atol=1e-9)


def test_an_error_shared_by_all_places_changes_nothing():
    """The variance of a contrast must not be lost in that of the loss itself."""
    covariance = _covariance(9, 11)
    expected = statistics.critical_value(covariance, 11, 0.05)
    assert statistics.critical_value(covariance + 1e8, 11, 0.05) == pytest.approx(expected, rel=0.05)


@given(LOSSES, st.sampled_from([0.25, 2.0, 1024.0]), st.sampled_from([0.01, 0.1, 1.0]))
def test_the_unit_of_the_loss_does_not_matter(losses, factor, tolerance):
    before = _judge(losses, tolerance=tolerance)
    after = _judge(factor * losses, tolerance=factor * tolerance, scale=0.1 * factor)
    assert after.verdict == before.verdict
    assert after.critical_value == pytest.approx(before.critical_value)
    np.testing.assert_allclose(_heights(after), factor * _heights(before), rtol=1e-9, atol=1e-9)


@given(LOSSES, DEGREES_OF_FREEDOM)
def test_a_barrier_is_the_same_from_both_ends(losses, degrees_of_freedom):
    """But for the noise of the critical value, whose draws come in another order."""
    t, covariance = np.linspace(0, 1, len(losses)), _covariance(len(losses), degrees_of_freedom)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "critical_value", lambda *arguments: 3.0)
        forth = statistics.judge(t, losses, covariance, degrees_of_freedom, 0.95, 0.01)
        back = statistics.judge(1 - t[::-1], losses[::-1], covariance[::-1, ::-1], degrees_of_freedom, 0.95, 0.01)
    np.testing.assert_allclose(_heights(back)[1], _heights(forth)[1], atol=1e-9)


# What the critical value must be where it is known in closed form.


def _two_sided_t(error, degrees_of_freedom):
    return scipy.stats.t.isf(error / 2, degrees_of_freedom)


@pytest.mark.parametrize("degrees_of_freedom", [1, 11, 99, 100, 10**5])
def test_two_places_need_student_t(degrees_of_freedom, monkeypatch):
    """One contrast: nothing needs drawing, and few units cost nothing more."""
    monkeypatch.setattr(statistics, "MOST_DRAWS", 100_000)
    found = statistics.critical_value(np.array([[2.0, 1.0], [1.0, 3.0]]), degrees_of_freedom, 0.05)
    assert found == pytest.approx(_two_sided_t(0.05, degrees_of_freedom), rel=0.01)


def test_places_that_vary_as_one_need_no_more_than_two_places(monkeypatch):
    monkeypatch.setattr(statistics, "MOST_DRAWS", 100_000)
    direction = np.array([0.0, 1.0, 3.0, 2.0])
    covariance = np.outer(direction, direction)
    assert statistics.critical_value(covariance, 10**5, 0.05) == pytest.approx(1.96, rel=0.01)
    # With few units, the half of the error that is kept back shows.
    assert statistics.critical_value(covariance, 11, 0.05) == pytest.approx(_two_sided_t(0.025, 11), rel=0.03)


def test_independent_places_need_the_studentized_range(monkeypatch):
    """Tukey's test: the range of K independent normals, over the standard error of a difference."""
    monkeypatch.setattr(statistics, "MOST_DRAWS", 100_000)
    expected = scipy.stats.studentized_range.isf(0.05, 10, np.inf) / np.sqrt(2)
    assert statistics.critical_value(np.eye(10), 10**6, 0.05) == pytest.approx(expected, rel=0.01)


def test_both_ways_to_the_critical_value_meet_at_the_threshold(monkeypatch):
    """Without the half of the error: the covariance drawn, and the quantile taken to Student's t."""
    monkeypatch.setattr(statistics, "MOST_DRAWS", 100_000)
    threshold = statistics.FEW_DEGREES_OF_FREEDOM
    covariance = _covariance(15, threshold)
    converted = statistics.critical_value(covariance, threshold, 0.05)
    drawn = statistics.critical_value(covariance, threshold - 1, 0.10)
    assert drawn == pytest.approx(converted, rel=0.02)


def test_covariances_are_drawn_around_the_estimate():
    """Wishart: mean I, and variances (I_ii I_jj + I_ij^2) / degrees of freedom."""
    roots = statistics._wishart_roots(np.random.default_rng(0), 50_000, rank=3, degrees_of_freedom=5)
    drawn = roots @ roots.transpose(0, 2, 1)
    np.testing.assert_allclose(drawn.mean(axis=0), np.eye(3), atol=0.02)
    np.testing.assert_allclose(drawn.var(axis=0), (1 + np.eye(3)) / 5, rtol=0.05)


@given(st.integers(2, 12), DEGREES_OF_FREEDOM, st.sampled_from([0.5, 0.05, 0.001]))
def test_never_more_than_bonferroni_nor_less_than_one_contrast(num_places, degrees_of_freedom, error):
    found = statistics.critical_value(_covariance(num_places, degrees_of_freedom), degrees_of_freedom, error)
    pairs = num_places * (num_places - 1) / 2
    assert found <= _two_sided_t(error / pairs, degrees_of_freedom) * (1 + 1e-9)
    if error == 0.5:  # smaller ones are beyond these few draws
        assert found >= 0.9 * _two_sided_t(error, degrees_of_freedom)


def test_constant_stretches_do_not_count():
    covariance = _covariance(4, 200)
    repeated = np.repeat(np.repeat(covariance, 3, axis=0), 3, axis=1)
    expected = statistics.critical_value(covariance, 200, 0.05)
    assert statistics.critical_value(repeated, 200, 0.05) == pytest.approx(expected, rel=0.05)
    with np.errstate(all="raise"):
        assert statistics.critical_value(np.ones((4, 4)), 200, 0.05) == 0


@pytest.mark.parametrize(("size", "num_independent"), [(1e-4, 2), (1e-7, 1)])
def test_a_small_contrast_counts_until_it_is_rounding(size, num_independent, monkeypatch):
    monkeypatch.setattr(statistics, "MOST_DRAWS", 100_000)
    steps = np.array([[0, 0], [1, 0], [1, size]])
    expected = _two_sided_t(1 - 0.95 ** (1 / num_independent), 10**6)
    assert statistics.critical_value(steps @ steps.T, 10**6, 0.05) == pytest.approx(expected, rel=0.01)


def test_a_rank_that_so_few_units_cannot_have_is_met_with_bonferroni():
    covariance = _covariance(6, 50)
    assert statistics.critical_value(covariance, 3, 0.05) == pytest.approx(_two_sided_t(0.05 / 15, 3))
    repeated = np.repeat(np.repeat(covariance, 2, axis=0), 2, axis=1)  # 6 of the 66 pairs are constant
    assert statistics.critical_value(repeated, 3, 0.05) == pytest.approx(_two_sided_t(0.05 / 60, 3))


def test_the_critical_value_is_the_same_every_time():
    covariance = _covariance(8, 11)
    assert len({statistics.critical_value(covariance, 11, 0.05) for _ in range(3)}) == 1


# How often the bounds hold.

T = np.linspace(0, 1, 15)
CURVES = {
    "descent": 1.0 - 0.5 * T,
    "hump": 1.0 + 0.3 * np.sin(np.pi * T) - 0.2 * T,
    "dip": 1.0 - 0.4 * np.sin(np.pi * T) + 0.1 * T,
    "flat": np.ones_like(T),  # every pair is as good as any other: the bounds are tightest here
}
WAVES = np.stack([np.ones_like(T), *(np.cos(np.pi * k * T) / k for k in range(1, 5))])


def _normal_examples(random, count):
    """What examples share along the path, smooth in t, and noise of their own at every t."""
    return 0.5 * random.normal(size=(count, len(WAVES))) @ WAVES + 0.05 * random.normal(size=(count, len(T)))


def _skewed_examples(random, count):
    """Exponential, as cross-entropies are: most are small and a few large; the mean is 0."""
    easy, hard = random.exponential(size=(2, count, 1)) - 1
    return easy * np.exp(-T) + hard * np.sin(2 * T) + 0.05 * random.normal(size=(count, len(T)))


def _random_walks(random, count):
    """As rough as a path of few units can be."""
    return 0.1 * random.normal(size=(count, len(T))).cumsum(axis=1)


def _batches(examples, size):
    """Means over batches of examples."""
    return lambda random, count: examples(random, count * size).reshape(count, size, len(T)).mean(axis=1)


def _estimate(units):
    """What ``judge`` is given: means, their covariance, its degrees of freedom."""
    return units.mean(axis=0), np.cov(units.T) / len(units), len(units) - 1


@pytest.mark.parametrize(
    ("draw", "num_units"),
    [
        (_normal_examples, 600),
        (_skewed_examples, 600),
        (_normal_examples, 50),
        (_batches(_normal_examples, 4), 12),
        (_batches(_skewed_examples, 128), 12),
        (_random_walks, 12),
        (_random_walks, 8),
    ],
    ids=["examples", "skewed", "50-examples", "12-batches", "12-skewed-batches", "12-walks", "8-walks"],
)
@pytest.mark.parametrize("curve", ["flat", "hump"])
def test_bounds_hold_as_often_as_they_say(draw, num_units, curve, random):
    confidence, repetitions = 0.9, 300
    truth = CURVES[curve]
    contrasts = truth - truth[:, None]
    t = np.linspace(0, 1, len(truth))
    rise, barrier = (climb.height for climb in _exact(t, truth))
    held = np.zeros((repetitions, 3), bool)
    for repetition in range(repetitions):
        means, covariance, degrees_of_freedom = _estimate(truth + draw(random, num_units))
        judgement = statistics.judge(t, means, covariance, degrees_of_freedom, confidence, 0.0)
        variances = np.diag(covariance)[:, None] + np.diag(covariance) - 2 * covariance
        margins = judgement.critical_value * np.sqrt(np.maximum(variances, 0))
        held[repetition] = (
            np.all(np.abs(means - means[:, None] - contrasts) <= margins),
            judgement.largest_rise.lower <= rise <= judgement.largest_rise.upper,
            judgement.barrier.lower <= barrier <= judgement.barrier.upper,
        )
    coverage, noise = held.mean(axis=0), np.sqrt(confidence * (1 - confidence) / repetitions)
    assert np.all(coverage >= confidence - 3 * noise), coverage
    assert coverage[0] <= 0.99, "bounds that always hold are wider than they need be"
    assert np.all(held[held[:, 0]]), "rise and barrier hold whenever the contrasts do"


def _exact(t, losses):
    judgement = statistics.judge(t, losses, np.zeros((len(t), len(t))), 10, 0.95, 0.0)
    return judgement.largest_rise, judgement.barrier


@pytest.mark.parametrize(
    ("curve", "verdict"),
    [("descent", "monotone"), ("small hump", "barrier"), ("small dip", "no_barrier")],
)
def test_pairing_decides_what_independent_samples_cannot(curve, verdict, random):
    """Rises of 0.02 nats among losses that differ by 0.5 from example to example."""
    curves = {
        "descent": CURVES["descent"],
        "small hump": 1.0 + 0.02 * np.sin(np.pi * T),
        "small dip": 1.0 - 0.02 * np.sin(np.pi * T),
    }
    shared = 0.5 * random.normal(size=(2000, 1))
    means, covariance, degrees_of_freedom = _estimate(
        curves[curve] + shared + 0.05 * random.normal(size=(len(shared), len(T)))
    )
    paired = statistics.judge(T, means, covariance, degrees_of_freedom, 0.95, tolerance=0.01)
    diagonal = np.diag(np.diag(covariance))
    independent = statistics.judge(T, means, diagonal, degrees_of_freedom, 0.95, tolerance=0.01)
    assert paired.verdict == verdict
    assert independent.verdict == "undecided"
