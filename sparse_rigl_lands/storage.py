"""Files that are written whole or not at all, by one process at a time, and what is read back from them."""

import contextlib
import csv
import fcntl
import io
import json
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sparse_rigl_lands.errors import InputError

PARTIAL = ".partial"  # how the name of a file ends while it is being written
LOCK = ".lock"  # held by the process that works in the directory


@contextlib.contextmanager
def alone(directory: pathlib.Path) -> Iterator[None]:
    """Keeps other commands out of a directory meanwhile: they would write the same files.

    The lock is one of the operating system's: it ends with the process, however that ends.

    Raises:
      InputError: another command is at work there.
    """
    with (directory / LOCK).open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"another command is at work in {directory}") from error
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


def read_json(path: pathlib.Path) -> dict[str, Any]:
    """Reads a JSON object that an earlier command wrote.

    Raises:
      InputError: the file does not hold a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} is damaged: it holds no JSON object")
    return content


def write_csv(path: pathlib.Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Writes rows that share their keys; floats in the shortest form that reads back the same."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
