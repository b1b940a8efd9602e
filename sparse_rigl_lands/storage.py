"""Files that are written whole or not at all, by one process at a time, and what is read back from them."""

import contextlib
import csv
import fcntl
import functools
import io
import json
import math
import os
import pathlib
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pydantic
import typing_extensions

from sparse_rigl_lands.errors import InputError

PARTIAL = ".partial"  # how the name of a file ends while it is being written
LOCK = ".lock"  # held by the process that works in the directory


@contextlib.contextmanager
def alone(directory: pathlib.Path) -> Iterator[None]:
    """Keeps other commands out of a directory meanwhile: they would write the same files.

    The lock is one of the operating system's: it ends with the process, however that ends.

    Raises:
      InputError: another command is at work there, or the file system has no locks.
    """
    with (directory / LOCK).open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"another command is at work in {directory}") from error
        except OSError as error:
            raise InputError(f"cannot lock {directory}: {error.strerror}; its file system must know locks") from error
        yield


def partial(path: pathlib.Path) -> pathlib.Path:
    """The temporary name beside a file, on the same file system, under which it is written."""
    return path.with_name(f".{path.name}{PARTIAL}")


def put_in_place(temporary: pathlib.Path, path: pathlib.Path) -> None:
    """Renames a file that is complete, after its bytes have reached the disk."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


def write_bytes(path: pathlib.Path, content: bytes) -> None:
    """Writes a file whole or not at all.

    Raises:
      OSError: it cannot be written, as on a full disk; an earlier file of that name is as it was.
    """
    temporary = partial(path)
    try:
        temporary.write_bytes(content)
        put_in_place(temporary, path)
    except OSError as error:  # a full disk's does not name the file
        raise OSError(f"cannot write {path}: {error.strerror or error}") from error


def write_text(path: pathlib.Path, content: str) -> None:
    write_bytes(path, content.encode())


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """Strict JSON (no NaN), keys in the order given."""
    return (json.dumps(content, indent=2, allow_nan=False) + "\n").encode()


def write_json(path: pathlib.Path, content: Mapping[str, Any]) -> None:
    """Writes what ``json_bytes`` makes of an object."""
    write_bytes(path, json_bytes(content))


def read_json(path: pathlib.Path, kind: Any = dict[str, Any]) -> dict[str, Any]:
    """Reads a JSON object that an earlier command wrote.

    Args:
      path: of the file.
      kind: what it must hold, as a type: a ``TypedDict``, which may lack keys that are not read.

    Raises:
      InputError: the file does not hold such an object, or strict JSON.
    """
    try:
        return parse_json(read_text(path), kind)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {error}") from error


def parse_json(text: str, kind: Any) -> dict[str, Any]:
    """A JSON object, with numbers that NumPy and a C double can hold.

    Args:
      text: of the object.
      kind: what it must hold: a ``TypedDict`` or a dataclass, which may have other keys, too.

    Raises:
      ValueError, RecursionError: it is not such an object.
    """
    content = json.loads(text, parse_constant=_refuse, parse_float=_finite, parse_int=_int64)
    if not isinstance(content, dict):
        raise ValueError("it holds no JSON object")
    json.dumps(content, ensure_ascii=False).encode()  # half of a surrogate pair could be written nowhere
    try:
        _adapter(kind).validate_json(text, strict=True)
    except pydantic.ValidationError as error:
        raise ValueError(_first_fault(error)) from error
    return content


@functools.cache
def _adapter(kind: Any) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(kind)


def _first_fault(error: pydantic.ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    *places, last = map(str, fault["loc"] or ("it",))
    if fault["type"] == "missing":
        return f"{'.'.join(places) or 'it'} lacks {last}"
    shown = repr(fault["input"])
    return f"{'.'.join((*places, last))} is {shown if len(shown) <= 40 else f'{shown[:40]}...'}: {fault['msg']}"


def _refuse(number: str) -> NoReturn:
    raise ValueError(f"{number if len(number) <= 40 else f'{number[:40]}...'} is no number that can be held")


def _finite(number: str) -> float:
    return value if math.isfinite(value := float(number)) else _refuse(number)


def _int64(number: str) -> int:
    return value if -(2**63) <= (value := int(number)) < 2**63 else _refuse(number)


def read_text(path: pathlib.Path) -> str:
    """Reads text that an earlier command wrote.

    Raises:
      InputError: the file does not hold text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is damaged: {error}") from error


def read_table(path: pathlib.Path, row: Any) -> pd.DataFrame:
    """Reads a CSV file that an earlier command wrote.

    Args:
      path: of the file.
      row: the ``TypedDict`` of the columns that it must have, which are ``str``, a ``Literal`` of words, ``int``,
        ``float`` (finite), or ``float | None`` where a cell may be empty; or ``dict[str, float]``, numbers in any.

    Raises:
      InputError: the file does not hold such a table, or one without rows.
    """
    columns = typing_extensions.get_type_hints(row) if typing_extensions.is_typeddict(row) else {}
    words = [name for name, kind in columns.items() if kind is str or typing.get_origin(kind) is typing.Literal]
    try:
        table = pd.read_csv(
            path,
            dtype=dict.fromkeys(words, str),
            na_values={name: [""] for name in columns if name not in words},
            keep_default_na=False,
            low_memory=False,
        )
    except ValueError as error:
        raise InputError(f"{path} is damaged: {str(error).strip()}") from error
    columns = columns or dict.fromkeys(table.columns, typing.get_args(row)[1])
    faults = (_fault_of_column(table, name, kind) for name, kind in columns.items())
    if not len(table) or not isinstance(table.index, pd.RangeIndex):
        raise InputError(f"{path} is damaged: it has no rows, or cells without a column")
    if fault := next(filter(None, faults), ""):
        raise InputError(f"{path} is damaged: {fault}")
    return table


def _fault_of_column(table: pd.DataFrame, name: str, kind: Any) -> str:
    if name not in table:
        return f"it has no column {name}"
    column = table[name]
    if kind is str:
        return ""
    if typing.get_origin(kind) is typing.Literal:
        return (
            "" if column.isin(typing.get_args(kind)).all() else f"a cell of {name} is none of {typing.get_args(kind)}"
        )
    if kind is int:
        return "" if column.dtype == "int64" else f"{name} is not whole numbers"
    is_number = column.dtype in ("int64", "float64")
    if kind is not float:
        column = column.dropna()
    return "" if is_number and np.isfinite(column).all() else f"{name} is not finite numbers"


def write_csv(path: pathlib.Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Writes rows that share their keys; floats in the shortest form that reads back the same."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
