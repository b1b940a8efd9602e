"""The entry scripts as a person runs them, each in a process of its own.

It takes a command longer to import TensorFlow than to do what most tests ask of it. So a server imports it once, and
most commands are forks of that server, which then run the script from its first line. They share what the server has
drawn at its start, the seeds of string hashes and of NumPy's global generator: where two results are compared, let one
command be run afresh, by an interpreter of its own.
"""

import atexit
import itertools
import multiprocessing
import os
import pathlib
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

ROOT = pathlib.Path(__file__).resolve().parent.parent

_SMALL = {
    "Recipe.steps": 60,
    "Recipe.batch_size": 32,
    "Recipe.checkpoint_every": 15,
    "Recipe.log_every": 10,
    "WarmupStepDecay.warmup_steps": 5,
    "WarmupStepDecay.drops": (40, 50),
    "PruningSchedule.begin_step": 10,
    "PruningSchedule.end_step": 30,
}
SMALL_TRAINING = ["--gin_file=gin/digits/pruned.gin", *(f"--gin_param={key}={value}" for key, value in _SMALL.items())]
# Bindings for the runs of a study or of a sweep.
SHORT_RUNS = [
    "Recipe.steps = 30",
    "WarmupStepDecay.warmup_steps = 5",
    "WarmupStepDecay.drops = (20, 25)",
    "PruningSchedule.begin_step = 10",
    "PruningSchedule.end_step = 20",
]

_FORKSERVER = multiprocessing.get_context("forkserver")
# Their threads, OpenBLAS's and jemalloc's, are made anew after a fork; TensorFlow makes its own in its first operation.
# None reads, while it is imported, what a test sets in the environment.
_FORKSERVER.set_forkserver_preload(["tensorflow", "tf_keras", "tensorflow_model_optimization", "pandas", "sklearn"])


class Process:
    """A command that was started; it has what tests need of ``subprocess.Popen``.

    Args:
      arguments: the script and its arguments.
      directory: where it runs.
      environment: all of it.
      printed: where its output and its errors are kept: ``<printed>.out`` and ``<printed>.err``.
    """

    def __init__(
        self, arguments: list[str], directory: pathlib.Path, environment: Mapping[str, str], printed: pathlib.Path
    ):
        self._arguments = arguments
        self._printed = [printed.with_suffix(suffix) for suffix in (".out", ".err")]
        for path in self._printed:
            path.touch()
        paths = [str(path) for path in self._printed]
        self._process = _FORKSERVER.Process(target=_become, args=(arguments, directory, dict(environment), paths))
        self._process.start()

    @property
    def returncode(self) -> int | None:
        """The exit status, or the negative number of the signal that killed it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self._process.pid is not None and self.poll() is None:
            os.kill(self._process.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self._arguments, timeout)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Waits for its end, and returns what it printed to stdout and to stderr."""
        self.wait(timeout)
        output, errors = (path.read_text() for path in self._printed)
        return output, errors


class Commands:
    """Starts commands.

    Args:
      directory: where what they print is kept.
    """

    def __init__(self, directory: pathlib.Path):
        self._directory = directory
        self._count = itertools.count()
        self._started: list[Process | subprocess.Popen[str]] = []

    def start(
        self,
        script: str,
        *arguments: str,
        cwd: pathlib.Path = ROOT,
        environment: Mapping[str, str] = os.environ,
        afresh: bool = False,
    ) -> Process | subprocess.Popen[str]:
        """Starts a command; afresh, by an interpreter that has imported nothing."""
        command = [script, *arguments]
        process: Process | subprocess.Popen[str]
        if afresh:
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            process = subprocess.Popen([sys.executable, *command], cwd=cwd, env=dict(environment), **pipes)
        else:
            process = Process(command, cwd, environment, self._directory / str(next(self._count)))
        self._started.append(process)
        return process

    def run(self, script: str, *arguments: str, cwd: pathlib.Path = ROOT, afresh: bool = False) -> str:
        """Runs a command that must succeed, and returns what it printed."""
        process = self.start(script, *arguments, cwd=cwd, afresh=afresh)
        output, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        return output

    def refuses(
        self, script: str, *arguments: str, status: int = 1, cwd: pathlib.Path = ROOT, afresh: bool = False
    ) -> str:
        """Runs a command that must fail with one clear line on stderr, and returns that line."""
        process = self.start(script, *arguments, cwd=cwd, afresh=afresh)
        output, errors = process.communicate(timeout=600)
        assert process.returncode == status, errors
        assert output == ""
        assert errors.startswith("error: "), errors
        assert errors.count("\n") == 1, errors
        return errors

    def until(self, condition: Callable[[], object], *processes: Process | subprocess.Popen[str]) -> None:
        """Waits for what comes true while all of these commands run."""
        while not condition():
            ended = [process.communicate() for process in processes if process.poll() is not None]
            assert not ended, ended
            time.sleep(0.002)

    def kill_once(self, condition: Callable[[], object], script: str, *arguments: str) -> None:
        """Starts a command, and kills it as soon as something has come true."""
        process = self.start(script, *arguments)
        self.until(condition, process)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL

    def end(self) -> None:
        """Kills what a failed test has left running."""
        for process in self._started:
            process.kill()
            process.wait()


def copy_commands(directory: pathlib.Path) -> pathlib.Path:
    """Copies what the commands need into a directory, so that they write nothing into the project."""
    for name in ("train.py", "interpolate.py"):
        shutil.copy(ROOT / name, directory)
    for name in ("gin", "scripts", "sparse_rigl_lands"):
        shutil.copytree(ROOT / name, directory / name)
    return directory


def times_of(directory: pathlib.Path, *names: str) -> dict[pathlib.Path, int]:
    """When the files of these names, wherever they are below a directory, were written."""
    return {path: path.stat().st_mtime_ns for name in names for path in directory.rglob(name)}


def _become(arguments: list[str], directory: pathlib.Path, environment: Mapping[str, str], printed: list[str]) -> None:
    """Runs a script in this process, as ``python script arguments`` would."""
    for path, descriptor in zip(printed, (1, 2), strict=True):
        os.dup2(os.open(path, os.O_WRONLY), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    sys.argv = arguments
    sys.path.insert(0, str((directory / arguments[0]).parent))
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    finally:
        atexit._run_exitfuncs()  # a process of multiprocessing leaves without
