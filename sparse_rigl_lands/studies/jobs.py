"""Commands that depend on each other, several side by side, each one done once.

What lies beside the results::

    logs/
      sparsity-0.99/scratch-seed6.log     what the command printed
      sparsity-0.99/scratch-seed6.json    written when it has succeeded: command, configuration, digests of results

A job is not started again if its record says that the same command was done in the same configuration,
that its result is still the one it left, and that those of the jobs it needs are still the ones it found.
"""

import collections
import ctypes
import dataclasses
import graphlib
import hashlib
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from sparse_rigl_lands import progress, storage
from sparse_rigl_lands.errors import PreemptedError
from sparse_rigl_lands.preemption import StopRequest

_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_TO_END = 15.0
_PR_SET_PDEATHSIG = 1  # of Linux's prctl: the signal that a process gets when its parent dies
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


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
      reason: the last line that it printed, or the signal that killed it.
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

    On Linux the commands die with this process.

    Args:
      jobs: in the order in which they are started, as far as their needs allow.
      logs: the directory of logs and records.
      processes: how many commands run side by side, at least 1.
      title: of the progress.

    Raises:
      PreemptedError: SIGTERM has asked this process to end; the commands were asked, too.
    """
    by_name = {job.name: job for job in jobs}

    def state(name: str) -> dict[str, object]:
        """All that decides a result, and the result, as JSON."""
        job = by_name[name]
        results = {each: _digest(by_name[each].result) for each in (name, *job.needs)}
        return {"command": list(job.command), "configuration": job.configuration.splitlines(), "results": results}

    def is_done(name: str) -> bool:
        record = _record(name, logs)
        return by_name[name].result.is_file() and record.is_file() and storage.read_json(record) == state(name)

    sorter = graphlib.TopologicalSorter({job.name: job.needs for job in jobs})
    sorter.prepare()
    ready: collections.deque[str] = collections.deque()
    running: dict[str, subprocess.Popen] = {}
    done, failures = set(), []
    done_before = sum(map(is_done, by_name))
    try:
        with progress.Progress(title, len(jobs), "run", initial=done_before) as bar, StopRequest() as stop_request:
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
                if stop_request.was_made:
                    raise PreemptedError("stopped by SIGTERM")
                for name in [name for name, process in running.items() if process.poll() is not None]:
                    status = running.pop(name).returncode
                    if status == 0:
                        storage.write_json(_record(name, logs), state(name))
                        done.add(name)
                        sorter.done(name)
                        bar.advance(1, name)
                    else:
                        failures.append(_failure(name, status, logs))
    finally:
        _end(list(running.values()))
    return Outcome(frozenset(done), tuple(failures))


def _end(processes: Sequence[subprocess.Popen]) -> None:
    """Asks all to end, which saves their work, and kills those that do not."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _SECONDS_TO_END
    for process in processes:
        try:
            process.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _digest(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _start(job: Job, logs: pathlib.Path) -> subprocess.Popen:
    log, parent = _log(job.name, logs), os.getpid()
    log.parent.mkdir(parents=True, exist_ok=True)

    def die_with_parent() -> None:
        # Commands that outlive a killed parent, and those of the next one, would write the same files.
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it died before
                os._exit(1)

    with log.open("wb") as output:
        return subprocess.Popen(
            job.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,
        )


def _failure(name: str, status: int, logs: pathlib.Path) -> Failure:
    log = _log(name, logs)
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    if status < 0:
        return Failure(name, f"killed by {signal.Signals(-status).name}", log)
    return Failure(name, lines[-1].removeprefix("error: ") if lines else "it printed nothing", log)


def _log(name: str, logs: pathlib.Path) -> pathlib.Path:
    return logs / f"{name}.log"


def _record(name: str, logs: pathlib.Path) -> pathlib.Path:
    return logs / f"{name}.json"
