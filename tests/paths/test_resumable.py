"""Protects: a path that was killed has the bits of one left alone, and one that is decided stops."""

import functools

import numpy as np
import pytest

from sparse_rigl_lands import files
from sparse_rigl_lands.paths.curves import Line
from sparse_rigl_lands.paths.evaluator import PathEvaluator
from sparse_rigl_lands.paths.gradients import gradient_norms_on_path
from sparse_rigl_lands.paths.partial_sums import Saving
from sparse_rigl_lands.paths.resumable import Look, ResumableEvaluation
from sparse_rigl_lands.paths.weight_path import WeightPath
from tests.random_points import random_point

T = np.linspace(0, 1, 3)
LOOKS = (400, 800, 1437)
NEVER = 1e-9  # a tolerance at which nothing is decided


class Killed(BaseException):
    """What a test raises where a process would be killed."""


def _killed(stage, at):
    def until_killed(batches):
        for batch, increment in enumerate(stage(batches)):
            if batch == at:
                raise Killed
            yield increment

    return until_killed


@pytest.fixture
def stages(workload, one_device, tmp_path):
    """The stages in a directory, as a new process would make them; they may be killed at a batch."""
    ends = [random_point(workload.network, seed) for seed in (0, 1)]

    def make(name="path", kill_at=None):
        path = files.PathFiles(tmp_path / name)
        path.create()
        line = WeightPath.between(workload.network, *ends, Line())
        evaluator = PathEvaluator(workload.network, line, T, workload.objective, one_device)
        if kill_at is not None:
            evaluator.recalibration = lambda original=evaluator.recalibration: _killed(original(), kill_at)
            evaluator.losses = lambda by, original=evaluator.losses: _killed(original(by), kill_at)

        def batches(limit, first_batch=0):
            of_path = workload.dataset.evaluation_batches
            return functools.partial(of_path, "train", 100, True, 0, limit, first_batch)

        return ResumableEvaluation(path, evaluator, "path", batches, global_batch=100, saving=Saving(0.0))

    return make


def _run(stages, batch_norm):
    statistics = stages.recalibrate(500) if batch_norm == "recalibrated" else batch_norm
    return stages.evaluate(statistics, LOOKS, confidence=0.95, tolerance=NEVER)


@pytest.mark.parametrize("batch_norm", ["batch", "recalibrated"])
def test_killed_and_taken_up_again(stages, batch_norm):
    """After every second batch, in every stage."""
    expected, judgement, looks = _run(stages("undisturbed"), batch_norm)
    kills = 0
    while True:
        try:
            found, judgement_again, looks_again = _run(stages("killed", kill_at=2), batch_norm)
            break
        except Killed:
            kills += 1
    assert kills >= 5
    for name, array in expected.losses.arrays().items():
        np.testing.assert_array_equal(found.losses.arrays()[name], array)
    np.testing.assert_array_equal(found.ends.sums, expected.ends.sums)
    assert judgement_again == judgement
    assert looks_again == looks == [*(Look(n, "undecided") for n in LOOKS[:2]), Look(1437, judgement.verdict)]


def test_growing_in_looks_is_evaluating_at_once(stages):
    path, _, _ = stages("looks").evaluate("batch", LOOKS, 0.95, NEVER)
    at_once, _, looks = stages("at once").evaluate("batch", (1437,), 0.95, NEVER)
    assert [look.images for look in looks] == [1437]
    for name, array in at_once.losses.arrays().items():
        np.testing.assert_array_equal(path.losses.arrays()[name], array)


def test_it_stops_at_the_look_that_decides(stages):
    """With a tolerance above every loss the path is monotone as soon as its errors allow."""
    path, judgement, looks = stages().evaluate("batch", LOOKS, 0.95, tolerance=100.0)
    assert judgement.verdict == "monotone"
    assert looks == [Look(400, "monotone")]
    assert path.losses.count == 400
    assert judgement.confidence == pytest.approx(1 - 0.05 / 3)  # looks that were not made have been paid for


def test_a_decided_path_is_not_evaluated_further_when_it_is_taken_up(stages):
    stages().evaluate("batch", LOOKS, 0.95, tolerance=100.0)
    again, _, looks = stages(kill_at=0).evaluate("batch", LOOKS, 0.95, tolerance=100.0)
    assert again.losses.count == 400
    assert len(looks) == 1


def test_gradients_are_taken_up_at_their_place(stages, workload):
    work = stages()
    batches = functools.partial(workload.dataset.evaluation_batches, "train", 100, True, 0, 300, 0)
    expected = work.gradients(gradient_norms_on_path(work.evaluator, "batch", batches))
    work.path.discard_partial_sums()
    seen = []

    def killed(first):
        for increment in gradient_norms_on_path(work.evaluator, "batch", batches)(first):
            if len(seen) == 2:
                raise Killed
            seen.append(first)
            yield increment

    with pytest.raises(Killed):
        work.gradients(killed)
    assert work.path.partial_gradients.exists()

    def rest(first):
        assert first == 2
        return gradient_norms_on_path(work.evaluator, "batch", batches)(first)

    np.testing.assert_array_equal(work.gradients(rest), expected)
