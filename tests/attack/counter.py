"""A command that can be attacked in seconds, sound or with a flaw that an attack must find.

It adds up numbers as ``interpolate.py`` adds up losses: sums are saved as they grow, and the result is told.

    python tests/attack/counter.py --flaw=none --output_dir=runs/count
"""

import argparse
import contextlib
import hashlib
import json
import pathlib
import sys
import time

import numpy as np

from sparse_rigl_lands import storage
from sparse_rigl_lands.errors import CommandError, InputError
from sparse_rigl_lands.paths.partial_sums import PartialSums, Saving

FLAWS = {
    "forgets": "removes what an earlier process has saved",
    "counts twice": "adds what was saved before once more",
    "trusts": "does not look whether its result is damaged",
    "is unguarded": "lets a second process work beside it",
    "is talkative": "tells its failures by their tracebacks",
}
_ITEMS = 40


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--flaw", default="none", choices=["none", *FLAWS])
    parser.add_argument("--output_dir", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    try:
        _count(arguments.output_dir, arguments.flaw)
    except (CommandError, OSError) as error:
        if arguments.flaw == "is talkative":
            raise
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


def _count(directory: pathlib.Path, flaw: str) -> None:
    sums, result = directory / "partial_sums.npz", directory / "path.json"
    directory.mkdir(parents=True, exist_ok=True)
    with storage.alone(directory) if flaw != "is unguarded" else contextlib.nullcontext():
        if not result.exists():
            if flaw == "forgets":
                sums.unlink(missing_ok=True)
            _add_up(sums, result, flaw)
        found = storage.read_json(result)
        if flaw != "trusts" and found.get("digest") != _digest(found.get("sum")):
            raise InputError(f"{result} is damaged")
        sums.unlink(missing_ok=True)
        print(f"the sum is {found['sum']}")


def _add_up(sums: pathlib.Path, result: pathlib.Path, flaw: str) -> None:
    partial = PartialSums(sums, Saving(every=0.0))
    if flaw == "counts twice":
        partial.sums = {name: 2 * array for name, array in partial.sums.items()}

    def increments(first: int):
        for item in range(first, _ITEMS):
            time.sleep(0.1)
            yield {"sum": np.array([(item + 1.0) ** 0.5])}

    total = float(partial.add_until(_ITEMS, increments)["sum"][0])
    storage.write_json(result, {"sum": total, "digest": _digest(total)})


def _digest(total: object) -> str:
    return hashlib.sha256(json.dumps(total).encode()).hexdigest()


if __name__ == "__main__":
    main()
