"""Protects: sums, means and paired errors, against NumPy on the examples themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.losses import PathLosses
from sparse_rigl_lands.paths.partial_sums import added_up


def _batches(seed, num_batches=4, replicas=2, places=3, n=5):
    """Batches of values in which some examples are padding, which holds NaNs."""
    random = np.random.default_rng(seed)
    for _ in range(num_batches):
        values = random.gamma(1.0, size=(replicas, places, 4, n)).astype("float32")
        labels = random.integers(4, size=(replicas, n))
        weights = (random.random((replicas, n)) < 0.8).astype("float32")
        yield np.where(weights[:, None, None] > 0, values, np.nan), labels, weights


def _added_up(batches, unit, classes=0):
    return PathLosses(**added_up(PathLosses.of_batch(*batch, unit, classes).arrays() for batch in batches))


def _examples(batches):
    """[examples, K, 4], and labels."""
    pairs = [(np.moveaxis(values, 3, 1)[weights > 0], labels[weights > 0]) for values, labels, weights in batches]
    values, labels = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return values.astype("float64"), labels


@given(st.integers(0, 10_000))
def test_means_and_covariance_of_independent_examples_are_numpys(seed):
    batches = list(_batches(seed))
    values, _ = _examples(batches)
    found = _added_up(batches, "example")
    assert found.count == found.units == len(values)
    np.testing.assert_allclose(found.means, values.mean(axis=0))
    covariance = np.cov(values[:, :, 0].T) / len(values)
    np.testing.assert_allclose(found.covariance(), covariance, atol=1e-12)
    np.testing.assert_allclose(found.errors(), np.sqrt(np.diag(covariance)))


@given(st.integers(0, 10_000))
def test_covariance_of_batches_is_that_of_a_ratio(seed):
    """By its definition, unit by unit; for batches of one size it is that of the batches' means."""
    batches = list(_batches(seed))
    found = _added_up(batches, "batch")
    units = [
        (values[r, :, 0][:, weights[r] > 0].astype("float64").sum(axis=1), weights[r].sum())
        for values, _, weights in batches
        for r in range(2)
        if weights[r].any()
    ]
    mean = sum(losses for losses, _ in units) / found.count
    residuals = np.array([losses - size * mean for losses, size in units])
    expected = len(units) / (len(units) - 1) * residuals.T @ residuals / found.count**2
    assert found.units == len(units)
    np.testing.assert_allclose(found.covariance(), expected, atol=1e-12)
    full = [(values, labels, np.ones_like(weights)) for values, labels, weights in batches]
    full = [(np.nan_to_num(values), labels, weights) for values, labels, weights in full]
    means = np.concatenate([values[:, :, 0].astype("float64").mean(axis=2) for values, _, _ in full])
    np.testing.assert_allclose(_added_up(full, "batch").covariance(), np.cov(means.T) / len(means), atol=1e-12)


def test_a_common_unit_effect_shows_in_the_errors_of_batches_alone(random):
    """What the examples of a batch share is not averaged out by their number."""
    shared = random.normal(size=(400, 1, 1, 1, 1))
    values = (3 + shared + 0.1 * random.normal(size=(400, 1, 1, 4, 50))).astype("float32")
    batches = [(value, np.zeros((1, 50), int), np.ones((1, 50))) for value in values]
    errors = {unit: _added_up(batches, unit).errors()[0] for unit in ("example", "batch")}
    assert errors["batch"] == pytest.approx(1 / np.sqrt(400), rel=0.1)
    assert errors["example"] < errors["batch"] / 5


@pytest.mark.parametrize("unit", ["example", "batch"])
def test_errors_are_those_of_the_bootstrap(unit, random):
    """Of losses, and of a step between two places: resampled is what is independent, and its size with it."""
    values = random.gamma(1.0, size=(200, 1, 2, 1, 6)) + 0.5 * random.normal(size=(200, 1, 2, 1, 1))
    values += random.gamma(1.0, size=(200, 1, 1, 1, 6))  # what an example, or a batch, has at both places
    weights = (np.arange(6) < random.integers(1, 7, size=(200, 1, 1))).astype("float32")
    batches = zip(np.repeat(values, 4, axis=3).astype("float32"), np.zeros((200, 1, 6), int), weights, strict=True)
    found = _added_up(batches, unit)

    losses = np.moveaxis(values[:, 0, :, 0], 1, 2) * weights[:, 0, :, None]  # [batches, examples, K]
    if unit == "example":
        sums, sizes = losses[weights[:, 0] > 0], np.ones(int(weights.sum()))
    else:
        sums, sizes = losses.sum(axis=1), weights[:, 0].sum(axis=1)
    drawn = random.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), 4000)  # how often each unit is
    means = drawn @ sums / (drawn @ sizes)[:, None]
    np.testing.assert_allclose(found.errors(), means.std(axis=0), rtol=0.05)
    covariance = found.covariance()
    step_error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert step_error == pytest.approx(np.diff(means).std(), rel=0.05)


def test_small_differences_of_large_losses_keep_their_digits(random):
    """The second moments are exact sums, so the variance of a difference of 1e-4 is not lost in losses of 5."""
    common = random.normal(5, 1, size=10_000)
    losses = np.stack([common, common + 1e-4 * random.normal(size=10_000)]).astype("float32")
    values = np.repeat(losses[None, :, None], 4, axis=2)
    covariance = PathLosses.of_batch(values, np.zeros((1, 10_000), int), np.ones((1, 10_000)), "example").covariance()
    difference = losses[1].astype("float64") - losses[0]
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert variance == pytest.approx(difference.var(ddof=1) / 10_000, rel=1e-5)


def test_losses_by_class(random):
    batches = list(_batches(0))
    values, labels = _examples(batches)
    found = _added_up(batches, "example", classes=5)
    np.testing.assert_array_equal(found.class_counts, np.bincount(labels, minlength=5))
    for c in range(4):
        np.testing.assert_allclose(found.class_cross_entropy[c], values[labels == c, :, 0].mean(axis=0))
    assert np.isnan(found.class_cross_entropy[4]).all()  # no example is of it


def test_arrays_are_all_there_is():
    losses = _added_up(_batches(0), "batch", classes=5)
    again = PathLosses(**losses.arrays())
    for name, array in losses.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)


def test_one_unit_has_no_error():
    batch = next(_batches(0))
    one = PathLosses.of_batch(*(array[:1] for array in batch), "batch")
    with pytest.raises(InputError, match="two independent units"):
        one.covariance()
