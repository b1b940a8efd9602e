"""Commands that depend on each other, several side by side, each one done once.

What lies beside the results::

    logs/
      sparsity-0.99/scratch-seed6.log     what the command printed
      sparsity-0.99/scratch-seed6.json    written when it has succeeded: command, configuration, digests of results,
                                          and the seconds that its last process took

A job is not started again if its record says that the same command was done in the same configuration,
that its result is still the one it left, and that those of the jobs it needs are still the ones it found.
"""

import ctypes
import dataclasses
import graphlib
import hashlib
import heapq
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from typing_extensions import TypedDict

from sparse_rigl_lands import project, storage
from sparse_rigl_lands.errors import InputError, PreemptedError
from sparse_rigl_lands.preemption import StopRequest
from sparse_rigl_lands.studies.view import View

_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_TO_END = 15.0
_SECONDS = "seconds_of_last_process"
_PR_SET_PDEATHSIG = 1  # of Linux's prctl: the signal that a process gets when its parent dies
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclasses.dataclass(frozen=True)
class Job:
    """A command that ends with a result.

    Args:
      name: a relative path, such as ``"sparsity-0.99/scratch-seed6"``.
      command: the program and its arguments.
      configuration: whatever decides the result besides the command; another one makes it another job.
      result: a file that is there once the job is done: another one is another result.
      needs: the names of the jobs that must be done before.
      kind: jobs of one kind take about the same time.
      others: further files that are there once it is done, and are part of the result.
    """

    name: str
    command: tuple[str, ...]
    configuration: str
    result: pathlib.Path
    needs: tuple[str, ...] = ()
    kind: str = ""
    others: tuple[pathlib.Path, ...] = ()

    @property
    def shell(self) -> str:
        """The command as a person types it."""
        return project.typed(self.command)


class Record(TypedDict, total=False):
    """What is noted of a job that is done."""

    command: list[str]
    configuration: list[str]
    results: dict[str, str]
    seconds_of_last_process: float


@dataclasses.dataclass(frozen=True)
class Failure:
    """A job whose command did not succeed.

    Args:
      name: of the job.
      reason: the error that it told, or else the last line that it printed, or the signal that killed it.
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
      held_up: how many were not started, because what they need has failed.
    """

    done: frozenset[str]
    failures: tuple[Failure, ...] = ()
    held_up: int = 0

    def check(self) -> None:
        """Raises InputError, which names the first that failed and its log, where any has."""
        if self.failures:
            first, failed = self.failures[0], len(self.failures)
            total = failed + self.held_up + len(self.done)
            others = f" and {self.held_up} were not started" if self.held_up else ""
            raise InputError(
                f"{failed} of {total} failed{others}; the first: {first.name}: {first.reason} ({first.log})"
            )


def needed_for(names: Collection[str], jobs: Sequence[Job]) -> list[Job]:
    """The jobs of these names and all that they build upon, in the order given; names of no job are passed over."""
    by_name, wanted, waiting = {job.name: job for job in jobs}, set(), list(names)
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in wanted:
            wanted.add(name)
            waiting += by_name[name].needs
    return [job for job in jobs if job.name in wanted]


def seconds_taken(names: Collection[str], logs: pathlib.Path) -> dict[str, float]:
    """How long the last process of every finished job took, where its record says so."""
    found = {name: _noted(name, logs) for name in names}
    return {name: record[_SECONDS] for name, record in found.items() if _SECONDS in record}


def run_jobs(
    jobs: Sequence[Job],
    logs: pathlib.Path,
    processes: int,
    title: str,
) -> Outcome:
    """Runs jobs until none is left that can be run. What a failed one holds up is not started; the rest is.

    On Linux the commands die with this process. One process at a time may run jobs with the same logs.

    Args:
      jobs: in the order in which they are started, as far as their needs allow.
      logs: the directory of logs and records.
      processes: how many commands run side by side, at least 1.
      title: of the progress.

    Raises:
      PreemptedError: SIGTERM has asked this process to end; the commands were asked, too.
    """
    by_name = {job.name: job for job in jobs}
    sorter = graphlib.TopologicalSorter({job.name: job.needs for job in jobs})
    sorter.prepare()
    order = {job.name: place for place, job in enumerate(jobs)}
    ready: list[tuple[int, str]] = []  # a heap: of what can be started, the first in the order given is
    running: dict[str, subprocess.Popen] = {}
    done, failures = set(), []

    def add_ready() -> None:
        for name in sorter.get_ready():
            heapq.heappush(ready, (order[name], name))

    kinds = {job.name: job.kind or job.name for job in jobs}
    done_before = recognised(jobs, logs)
    try:
        with (
            View(title, kinds, seconds_taken(by_name, logs), done_before, processes) as view,
            StopRequest() as stop_request,
        ):
            while sorter.is_active():
                add_ready()
                while ready and len(running) < processes:
                    _, name = heapq.heappop(ready)
                    if _is_done(by_name[name], by_name, logs):
                        done.add(name)
                        sorter.done(name)
                        add_ready()
                        view.finished(name)
                    else:
                        running[name] = _start(by_name[name], logs)
                        view.started(name, _log(name, logs))
                if not running:
                    break
                time.sleep(_SECONDS_BETWEEN_LOOKS)
                if stop_request.was_made:
                    raise PreemptedError("stopped by SIGTERM")
                for name in [name for name, process in running.items() if process.poll() is not None]:
                    status = running.pop(name).returncode
                    if failure := _failure(by_name[name], status, logs):
                        failures.append(failure)
                        view.failed(name, _held_up_by(name, jobs))
                    else:
                        _write_record(by_name[name], by_name, logs, view.finished(name))
                        done.add(name)
                        sorter.done(name)
                view.refresh()
    finally:
        _end(list(running.values()))
    return Outcome(frozenset(done), tuple(failures), len(jobs) - len(done) - len(failures))


def _held_up_by(name: str, jobs: Sequence[Job]) -> set[str]:
    """The names of the jobs that build upon one, directly or not."""
    direct = [job.name for job in jobs if name in job.needs]
    return {*direct, *(other for each in direct for other in _held_up_by(each, jobs))}


def recognised(jobs: Sequence[Job], logs: pathlib.Path) -> frozenset[str]:
    """The names of the jobs that need not be done again, and neither does what they need."""
    by_name = {job.name: job for job in jobs}
    found: set[str] = set()
    for name in graphlib.TopologicalSorter({job.name: job.needs for job in jobs}).static_order():
        if found.issuperset(by_name[name].needs) and _is_done(by_name[name], by_name, logs):
            found.add(name)
    return frozenset(found)


def _is_done(job: Job, by_name: Mapping[str, Job], logs: pathlib.Path) -> bool:
    if _lacking(job):
        return False
    found = {key: value for key, value in _noted(job.name, logs).items() if key != _SECONDS}
    return bool(found) and found == _state(job, by_name)


def _lacking(job: Job) -> list[pathlib.Path]:
    """The files that a job has not left."""
    return [path for path in (job.result, *job.others) if not path.is_file()]


def _write_record(job: Job, by_name: Mapping[str, Job], logs: pathlib.Path, seconds: float) -> None:
    """Notes that a job is done, and in how many seconds.

    A process that only had to recognise the result has not made it: then the seconds stay those of the one that did.
    """
    before, state = _noted(job.name, logs), _state(job, by_name)
    if before.get("results", {}).get(job.name) == state["results"][job.name]:
        seconds = before.get(_SECONDS, seconds)
    storage.write_json(_record(job.name, logs), {**state, _SECONDS: round(seconds, 1)})


def _noted(name: str, logs: pathlib.Path) -> dict[str, Any]:
    """The record of a job; empty where there is none, or a damaged one: the job is then done again."""
    try:
        return storage.read_json(_record(name, logs), Record)
    except (FileNotFoundError, InputError):
        return {}


def _state(job: Job, by_name: Mapping[str, Job]) -> dict[str, Any]:
    """All that decides a result, and the result, as JSON."""
    results = {each: _digest(by_name[each]) for each in (job.name, *job.needs)}
    return {"command": list(job.command), "configuration": job.configuration.splitlines(), "results": results}


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


def _digest(job: Job) -> str:
    """Of all files that a job has left, or nothing."""
    if _lacking(job):
        return ""
    digest = hashlib.sha256()
    for path in (job.result, *job.others):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


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


def _failure(job: Job, status: int, logs: pathlib.Path) -> Failure | None:
    """Why a command that has ended did not do its job; None where it did."""
    log = _log(job.name, logs)
    if status < 0:
        return Failure(job.name, f"killed by {signal.Signals(-status).name}", log)
    if status > 0:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        told = [line for line in lines if line.startswith("error: ")]  # what else it printed may come later
        return Failure(job.name, (told or lines or ["it printed nothing"])[-1].removeprefix("error: "), log)
    if lacking := _lacking(job):
        return Failure(job.name, f"it succeeded, but left no {lacking[0]}", log)
    return None


def _log(name: str, logs: pathlib.Path) -> pathlib.Path:
    return logs / f"{name}.log"


def _record(name: str, logs: pathlib.Path) -> pathlib.Path:
    return logs / f"{name}.json"
