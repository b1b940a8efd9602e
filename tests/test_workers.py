"""Protects: two processes on 127.0.0.1 do what one device does; any of them may be stopped, or die."""

import signal

import numpy as np
import pytest
import tensorflow as tf

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.workers import Workers
from tests import worker
from tests.commands import SMALL_TRAINING


def test_one_process_agrees_with_itself(one_device, mirrored):
    done = []
    for strategy in (one_device, mirrored):
        workers = Workers(strategy)
        assert workers.is_chief
        assert [workers.any(flag) for flag in (False, True)] == [False, True]
        workers.chief_does(lambda: done.append(1))
        workers.check_alike("text", "text")
    assert done == [1, 1]


class _Meetings:
    """Of two workers, of which the other says yes, or has left after the first meeting."""

    def __init__(self, workers, says_yes, leaves=False):
        self._says_yes, self._leaves, self.count = says_yes, leaves, 0
        workers._are_several, workers._total = True, self

    def __call__(self, value):
        self.count += 1
        if self._leaves and self.count > 1:
            raise tf.errors.UnavailableError(None, None, "Connection refused")
        return value + self._says_yes


@pytest.mark.parametrize("leaves", [False, True])
def test_where_workers_may_end_they_meet_once_more_and_it_does_not_matter_who_left(one_device, leaves):
    """Else one that ends at once takes with it what the other has yet to read: it would tell of a lost worker."""
    workers = Workers(one_device)
    meetings = _Meetings(workers, says_yes=1.0, leaves=leaves)
    assert workers.any(False)
    assert meetings.count == 2

    meetings = _Meetings(workers, says_yes=0.0)
    assert not workers.any(False)
    assert meetings.count == 1

    meetings = _Meetings(workers, says_yes=0.0, leaves=leaves)
    workers.chief_does(lambda: None)
    assert meetings.count == 2


def test_a_worker_that_is_lost_is_noticed_in_the_next_meeting(one_device):
    workers = Workers(one_device)
    _Meetings(workers, says_yes=1.0, leaves=True)
    assert workers.any(False)
    with pytest.raises(tf.errors.UnavailableError):
        workers.any(False)


@pytest.mark.slow
def test_two_workers_agree_with_one_device_and_with_two_logical_cpus(commands, one_device, mirrored, tmp_path):
    """Both end up with all sums of a path, and with the same masks, losses and weights of training."""
    processes = worker.start(commands, "tests/worker.py", str(tmp_path / "{index}.npz"))
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    path, trained, on_two = worker.evaluate(one_device), worker.train(one_device), worker.train(mirrored)
    assert path["batch/count"] == 37
    assert path["batch/units"] == 5
    for index in range(2):
        with np.load(tmp_path / f"{index}.npz") as arrays:
            found = dict(arrays)
        assert found.pop("chief") == (index == 0)
        assert found.pop("hosts") == 2
        np.testing.assert_array_equal(found.pop("any"), [False, True, True])
        assert len(found.pop("did")) == (index == 0)
        told = "the chief's own reason" if index == 0 else "the chief worker has failed; it says why"
        assert found.pop("refused") == told
        assert found.pop("differ") == "the workers do not see the same text"
        assert set(found) == {*path, *trained}
        for name, array in path.items():
            np.testing.assert_allclose(found[name], array, rtol=1e-5, err_msg=name)
        for name, array in trained.items():
            for other in (found, on_two):
                np.testing.assert_allclose(other[name], array, rtol=1e-4, atol=1e-6, err_msg=name)
    assert {name: int(trained[f"mask/{name}"].sum()) for name in ("conv/kernel", "head/kernel")} == {
        "conv/kernel": 36,
        "head/kernel": 144,
    }


def _statuses(processes):
    ended = [process.communicate(timeout=120) for process in processes]
    return [process.returncode for process in processes], [errors for _, errors in ended]


@pytest.mark.slow
def test_workers_that_are_stopped_and_killed_end_with_the_bits_of_two_logical_cpus(commands, tmp_path):
    """The commands: one worker is asked to end, and both do; the chief is killed, and the other says so; they go on."""
    run, undisturbed = files.RunFiles(tmp_path / "workers"), files.RunFiles(tmp_path / "undisturbed")
    command = ["train.py", *SMALL_TRAINING, f"--output_dir={run.directory}"]
    logical = ["--gin_param=strategy.kind='mirrored'", "--gin_param=strategy.logical_cpus=2"]
    commands.run("train.py", *SMALL_TRAINING, *logical, f"--output_dir={undisturbed.directory}", afresh=True)

    processes = worker.start(commands, *command)
    commands.until(lambda: max(run.checkpoint_steps(), default=-1) >= 15, *processes)
    processes[1].send_signal(signal.SIGTERM)
    statuses, errors = _statuses(processes)
    stopped_at = run.checkpoint_steps()[-1]
    assert statuses == [75, 75], errors
    for each in errors:
        assert f"stopped by SIGTERM after step {stopped_at}, which is saved; run the same command to go on" in each

    processes = worker.start(commands, *command)
    commands.until(lambda: max(run.checkpoint_steps(), default=-1) >= max(30, stopped_at + 1), *processes)
    processes[0].kill()
    statuses, errors = _statuses(processes)
    assert statuses == [-signal.SIGKILL, 75], errors
    assert "another worker was lost" in errors[1]

    processes = worker.start(commands, *command)
    statuses, errors = _statuses(processes)
    assert statuses == [0, 0], errors
    assert run.checkpoint_steps() == [0, 60]
    for file in (files.data_file(run.checkpoint(60)), run.metrics):
        assert file.read_bytes() == (undisturbed.directory / file.relative_to(run.directory)).read_bytes(), file
    summary, expected = (storage.read_json(each.summary) for each in (run, undisturbed))
    assert (summary["replicas"], summary["images_per_replica"]) == (2, 16)
    for name in ("train_augmented", "test", "layers"):
        assert summary[name] == expected[name]


@pytest.mark.slow
def test_workers_without_a_common_directory_are_refused(commands, small_run, tmp_path):
    """Each would add up its own part of other images: sums that were begun in another directory, or not at all."""
    path = files.PathFiles(tmp_path / "path0")
    start = files.RunFiles(small_run).checkpoint(0)
    command = ["interpolate.py", f"--start={start}", f"--end={small_run}", f"--output_dir={tmp_path / 'path{index}'}"]
    command += ["--gin_param=interpolate.save_every=0.01", "--gin_param=interpolate.batch_size=8"]
    processes = worker.start(commands, *command)
    commands.until(path.partial_losses.exists, *processes)
    processes[0].send_signal(signal.SIGTERM)
    statuses, errors = _statuses(processes)
    assert statuses == [75, 75], errors
    statuses, errors = _statuses(worker.start(commands, *command))
    assert statuses == [1, 1], errors
    for each in errors:
        assert "the workers do not see the same sums in " in each
        assert "it must be one directory for all" in each
