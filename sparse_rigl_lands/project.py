"""Where the entry scripts and the gin files lie, and how a person calls a script.

In a checkout they lie at the top level, beside this package, and are run by ``python``. An installed package has the
same files in its own ``project/``, and a command, ``sparse-rigl-lands``, that runs them.
"""

import os
import pathlib
import shlex
import sys
from collections.abc import Sequence

CONSOLE_COMMAND = "sparse-rigl-lands"

_PACKAGE = pathlib.Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "project"

DIRECTORY = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
"""Holds ``train.py``, ``interpolate.py``, ``scripts/`` and ``gin/``."""


def scripts() -> dict[str, pathlib.Path]:
    """The entry scripts by name, such as ``"train"``."""
    others = sorted((DIRECTORY / "scripts").glob("*.py"))
    return {path.stem: path for path in (DIRECTORY / "train.py", DIRECTORY / "interpolate.py", *others)}


def command(name: str) -> tuple[str, str]:
    """What one process starts to run a script in another; its arguments follow."""
    return sys.executable, str(scripts()[name])


def typed(command: Sequence[str]) -> str:
    """A command as a person types it; in a checkout, in its directory."""
    program, *arguments = command
    if DIRECTORY == _INSTALLED and pathlib.Path(arguments[0]) in scripts().values():
        return shlex.join([CONSOLE_COMMAND, pathlib.Path(arguments[0]).stem, *arguments[1:]])
    program = "python" if program == sys.executable else program
    return shlex.join([program, *(each.removeprefix(f"{DIRECTORY}{os.sep}") for each in arguments)])
