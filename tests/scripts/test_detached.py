"""Protects: a long command on another machine: it outlives its connection, and runs again while it exits with 75."""

import os
import signal
import subprocess
import time

import pytest

from tests.commands import ROOT

SCRIPT = ROOT / "scripts" / "detached.sh"


@pytest.fixture
def start(tmp_path):
    def start(*arguments):
        return subprocess.Popen(
            [SCRIPT, *arguments],
            cwd=tmp_path,
            env={**os.environ, "DETACHED_PAUSE": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def _ending_with(tmp_path, *statuses):
    """A command that ends with these, one after the other."""
    script = tmp_path / "command"
    script.write_text(
        "#!/usr/bin/env bash\n"
        'echo "run $(wc -l <calls) of $*"; printf "%s\\n" "$*" >>calls\n'
        f"statuses=({' '.join(map(str, statuses))})\n"
        'exit "${statuses[$(wc -l <calls) - 1]}"\n'
    )
    script.chmod(0o755)
    (tmp_path / "calls").touch()
    return script


_STATUSES_AND_RUNS = [((0,), 1), ((75, 75, 0), 3), ((75, 1), 2), ((143, 0), 2), ((1, 0), 1), ((2, 0), 1), ((137, 0), 1)]


@pytest.mark.parametrize(("statuses", "runs"), _STATUSES_AND_RUNS)
def test_it_runs_again_on_75_and_143_alone_and_ends_as_the_command_does(start, tmp_path, statuses, runs):
    process = start("train", _ending_with(tmp_path, *statuses), "a 'quoted' \"word\"")
    output, errors = process.communicate(timeout=60)
    assert process.returncode == statuses[runs - 1], errors
    assert (tmp_path / "calls").read_text() == "a 'quoted' \"word\"\n" * runs
    assert f"run {runs - 1} of a 'quoted'" in output
    assert (tmp_path / "runs/detached/train.log").read_text().count("\nrun ") == runs


def test_who_is_cut_off_follows_again(start, tmp_path):
    command = ["bash", "-c", "echo started; while [ ! -e finish ]; do sleep 0.1; done; echo finished; exit 4"]
    first = start("train", *command)
    lines = iter(first.stdout.readline, "")
    assert "started\n" in lines
    first.kill()
    refused = start("interpolate", "true")
    assert "another command is running: bash" in refused.communicate(timeout=60)[1]
    assert refused.returncode == 1
    second = start("train", *command)
    time.sleep(0.5)
    assert second.poll() is None
    (tmp_path / "finish").touch()
    output, errors = second.communicate(timeout=60)
    assert second.returncode == 4, errors
    assert output.splitlines()[-1] == "finished"
    assert (tmp_path / "runs/detached/train.log").read_text().count("\nstarted\n") == 1


def test_it_can_be_stopped_and_then_another_may_run(start, tmp_path):
    """The command ends with 75 after SIGTERM, as train.py does, and is not run again all the same."""
    command = ["bash", "-c", "trap 'echo saved; exit 75' TERM; echo started; while true; do sleep 0.1; done"]
    process = start("train", *command)
    assert "started\n" in iter(process.stdout.readline, "")
    os.killpg(int((tmp_path / "runs/detached/pid").read_text()), signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output.count("saved\n") == 1
    assert "started" not in output
    assert start("interpolate", "true").wait(timeout=60) == 0


def test_wrong_usage(start):
    process = start("train")
    assert process.communicate(timeout=60)[1].startswith("error: usage: ")
    assert process.returncode == 2
