"""Commands that depend on each other, several side by side, each one done once.

What lies beside the results::

    logs/
      sparsity-0.99/scratch-seed6.log     what the command printed
      sparsity-0.99/scratch-seed6.json    written when it has succeeded: the command and its configuration

A job whose record says that the same was done before, upon the same, is not started again.
"""

import collections
import ctypes
import dataclasses
import graphlib
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from sparse_rigl_lands import files, progress
from sparse_rigl_lands.errors import InputError

_SECONDS_BETWEEN_LOOKS = 0.1
_PR_SET_PDEATHSIG = 1  # of Linux's prctl: the signal that a process gets when its parent dies


@dataclasses.dataclass(frozen=True)
class Job:
    """A command that ends with a result.

    Args:
      name: a relative path, such as ``"sparsity-0.99/scratch-seed6"``.
      command: the program and its arguments.
      configuration: whatever decides the result besides the command; another one makes it another job.
      result: a file that is there once the job is done.
      needs: the names of the jobs that must be done before.
    """

    name: str
    command: tuple[str, ...]
    configuration: str
    result: pathlib.Path
    needs: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Failure:
    """A job whose command did not succeed.

    Args:
      name: of the job.
      reason: the last line that it printed.
      log: all of them.
    """

    name: str
    reason: str
    log: pathlib.Path


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of some jobs; those in neither were held up.

    Args:
      done: the names of those that are done, now or before.
      failures: those that failed.
    """

    done: frozenset[str]
    failures: tuple[Failure, ...]


def run_jobs(jobs: Sequence[Job], logs: pathlib.Path, processes: int, title: str) -> Outcome:
    """Runs jobs until none is left that can be run. What a failed one holds up is not started; the rest is.

    The commands die with this process.

    Args:
      jobs: in the order in which they are started, as far as their needs allow.
      logs: the directory of logs and records.
      processes: how many commands run side by side.
      title: of the progress.

    Raises:
      InputError: fewer than one process.
    """
    if processes < 1:
        raise InputError(f"the number of processes is {processes}; it must be at least 1")
    by_name = {job.name: job for job in jobs}
    identities: dict[str, dict[str, object]] = {}
    graph = {job.name: job.needs for job in jobs}
    for name in graphlib.TopologicalSorter(graph).static_order():
        needs = [identities[need] for need in by_name[name].needs]
        identities[name] = _identity(by_name[name], needs)

    def is_done(name: str) -> bool:
        record = _record(name, logs)
        return by_name[name].result.is_file() and record.is_file() and files.read_json(record) == identities[name]

    sorter = graphlib.TopologicalSorter(graph)
    sorter.prepare()
    ready: collections.deque[str] = collections.deque()
    running: dict[str, subprocess.Popen] = {}
    done, failures = set(), []
    done_before = sum(map(is_done, by_name))
    try:
        with progress.Progress(title, len(jobs), "run", initial=done_before) as bar:
            while sorter.is_active():
                ready.extend(sorter.get_ready())
                while ready and len(running) < processes:
                    name = ready.popleft()
                    if is_done(name):
                        done.add(name)
                        sorter.done(name)
                        ready.extend(sorter.get_ready())
                    else:
                        running[name] = _start(by_name[name], logs)
                if not running:
                    break
                time.sleep(_SECONDS_BETWEEN_LOOKS)
                for name in [name for name, process in running.items() if process.poll() is not None]:
                    if running.pop(name).returncode == 0:
                        files.write_json(_record(name, logs), identities[name])
                        done.add(name)
                        sorter.done(name)
                        bar.advance(1, name)
                    else:
                        failures.append(_failure(name, logs))
    finally:
        for process in running.values():
            process.kill()
            process.wait()
    return Outcome(frozenset(done), tuple(failures))


def _identity(job: Job, needs: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """All that decides a job's result, as JSON."""
    return {"command": list(job.command), "configuration": job.configuration.splitlines(), "needs": list(needs)}


def _start(job: Job, logs: pathlib.Path) -> subprocess.Popen:
    log = _log(job.name, logs)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        return subprocess.Popen(
            job.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )


# Without it, commands that outlive a killed parent and those of the next one would write the same files.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    assert _libc is not None
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _failure(name: str, logs: pathlib.Path) -> Failure:
    log = _log(name, logs)
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return Failure(name, lines[-1].removeprefix("error: ") if lines else "it printed nothing", log)


def _log(name: str, logs: pathlib.Path) -> pathlib.Path:
    return logs / f"{name}.log"


def _record(name: str, logs: pathlib.Path) -> pathlib.Path:
    return logs / f"{name}.json"
