"""Protects: what is written of a path is what was summed, under the right names."""

import numpy as np
import pytest

from sparse_rigl_lands.paths import results
from sparse_rigl_lands.paths.evaluated_path import EvaluatedPath
from sparse_rigl_lands.paths.losses import PathLosses
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity.mask import Mask

T = np.array([0.0, 0.5, 1.0])


@pytest.fixture
def path(random):
    values = random.gamma(1.0, size=(1, 3, 4, 50)).astype("float32")
    labels = random.integers(3, size=(1, 50))
    losses = PathLosses.of_batch(values, labels, np.ones((1, 50)), "example", classes=5)
    ends = PathLosses.of_batch(values[:, :2], labels, np.ones((1, 50)), "example")
    return EvaluatedPath(T, losses, ends, "common"), values[0].astype("float64"), labels[0]


def test_rows_of_a_path(path):
    evaluated, values, _ = path
    gradients = np.arange(12.0).reshape(3, 2, 2)
    rows = results.path_rows(evaluated, np.array([0.1, 0.2, 0.3]), gradients)
    assert [row["t"] for row in rows] == [0.0, 0.5, 1.0]
    assert rows[0]["step"] == rows[0]["step_error"] == ""
    for k, row in enumerate(rows):
        losses = values[k, 0]
        assert row["cross_entropy"] == pytest.approx(losses.mean())
        assert row["error"] == pytest.approx(losses.std(ddof=1) / np.sqrt(50))
        assert row["smoothed_cross_entropy"] == pytest.approx(values[k, 1].mean())
        assert (row["top1"], row["top5"]) == pytest.approx(values[k, 2:].mean(axis=1))
        assert (row["l2"], row["count"]) == (pytest.approx(0.1 * (k + 1)), 50)
        names = [f"gradient_{kind}_{space}" for space in ("sparse", "dense") for kind in ("norm", "noise")]
        assert [row[name] for name in names] == list(range(4 * k, 4 * k + 4))
        if k:
            difference = losses - values[k - 1, 0]
            assert row["step"] == pytest.approx(difference.mean())
            assert row["step_error"] == pytest.approx(difference.std(ddof=1) / np.sqrt(50))
    assert "gradient_norm_sparse" not in results.path_rows(evaluated, np.zeros(3), None)[0]


def test_rows_of_the_covariance(path):
    evaluated, values, _ = path
    rows = results.covariance_rows(evaluated)
    assert [row["t"] for row in rows] == ["0.0", "0.5", "1.0"]
    matrix = [[row[t] for t in ("0.0", "0.5", "1.0")] for row in rows]
    np.testing.assert_allclose(matrix, np.cov(values[:, 0]) / 50)


def test_rows_of_classes_are_of_those_with_examples(path):
    evaluated, values, labels = path
    rows = results.class_rows(evaluated)
    assert {(row["t"], row["class"]) for row in rows} == {(t, c) for t in T for c in range(3)}
    for row in rows:
        of_class = values[list(T).index(row["t"]), 0, labels == row["class"]]
        assert (row["cross_entropy"], row["count"]) == (pytest.approx(of_class.mean()), len(of_class))


def _told(evaluated, fitted=False):
    end = Point({}, Mask({}), {"norm/moving_mean": np.zeros(2, "float32")}, Origin("w", "m", 0, 1, fitted))
    start = Point(end.weights, end.mask, {}, end.origin)  # of a network without BatchNorm
    return results.told(evaluated, evaluated.judge(0.95, 0.05), 0.9, "example", (start, end))


def test_the_confidence_is_that_of_all_looks_together(path):
    evaluated, _, _ = path
    told = _told(evaluated)
    assert (told["confidence"], told["confidence_of_each_look"]) == (0.9, 0.95)


def test_a_fitted_end_says_nothing_under_statistics_that_are_not_its_own(path):
    evaluated, _, _ = path
    own = _told(evaluated)["ends_under_their_own_statistics_and_mask"]
    assert own["end"]["cross_entropy"] == pytest.approx(float(evaluated.ends.cross_entropy[1]))
    of_fitted = _told(evaluated, fitted=True)["ends_under_their_own_statistics_and_mask"]
    assert of_fitted == {"start": own["start"], "end": None}


@pytest.mark.parametrize(("dip", "sure"), [(0.0, False), (0.01, False), (1.0, True)])
@pytest.mark.parametrize("t", [T, np.array([0.1, 0.5, 1.0])])
def test_a_dip_is_one_if_it_is_surely_below_both_ends(path, random, t, dip, sure):
    evaluated, _, _ = path
    noise = 0.1 * random.normal(size=(3, 50))
    values = np.repeat((np.array([1.5, 2 - dip, 2.0])[:, None] + noise)[None, :, None], 4, axis=2).astype("float32")
    values[:, 0] += 0.5
    losses = PathLosses.of_batch(values, np.zeros((1, 50), int), np.ones((1, 50)), "example")
    lowest = _told(EvaluatedPath(t, losses, evaluated.ends, "common"))["lowest"]
    assert lowest["below_both_ends"] == (sure and t[0] == 0)
    assert lowest["cross_entropy"] == pytest.approx(values[0, :, 0].mean(axis=1).min(), rel=1e-5)


@pytest.mark.parametrize("losses", [(3.0, 2.0, 1.0), (1.0, 1.0 - 1e-6, 1.0)])
def test_neither_the_lower_end_nor_rounding_is_a_dip(path, losses):
    """Though without any variance all differences are sure."""
    evaluated, _, _ = path
    values = np.repeat(np.array(losses)[None, :, None, None], 4, axis=2) + np.zeros((1, 3, 4, 50))
    losses = PathLosses.of_batch(values.astype("float32"), np.zeros((1, 50), int), np.ones((1, 50)), "example")
    assert not _told(EvaluatedPath(T, losses, evaluated.ends, "common"))["lowest"]["below_both_ends"]


def test_one_place_by_itself(path):
    evaluated, values, _ = path
    found = results.evaluation_of(evaluated.ends, 1)
    assert found.count == 50
    assert found.cross_entropy == pytest.approx(values[1, 0].mean())
    assert found.cross_entropy_error == pytest.approx(values[1, 0].std(ddof=1) / np.sqrt(50))
    means = found.smoothed_cross_entropy, found.accuracy, found.top5
    assert means == pytest.approx(values[1, 1:].mean(axis=1))
