"""The entry scripts as a person runs them, in processes of their own that begin with the libraries imported.

It takes a command longer to import TensorFlow than to do what most tests ask of it. So a server imports it once, and
every command is a fork of that server, which then runs the script from its first line.
"""

import itertools
import multiprocessing
import os
import pathlib
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping

ROOT = pathlib.Path(__file__).resolve().parent.parent

_FORKSERVER = multiprocessing.get_context("forkserver")
# None of these starts a thread that a fork would lack, or reads the environment that a test may set.
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

    def start(
        self, script: str, *arguments: str, cwd: pathlib.Path = ROOT, environment: Mapping[str, str] = os.environ
    ) -> Process:
        return Process([script, *arguments], cwd, environment, self._directory / str(next(self._count)))

    def run(self, script: str, *arguments: str, cwd: pathlib.Path = ROOT) -> str:
        """Runs a command that must succeed, and returns what it printed."""
        process = self.start(script, *arguments, cwd=cwd)
        output, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        return output

    def refuses(self, script: str, *arguments: str, status: int = 1, cwd: pathlib.Path = ROOT) -> str:
        """Runs a command that must fail with one clear line on stderr, and returns that line."""
        process = self.start(script, *arguments, cwd=cwd)
        output, errors = process.communicate(timeout=600)
        assert process.returncode == status, errors
        assert output == ""
        assert errors.startswith("error: "), errors
        assert errors.count("\n") == 1, errors
        return errors


def _become(arguments: list[str], directory: pathlib.Path, environment: Mapping[str, str], printed: list[str]) -> None:
    """Runs a script in this process, as ``python script arguments`` would."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    for path, descriptor in zip(printed, (1, 2), strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    sys.argv = arguments
    sys.path.insert(0, str((directory / arguments[0]).parent))
    runpy.run_path(arguments[0], run_name="__main__")
