"""What the commands share: flags, gin, and one clear line when something is wrong.

TensorFlow is imported by the command after its flags were read, so that ``--help`` and a wrong
flag answer at once.
"""

import importlib
import os
import pathlib
import re
import sys
import traceback
from collections.abc import Callable, Sequence

from absl import app, flags, logging

from sparse_rigl_lands import gin_files
from sparse_rigl_lands.errors import DECODING_SCOPE, CommandError, InputError, PreemptedError

_FAILED = 1
_WRONG_USAGE = 2
_RUN_AGAIN = 75  # sysexits' EX_TEMPFAIL
_LOST = {"UnavailableError", "AbortedError", "CancelledError", "DeadlineExceededError"}

GIN_FILE = flags.DEFINE_multi_string(
    "gin_file", None, "A gin file; may repeat, later ones override. Gin files are code: they can import."
)
GIN_PARAM = flags.DEFINE_multi_string(
    "gin_param", None, "A gin binding such as 'Recipe.steps=100'; may repeat; overrides the files."
)
OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Where results are written.")
SEED = flags.DEFINE_integer("seed", None, "Overrides the seed of the gin files.")
DEBUG = flags.DEFINE_boolean("debug", False, "Print the traceback of an error.")


def run(main: Callable[..., None], *, required: Sequence[str] = (), operands: str | None = None) -> None:
    """Parses the flags, runs a command and leaves the process.

    The exit status is 0, 1 (failed), 2 (wrong usage) or 75 (stopped by SIGTERM, with all work saved, or
    another worker was lost: the same command goes on); an error is one line on stderr, and its traceback
    too under ``--debug``.

    Args:
      main: the command; its arguments are the operands.
      required: the flags that must be given.
      operands: what the arguments that are no flags name, such as ``"RUN"``, of which there must be at
        least one; None where there must be none.
    """
    flags.mark_flags_as_required(required)
    app.run(
        lambda arguments: sys.exit(_guarded(lambda: main(*arguments[1:]))),
        flags_parser=lambda arguments: _parse_flags(arguments, operands),
    )


def _parse_flags(arguments: Sequence[str], operands: str | None) -> list[str]:
    try:
        remaining = flags.FLAGS(arguments)
    except flags.Error as error:
        _leave_usage(str(error))
    except SystemExit:  # of absl's --help, whose status is that of a failure
        sys.exit(0)
    if operands is None and len(remaining) > 1:
        _leave_usage(f"unexpected argument {remaining[1]!r}")
    if operands is not None and len(remaining) == 1:
        _leave_usage(f"needed is at least one {operands}")
    return remaining


def _leave_usage(message: str) -> None:
    print(f"error: {gin_files.one_line(message)} (see --help)", file=sys.stderr)
    sys.exit(_WRONG_USAGE)


def _guarded(main: Callable[[], None]) -> int:
    if not DEBUG.value:
        logging.set_verbosity(logging.FATAL)  # gin logs every place where it looks for a file
    try:
        _import_tensorflow()
        main()
    except KeyboardInterrupt:
        print("interrupted; run the same command to go on", file=sys.stderr)
        return 130
    except Exception as raised:
        if DEBUG.value:
            traceback.print_exc()
        error = raised if isinstance(raised, CommandError) else _explained(raised)
        if isinstance(error, PreemptedError):
            print(f"{gin_files.one_line(str(error))}; run the same command to go on", file=sys.stderr)
            return _RUN_AGAIN
        known = isinstance(error, CommandError | OSError) or gin_files.lacks_a_binding(error)
        hint = "" if known else f" (unexpected {type(error).__name__}; --debug shows the traceback)"
        print(f"error: {gin_files.one_line(str(error))}{hint}", file=sys.stderr)
        return _FAILED
    return 0


def _import_tensorflow() -> None:
    """Imports TensorFlow without the dozen lines that it logs about the machine it finds.

    They are written before its log level is read, so stderr is closed to them meanwhile; what goes
    wrong is raised all the same.
    """
    if DEBUG.value:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        importlib.import_module("tensorflow")
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


def _explained(error: Exception) -> Exception:
    """The error to tell instead of TensorFlow's or Python's, where what it means is known."""
    return _damaged_data(str(error)) or _lost_worker(error) or gin_files.endless(error) or error


def _damaged_data(message: str) -> InputError | None:
    """The error to tell instead of TensorFlow's, where that is of an image that cannot be decoded, or of a record."""
    if DECODING_SCOPE in message:
        reason = re.search(r"Iterator::\S*: (.*)", message)
        what = f"an image cannot be decoded{f' ({reason.group(1)})' if reason else ''}"
    elif reason := re.search(r"(corrupted|truncated) record at \d+", message):
        what = f"a file of the dataset is damaged ({reason.group()})"
    elif reason := re.search(r"Iterator::\S*: (\S+; No such file or directory|.*cardinality.*)", message):
        what = f"the dataset is not as it was ({reason.group(1)})"
    else:
        return None
    return InputError(f"{what}; scripts/check_images.py with the same gin file names it, and how to skip images")


def _lost_worker(error: Exception) -> PreemptedError | None:
    """The error to tell instead of TensorFlow's, where that is of a worker that no longer answers."""
    if not os.environ.get("TF_CONFIG") or "Collective" not in str(error) or type(error).__name__ not in _LOST:
        return None
    return PreemptedError(f"another worker was lost ({type(error).__name__}); it too must be started again")


def parse_gin(command: str, recorded: Sequence[pathlib.Path] = (), bindings: Sequence[str] = ()) -> None:
    """Configures gin: what is given here, then --gin_file, --gin_param and --seed; later ones override.

    Args:
      command: the configurable whose ``seed`` is --seed.
      recorded: gin files that come first, such as that of a finished run.
      bindings: gin bindings that come next.

    Raises:
      InputError: of ``gin_files.parse``.
    """
    seed = [] if SEED.value is None else [f"{command}.seed = {SEED.value}"]
    given = [*(GIN_PARAM.value or []), *seed]
    gin_files.parse([(list(map(str, recorded)), bindings), (GIN_FILE.value or [], given)], finalize=True)


def given_flags() -> list[str]:
    """The flags of configuration and directory that this command was given, as they are typed."""
    several = {"gin_file": GIN_FILE.value, "gin_param": GIN_PARAM.value}
    typed = [f"--{name}={value}" for name, values in several.items() for value in values or []]
    single = {"seed": SEED.value, "output_dir": OUTPUT_DIR.value}
    return [*typed, *(f"--{name}={value}" for name, value in single.items() if value is not None)]
