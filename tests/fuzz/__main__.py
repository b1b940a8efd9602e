"""Fuzzes every reader of the package, guided by coverage, and tells in a table what came of it.

    python -m tests.fuzz                        all of them, 100,000 inputs in all: `make fuzz`
    python -m tests.fuzz --target=path.json     one of them
    python -m tests.fuzz --target=path.json --input=runs/fuzz/path.json/traceback-1

The last reads one input again, in this process. Every reader runs in a process of its own, so that one that ends it by
a signal ends nothing else. The exit status is 1 if anything was found; the inputs that found it are kept.
"""

import argparse
import dataclasses
import importlib.util
import math
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from tests.fuzz import corpus
from tests.fuzz.bounds import COUNTS, MEGABYTES, SECONDS
from tests.fuzz.corpus import Corpus
from tests.fuzz.targets import REFUSED, TARGETS


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a reader's inputs.

    Args:
      inputs, refused, accepted, tracebacks: how many it was given, and how many of them it refused in one line,
        took, or ended with any other exception.
      megabytes: the most memory that its process had.
      hangs, too_large, crashes: whether an input took longer or more memory than is allowed, or ended the process.
    """

    inputs: int
    refused: int
    accepted: int
    tracebacks: int
    megabytes: int
    hangs: int
    too_large: int
    crashes: int

    @property
    def is_good(self) -> bool:
        return not (self.tracebacks or self.hangs or self.too_large or self.crashes)


def main() -> int:
    parser = argparse.ArgumentParser("tests.fuzz", description="Fuzzes every reader of the package.")
    parser.add_argument("--inputs", type=int, default=100_000, help="how many all readers are given together")
    parser.add_argument("--target", action="append", choices=TARGETS, help="a reader; may repeat; by default all")
    parser.add_argument("--seed", type=int, default=0, help="of the inputs")
    parser.add_argument("--input", type=pathlib.Path, help="one input, read in this process by the one --target")
    parser.add_argument("--output_dir", type=pathlib.Path, default="runs/fuzz", help="where inputs are kept")
    given = parser.parse_args()
    names = given.target or list(TARGETS)
    if given.input and len(names) > 1:
        parser.error("--input needs one --target")
    if not given.input and importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not there: make fuzz installs it, on Linux and x86-64 with Python 3.11 or later")
    with tempfile.TemporaryDirectory() as directory:
        made = pathlib.Path(directory) / "corpus"
        corpus.make(made)
        if given.input:
            print(_read_one(names[0], Corpus(made), given.input))
            return 0
        share = given.inputs / sum(TARGETS[name].share for name in names)
        outcomes = {}
        for name in names:
            inputs = math.ceil(share * TARGETS[name].share)
            print(f"{name}: {inputs:,} inputs", file=sys.stderr, flush=True)
            outcomes[name] = _fuzz(name, inputs, given.seed, made, given.output_dir / re.sub(r"\W+", "_", name))
    Console(width=None if sys.stdout.isatty() else 120).print(_table(outcomes))
    return int(not all(outcome.is_good for outcome in outcomes.values()))


def _read_one(name: str, made: Corpus, path: pathlib.Path) -> str:
    try:
        TARGETS[name](made, path.read_bytes())
    except REFUSED as error:
        return f"refused: {error}"
    return "accepted"


def _fuzz(name: str, inputs: int, seed: int, made: pathlib.Path, found: pathlib.Path) -> Outcome:
    shutil.rmtree(found, ignore_errors=True)
    found.mkdir(parents=True)
    counts = np.memmap(found / "counts", "int64", "w+", shape=len(COUNTS))
    changed = made.with_name("changed")
    shutil.copytree(made, changed)
    command = [sys.executable, "-m", "tests.fuzz.worker", name, str(inputs), str(seed), str(changed), str(found)]
    with (found / "log").open("wb") as log:
        status = subprocess.run(command, stdout=log, stderr=log).returncode
    for finished in (changed, found / "seeds"):
        shutil.rmtree(finished, ignore_errors=True)
    hangs, too_large = (len(list(found.glob(f"{kind}-*"))) for kind in ("timeout", "oom"))
    crashes = int((status != 0 or counts[0] < inputs) and not hangs and not too_large)
    return Outcome(*map(int, counts), hangs, too_large or int(counts[-1] > MEGABYTES), crashes)


def _table(outcomes: dict[str, Outcome]) -> Table:
    title = f"At most {SECONDS} s for an input, {MEGABYTES:,} MB for a process"
    table = Table(title=title, box=box.SIMPLE_HEAD, show_footer=True)
    table.add_column("reader", "all")
    for column in dataclasses.fields(Outcome):
        values = [getattr(outcome, column.name) for outcome in outcomes.values()]
        together = max(values) if column.name == "megabytes" else sum(values)
        table.add_column(column.name.replace("_", " "), f"{together:,}", justify="right")
    for name, outcome in outcomes.items():
        cells = (f"{value:,}" for value in dataclasses.astuple(outcome))
        table.add_row(name, *cells, style="" if outcome.is_good else "bold red")
    return table


if __name__ == "__main__":
    sys.exit(main())
