"""Protects: what the files say of a path is what NumPy finds, for the real network for digits.

Of the package NumPy takes the images, their labels and the random points alone, see ``numpy_network``.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from sparse_rigl_lands import storage
from sparse_rigl_lands.data.dataset import Selection
from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.paths.curves import Bezier, Line
from sparse_rigl_lands.paths.preparation import prepare_path
from sparse_rigl_lands.paths.run import interpolate
from sparse_rigl_lands.paths.sample import Sample
from sparse_rigl_lands.points import checkpoint
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.workload import Workload
from tests import numpy_network
from tests.random_points import random_sparse_point

T = np.arange(11) / 10
_IMAGES, _BATCH, _FOR_STATISTICS = 300, 32, 100  # neither number of images is that of whole batches
_DECAY, _SMOOTHING, _SEED = 5e-3, 0.1, 5
_FIRST_POINT = 3  # from there on, no two logits whose order counts are closer than 6e-5, far above float32's rounding


class _Case(NamedTuple):
    """A path, and Bernstein's polynomials written out."""

    curve: Line | Bezier
    sparsities: tuple[float, ...]  # of the control points
    augmented: bool

    def bernstein(self, t):
        return (1 - t, t) if len(self.sparsities) == 2 else ((1 - t) ** 2, 2 * t * (1 - t), t**2)


CASES = {
    "line": _Case(Line(), (0.0, 0.9), False),  # from a dense start, which the path puts under the end's mask
    "quadratic": _Case(Bezier(2), (0.9, 0.9, 0.9), True),
}


class _Found(NamedTuple):
    """What the files of a path say, and the values that NumPy finds."""

    batch_norm: str
    table: pd.DataFrame
    covariance: np.ndarray
    told: dict[str, Any]
    values: np.ndarray  # [K, 4, images]
    l2: np.ndarray  # [K]
    at_ends: np.ndarray  # [2, 4, images], under their own mask and statistics

    def expected_covariance(self):
        """Of the mean losses, from the single ones, or from those of the batches where these share statistics."""
        losses = self.values[:, 0]
        if self.batch_norm != "batch":
            return np.cov(losses) / _IMAGES
        residuals = losses - losses.mean(axis=1, keepdims=True)
        units = np.stack([batch.sum(axis=0) for batch in _batches(residuals.T)])
        return len(units) * np.cov(units.T) / _IMAGES**2


@pytest.fixture(scope="module")
def workload():
    return Workload("digits", Digits(), digits_resnet(), Objective(_DECAY, _SMOOTHING))


@pytest.fixture(scope="module", params=["batch", "stored", "recalibrated"])
def batch_norm(request):
    return request.param


@pytest.fixture(scope="module", params=CASES)
def found(request, batch_norm, workload, one_device, tmp_path_factory):
    case, directory = CASES[request.param], tmp_path_factory.mktemp("cross_check")
    seeds = enumerate(case.sparsities, _FIRST_POINT)
    points = [random_sparse_point(workload.network, seed, sparsity) for seed, sparsity in seeds]
    table, covariance, told = _written(directory, case, points, batch_norm, workload, one_device)

    examples = workload.dataset.evaluation_examples("train", case.augmented, _SEED, Selection(0, _IMAGES, _BATCH))
    images, labels = (np.stack(part) for part in zip(*examples.as_numpy_iterator(), strict=True))
    values, l2 = [], []
    for t in T:
        weights, statistics = _at(case.bernstein(t), points, batch_norm, images)
        values.append(_values(weights, statistics, images, labels))
        l2.append(numpy_network.l2(weights, _DECAY))
    own = [(numpy_network.masked(p.weights, p.mask.arrays), p.statistics) for p in (points[0], points[-1])]
    at_ends = [_values(weights, numpy_network.stored(arrays), images, labels) for weights, arrays in own]
    return _Found(batch_norm, table, covariance, told, np.stack(values), np.stack(l2), np.stack(at_ends))


def _written(directory, case, points, batch_norm, workload, strategy):
    """What the files of the path say."""
    inner = [directory / f"points/{i}" for i in range(1, len(points) - 1)]
    for prefix, point in zip(inner, points[1:-1], strict=True):
        checkpoint.save(prefix, Checkpoint(point, {}))
    prepared = prepare_path(
        str(directory / "path"),
        strategy,
        points[0],
        points[-1],
        workload,
        curve=case.curve,
        control_points=[str(prefix) for prefix in inner],
        num_points=len(T),
        batch_norm=batch_norm,
        batch_size=_BATCH,
        recalibration_images=_FOR_STATISTICS,
        sample=Sample(_IMAGES),
        augmented=case.augmented,
        seed=_SEED,
    )
    files = interpolate(prepared)
    table = pd.read_csv(files.table, float_precision="round_trip")
    return table, pd.read_csv(files.covariance).set_index("t").to_numpy(), storage.read_json(files.result)


def _at(coefficients, points, batch_norm, images):
    """The weights at a place of the path, and the statistics by which they are evaluated there."""
    mask = points[-1].mask.arrays
    weights = numpy_network.combination(coefficients, [numpy_network.masked(p.weights, mask) for p in points])
    if batch_norm == "batch":
        return weights, numpy_network.of_the_batch
    if batch_norm == "recalibrated":
        return weights, numpy_network.recalibrated(weights, _batches(images[:_FOR_STATISTICS]))
    return weights, numpy_network.stored(numpy_network.combination(coefficients, [p.statistics for p in points]))


def _values(weights, statistics, images, labels):
    """[4, images]"""
    logits = np.concatenate([numpy_network.logits(weights, batch, statistics) for batch in _batches(images)])
    return numpy_network.values(labels, logits, _SMOOTHING)


def _batches(examples):
    return np.split(examples, range(_BATCH, len(examples), _BATCH))


def test_losses_and_accuracies(found):
    """Of losses, float32 leaves a relative error of 1e-7; the accuracies are the same number of images."""
    table, (cross_entropy, smoothed, top1, top5) = found.table, found.values.mean(axis=2).T
    np.testing.assert_array_equal(table["t"], T)
    assert set(table["count"]) == {_IMAGES}
    np.testing.assert_allclose(table["cross_entropy"], cross_entropy, rtol=1e-5)
    np.testing.assert_allclose(table["smoothed_cross_entropy"], smoothed, rtol=1e-5)
    np.testing.assert_allclose(table["l2"], found.l2, rtol=1e-5)
    np.testing.assert_array_equal(table["top1"], top1)
    np.testing.assert_array_equal(table["top5"], top5)


def test_ends_under_their_own_mask_and_statistics(found):
    for name, values in zip(("start", "end"), found.at_ends, strict=True):
        cross_entropy, smoothed, top1, top5 = values.mean(axis=1)
        assert found.told["ends_under_their_own_statistics_and_mask"][name] == {
            "count": _IMAGES,
            "cross_entropy": pytest.approx(cross_entropy, rel=1e-5),
            "cross_entropy_error": pytest.approx(scipy.stats.sem(values[0]), rel=1e-4),
            "smoothed_cross_entropy": pytest.approx(smoothed, rel=1e-5),
            "accuracy": top1,
            "top5": top5,
        }


def test_covariance(found):
    expected = found.expected_covariance()
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-4, atol=1e-4 * expected.max())


def test_errors_of_losses_and_of_steps(found):
    """Of independent examples they are SciPy's: the error of a step is that of the paired t-test."""
    table, losses = found.table, found.values[:, 0]
    if found.batch_norm == "batch":
        covariance = found.expected_covariance()
        errors = np.sqrt(np.diag(covariance))
        step_errors = np.sqrt([of_step @ covariance @ of_step for of_step in np.diff(np.eye(len(T)), axis=0)])
    else:
        errors = scipy.stats.sem(losses, axis=1)
        step_errors = np.diff(losses.mean(axis=1)) / scipy.stats.ttest_rel(losses[1:], losses[:-1], axis=1).statistic
    np.testing.assert_allclose(table["error"], errors, rtol=1e-4)
    np.testing.assert_allclose(table["step_error"][1:], step_errors, rtol=1e-4)
    np.testing.assert_allclose(table["step"][1:], np.diff(losses.mean(axis=1)), atol=1e-5 * losses.mean())


def test_rise_and_barrier_are_those_of_the_bounds_of_all_contrasts(found):
    means, covariance, told = found.values[:, 0].mean(axis=1), found.expected_covariance(), found.told
    variances = np.diag(covariance)[:, None] + np.diag(covariance) - 2 * covariance
    margins = told["critical_value"] * np.sqrt(np.maximum(variances, 0))
    for side, name in ((-1, "lower"), (0, "height"), (1, "upper")):
        bounds = means - means[:, None] + side * margins  # [i, j]: from i to j
        rise, barrier = np.triu(bounds).max(), bounds[[0, -1]].min(axis=0).max()
        assert told["largest_rise"][name] == pytest.approx(max(0, rise), abs=1e-5), name
        assert told["barrier"][name] == pytest.approx(max(0, barrier), abs=1e-5), name


def test_the_critical_value_is_that_of_the_bootstrap(found, random):
    """The 95 % quantile, over examples drawn anew, of the largest studentized error of any contrast.

    Batches are resampled where they share statistics. Ten are too few to learn the quantile from, and the package asks
    for more, but never for more than Bonferroni does.
    """
    losses = found.values[:, 0]
    i, j = np.triu_indices(len(losses), 1)
    if found.batch_norm == "batch":
        bonferroni = scipy.stats.t.isf(0.05 / 2 / len(i), math.ceil(_IMAGES / _BATCH) - 1)
        assert found.told["critical_value"] <= bonferroni * (1 + 1e-9)
        return
    contrasts = (losses[j] - losses[i]).T
    drawn = random.multinomial(_IMAGES, np.full(_IMAGES, 1 / _IMAGES), 4000)  # how often each example is
    means = drawn @ contrasts / _IMAGES
    errors = np.sqrt((drawn @ contrasts**2 / _IMAGES - means**2) / (_IMAGES - 1))
    expected = np.quantile(np.max(np.abs(means - contrasts.mean(axis=0)) / errors, axis=1), 0.95)
    assert found.told["critical_value"] == pytest.approx(expected, rel=0.04)
