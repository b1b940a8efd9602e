"""What is read of an output directory: its results, which must be bit-identical, and what is saved so far."""

import csv
import hashlib
import io
import json
import pathlib
import re

import numpy as np

# Of processes, not of results: how long they took, and on which day a report was told. Where all clocks are set back,
# those that never are as well, less than no time was taken.
_OF_A_REPORT = re.compile(rb"ran for -?\d+ \w+ in sum|seconds\W{1,2}>-?[\d.]+<|, \d{4}-\d\d-\d\d, ")
_OF_STUDIES = ("runs.csv", "paths.csv", "steps.csv", "claims.csv", "claims.json", "table.md", "report.html")
_OF_PROCESSES = ("seconds_of_last_process", "seconds")


def results(directory: pathlib.Path) -> dict[str, bytes]:
    """All files by their names within a directory, with what is the same of them however often a command was disturbed.

    Left out are TensorBoard's events, logs, the lock and files that are being written; in the others, seconds and the
    day of a report, and in the records of steps the digests of files that hold seconds.
    """
    return {str(path.relative_to(directory)): _undated(path, directory) for path in _files(directory)}


def saved(directory: pathlib.Path) -> dict[str, int]:
    """How much of everything is saved: what was must never become less.

    Returns:
      For every directory of checkpoints the step of the latest, for partial sums the number of items, for finished
      results 1.

    Raises:
      Exception: one of these files cannot be read.
    """
    found: dict[str, int] = {}
    for path in _files(directory):
        name = str(path.relative_to(directory))
        if path.suffix == ".index":
            step = int(match.group(1)) if (match := re.fullmatch(r"step_(\d+)", path.stem)) else 1
            _check_checkpoint(path.with_suffix(""))
            key = str(pathlib.Path(name).parent) if match else name
            found[key] = max(found.get(key, 0), step + 1)
        elif path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                found[name] = int(arrays["items"])
        elif path.suffix == ".json" and not is_told_anew(name):
            json.loads(path.read_text())
            found[name] = 1
    return found


def tree(directory: pathlib.Path) -> dict[str, str]:
    """Digests of all files but logs and events, by name."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in _files(directory)
    }


def is_told_anew(name: str) -> bool:
    """Whether a file is drawn or told of others at every call, and removed at its start."""
    return name in _OF_STUDIES or name.endswith((".png", ".svg"))


def _files(directory: pathlib.Path) -> list[pathlib.Path]:
    def is_left_out(path: pathlib.Path) -> bool:
        parts = path.relative_to(directory).parts
        is_of_process = path.suffix in (".log", ".partial") or path.name.startswith(".")
        return is_of_process or "tensorboard" in parts or path.is_dir()

    return sorted(path for path in directory.rglob("*") if not is_left_out(path))


def _undated(path: pathlib.Path, directory: pathlib.Path) -> bytes:
    content = path.read_bytes()
    try:
        if path.suffix == ".json":
            read = json.loads(content)
            of_record = ("results",) if path.relative_to(directory).parts[0] == "logs" else ()
            kept = {key: value for key, value in read.items() if key not in (*_OF_PROCESSES, *of_record)}
            return json.dumps(kept).encode()
        if path.name == "sha256sums.txt":  # of files that hold seconds, too
            return b"".join(line for line in content.splitlines(True) if not line.endswith(b".json\n"))
        if path.name == "steps.csv":
            rows = list(csv.DictReader(io.StringIO(content.decode())))
            return json.dumps([{key: row[key] for key in row if key not in _OF_PROCESSES} for row in rows]).encode()
    except (ValueError, AttributeError):  # damaged: it is what it is
        return content
    return _OF_A_REPORT.sub(b"", content) if path.suffix == ".html" else content


def _check_checkpoint(prefix: pathlib.Path) -> None:
    from sparse_rigl_lands.points import checkpoint  # TensorFlow takes seconds to import

    checkpoint.load(prefix)
