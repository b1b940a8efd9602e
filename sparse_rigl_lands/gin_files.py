"""Gin files and bindings: parsed, with one clear line where they are malformed or name what is not there."""

import difflib
import functools
import importlib.util  # noqa: F401  (gin 0.5 uses it without importing it)
import inspect
import os
import re
import sys
import tokenize
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import gin

from sparse_rigl_lands import project
from sparse_rigl_lands.errors import InputError

_TRACE = "In call to configurable"  # gin adds a line to an exception for every configurable it crosses
_MANY_CALLS = 100  # of gin's, within each other


def parse(layers: Sequence[tuple[Sequence[str], Sequence[str]]], finalize: bool) -> None:
    """Configures gin anew.

    Files are looked up from the working directory, then from ``project.DIRECTORY``. Modules that they import are found
    in the working directory as well.

    Args:
      layers: of files and bindings; later ones override.
      finalize: whether what is configured may not be changed any more.

    Raises:
      InputError: a file is missing or malformed, or a name is unknown; close names are listed.
    """
    gin.clear_config()
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    _look_in_the_project()
    try:
        for config_files, bindings in layers:
            gin.parse_config_files_and_bindings(list(config_files), list(bindings), finalize_config=False)
        if finalize:
            gin.finalize()
    except tokenize.TokenError as error:
        raise InputError(f"gin: {error.args[0]}") from error
    except (ValueError, TypeError, OSError, SyntaxError, ImportError, RecursionError) as error:
        raise InputError(f"gin: {one_line(str(error))}{_hint(str(error))}") from error


@functools.cache
def _look_in_the_project() -> None:
    """Once: gin would look there as often as it was told."""
    gin.add_config_file_search_path(str(project.DIRECTORY))


def _hint(message: str) -> str:
    """What gin's message may have meant: the names that are close to an unknown one, or a string."""
    names = [name for name, _ in gin.config._REGISTRY.items()]  # gin lists its configurables nowhere public
    if match := re.search(r"No configurable matching (?:reference )?'@?([^'(]*)", message):
        unknown = match.group(1).split("/")[-1]
        choices = [name.split(".")[-1] for name in names if not name.startswith("gin.")]
    elif match := re.search(r"Configurable '([^']*)' doesn't have a parameter named '([^']*)'", message):
        unknown = match.group(2)
        choices = list(inspect.signature(gin.get_configurable(match.group(1))).parameters)
    elif "malformed node" in message:
        return "; a string needs quotes of its own: \"name='value'\""
    else:
        return ""
    close = difflib.get_close_matches(unknown.split(".")[-1], choices, n=3)
    if close:
        return f"; close names: {', '.join(close)}"
    return f"; known names: {', '.join(sorted(set(choices)))}"


def configuration(gin_file: str, bindings: Sequence[str]) -> str:
    """All that a gin file and bindings amount to, as text; what is configured now is forgotten.

    Raises:
      InputError: of ``parse``.
    """
    return configured(gin_file, bindings, gin.config_str)


def configured(gin_file: str, bindings: Sequence[str], make: Callable[..., Any]) -> Any:
    """What is made under a gin file and bindings; what is configured now is forgotten.

    Args:
      gin_file: its path.
      bindings: that come after it.
      make: what makes it.

    Raises:
      InputError: of ``parse`` or of ``make``, or something is bound to be made of itself.
    """
    parse([([gin_file], bindings)], finalize=False)
    try:
        made = make()
    except RecursionError as error:
        if found := endless(error):
            raise found from error
        raise
    gin.clear_config()
    return made


def one_line(message: str) -> str:
    """A message of several lines as one, without those that gin adds to every exception."""
    lines = (line.strip() for line in message.splitlines())
    return "; ".join(line for line in lines if line.strip("^") and not line.startswith(_TRACE))


def endless(error: Exception) -> InputError | None:
    """The error to tell instead of Python's, where gin makes something of itself, as Recipe.steps = @Recipe() asks."""
    if not isinstance(error, RecursionError):
        return None
    calls = sum(frame.f_code.co_filename == gin.config.__file__ for frame, _ in traceback.walk_tb(error.__traceback__))
    return InputError("gin: something is bound to be made of itself, without end") if calls > _MANY_CALLS else None


def lacks_a_binding(error: Exception) -> bool:
    """Whether a configurable was called without an argument that the gin files should have bound."""
    return isinstance(error, TypeError) and "missing" in str(error) and _TRACE in str(error)
