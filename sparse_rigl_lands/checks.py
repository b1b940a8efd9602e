"""What settings must be: each check refuses any other value in one line that names the setting.

Each raises InputError, or returns nothing. A setting is called as in a gin file, such as ``"Recipe.steps"``. A number
may be ``least`` itself, but neither ``above`` nor ``below`` itself; ``others`` are values that a setting may have
besides, such as None; an ``example`` of what to write is told; and ``verb`` is how the line goes on: what a setting
*is*, an element of a list it *names*.

True and False are no numbers. Runs record their settings, and those records are read again: whole numbers, of which
seeds are the largest, are of 64 bits, and numbers are finite.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sparse_rigl_lands.errors import InputError

_INT64 = range(-(2**63), 2**63)


def whole_number(
    setting: str,
    value: Any,
    least: int | None = None,
    below: int | None = None,
    others: Sequence[object] = (),
    verb: str = "is",
) -> None:
    """Refuses what is no whole number, or out of range."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    is_held = is_whole and value in _INT64
    if not (is_held and _is_within(value, least, None, below)) and not _is_one_of(others, value):
        held = " that 64 bits hold" if is_whole and not is_held else ""
        raise _refusal(setting, value, f"a whole number{_range(least, None, below)}{held}", others, verb)


def number(
    setting: str,
    value: Any,
    least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    others: Sequence[object] = (),
    verb: str = "is",
) -> None:
    """Refuses what is no finite number, or out of range."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_finite = is_number and -sys.float_info.max <= value <= sys.float_info.max
    if not (is_finite and _is_within(value, least, above, below)) and not _is_one_of(others, value):
        needed = "a number" if below is not None else "a finite number"
        raise _refusal(setting, value, f"{needed}{_range(least, above, below)}", others, verb)


def flag(setting: str, value: Any) -> None:
    """Refuses what is neither True nor False: 'False' in quotes would count as true."""
    if not isinstance(value, bool):
        raise _refusal(setting, value, "True or False")


def text(setting: str, value: Any, others: Sequence[object] = (), verb: str = "is") -> None:
    """Refuses what is no text, and an empty one."""
    if not (isinstance(value, str) and value) and not _is_one_of(others, value):
        raise _refusal(setting, value, "a text in quotes", others, verb)


def path(setting: str, value: Any, others: Sequence[object] = (), verb: str = "is") -> None:
    """Refuses what names no file or directory: a text may, and so may an object that stands for a path."""
    if not isinstance(value, os.PathLike):
        text(setting, value, others, verb)


def choice(setting: str, value: Any, known: Sequence[str], verb: str = "is") -> None:
    """Refuses what is none of the words that are known."""
    if not _is_one_of(known, value):
        raise InputError(f"{setting} {verb} {value!r}; known are {', '.join(known)}")


def listed(setting: str, values: Any) -> None:
    """Refuses what is no list: a text would count as one of letters."""
    if not isinstance(values, Sequence) or isinstance(values, str | bytes):
        raise _refusal(setting, values, "a list")


def each(setting: str, values: Any, check: Callable[..., None], **limits: Any) -> None:
    """Refuses what is no list, or one with an element that another of these checks refuses."""
    listed(setting, values)
    for value in values:
        check(setting, value, verb="names", **limits)


def mapping(setting: str, value: Any, others: Sequence[object] = ()) -> None:
    """Refuses what is no dictionary."""
    if not isinstance(value, Mapping) and not _is_one_of(others, value):
        raise _refusal(setting, value, "a dictionary", others)


def function(setting: str, value: Any, example: str) -> None:
    """Refuses what cannot be called, such as the name of a function in quotes."""
    if not callable(value):
        raise _refusal(setting, value, f"a function: {example}")


def kind(setting: str, value: Any, wanted: type, example: str, others: Sequence[object] = ()) -> None:
    """Refuses what is of another kind, such as what would make it: a gin file lacks the parentheses of the example."""
    if not isinstance(value, wanted) and not _is_one_of(others, value):
        name = f"{'an' if wanted.__name__[0] in 'AEIOU' else 'a'} {wanted.__name__}"
        raise InputError(f"{setting} is {value!r}, not {name}: in a gin file, {example}, with its parentheses")


def _is_within(value: float, least: float | None, above: float | None, below: float | None) -> bool:
    return (least is None or value >= least) and (above is None or value > above) and (below is None or value < below)


def _range(least: float | None, above: float | None, below: float | None) -> str:
    """In words: " of at least 0 and below 1"."""
    bounds = {"of at least": least, "above": above, "below": below}
    words = " and ".join(f"{name} {bound}" for name, bound in bounds.items() if bound is not None)
    return words and f" {words}"


def _is_one_of(others: Sequence[object], value: object) -> bool:
    """Of the same type too: False is not 0."""
    return any(type(value) is type(other) and value == other for other in others)


def _refusal(setting: str, value: object, needed: str, others: Sequence[object] = (), verb: str = "is") -> InputError:
    besides = f"{', '.join(map(repr, others))} or " if others else ""
    return InputError(f"{setting} {verb} {value!r}; it must be {besides}{needed}")
