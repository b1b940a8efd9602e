"""Attacks the commands: injects faults and tells what was lost.

    python -m tests.attack
    python -m tests.attack --command=train --fault=kill --kills=3 --seed=7

Every fault is followed by the same command with nothing in its way. What was saved before must be there after it, and
the results and what is printed must be those of a command that nobody disturbed, to the last bit. Random moments,
places and bytes are drawn from the seed, the command and the kind of fault. The exit status is 1 where anything was
lost, wrong or badly told.
"""

import argparse
import pathlib
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import rich
from rich.table import Table

from tests.attack import clocks, damage, disks, kills, pairs
from tests.attack.outcome import Injection
from tests.attack.site import Site
from tests.attack.subjects import Subject, subjects
from tests.commands import SMALL_TRAINING, Commands

_FAULTS: dict[str, Callable[[Site, np.random.Generator, int], Iterator[Injection]]] = {
    "kill": kills.kill,
    "full disk": disks.full,
    "read-only": disks.read_only,
    "damage": damage.damage,
    "two at once": pairs.at_once,
    "clock": clocks.jump,
}
_NEED_INTERRUPTED = ("read-only", "damage", "clock")
_COMMANDS = ("train", "interpolate", "fit", "sweep", "reproduce")


def main() -> None:
    arguments = _arguments()
    try:
        if {"full disk", "read-only"} & set(arguments.fault):
            disks.enter_namespace()
        if "clock" in arguments.fault:
            clocks.library()
    except RuntimeError as error:
        sys.exit(f"error: {error}")
    counts = {"kill": arguments.kills, "full disk": arguments.disks, "damage": arguments.damages}
    table = Table("command", "fault", "injected", "survived", "lost", "wrong", "badly told", title="Faults injected")
    findings = 0
    with tempfile.TemporaryDirectory(prefix="attack-") as directory:
        commands = Commands(pathlib.Path(directory))
        try:
            run = pathlib.Path(directory) / "given"
            commands.run("train.py", *SMALL_TRAINING, f"--output_dir={run}")
            for name in arguments.command:
                site = Site(subjects(run)[name], pathlib.Path(directory) / name, commands)
                site.measure()
                print(f"{name}: {site.seconds:.1f} s, {site.bytes:,} bytes undisturbed", flush=True)
                if set(_NEED_INTERRUPTED) & set(arguments.fault):
                    site.interrupt()
                for fault in arguments.fault:
                    injections = list(_told(site.subject, fault, site, arguments.seed, counts.get(fault, 2)))
                    kinds = [{problem.kind for problem in each.problems} for each in injections]
                    by_kind = [sum(kind in of for of in kinds) for kind in ("lost", "wrong", "badly told")]
                    findings += sum(map(bool, kinds))
                    counted = [str(count) for count in (len(kinds), sum(not of for of in kinds), *by_kind)]
                    table.add_row(name, fault, *counted)
                    print(
                        f"{name}, {fault}: {', '.join(counted)} injected, survived, lost, wrong, badly told", flush=True
                    )
        finally:
            commands.end()
    rich.print(table)
    sys.exit(findings > 0)


def _told(subject: Subject, fault: str, site: Site, seed: int, count: int) -> Iterator[Injection]:
    random = np.random.default_rng([seed, zlib.crc32(f"{subject.name}/{fault}".encode())])
    for injection in _FAULTS[fault](site, random, count):
        print(f"{subject.name}, {fault} (seed {seed}): {injection.what}", flush=True)
        for problem in injection.problems:
            print(f"  {problem.kind.upper()}: {problem.what}", flush=True)
        yield injection


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description="Injects faults into the commands.")
    parser.add_argument("--command", action="append", choices=_COMMANDS, help="may repeat; all by default")
    parser.add_argument("--fault", action="append", choices=_FAULTS, help="may repeat; all by default")
    parser.add_argument("--kills", type=int, default=20, help="of every command")
    parser.add_argument("--disks", type=int, default=3, help="sizes of full disks")
    parser.add_argument("--damages", type=int, default=5, help="of interrupted and of finished work each")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.command = arguments.command or _COMMANDS
    arguments.fault = arguments.fault or tuple(_FAULTS)
    return arguments


if __name__ == "__main__":
    main()
