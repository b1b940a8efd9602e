"""A clock that jumps by days, while a command runs and between two runs of it, and files of the past and the future."""

import os
import pathlib
import time
from collections.abc import Iterator

import numpy as np

from tests.attack.outcome import Injection, Problem
from tests.attack.site import Site

_DAY = 86400
_LIBRARY = "faketime/libfaketimeMT.so.1"  # of Debian's package faketime


def jump(site: Site, random: np.random.Generator, count: int) -> Iterator[Injection]:
    """Goes on with interrupted work under another clock, which jumps once more at a random moment; and with files of
    another time.

    All clocks of a process jump, those that never should as well.
    """
    for place in range(count):
        days = float(random.uniform(1, 300)) * (-1) ** place
        site.restore("interrupted")
        _touch(site.output, time.time() + days * _DAY)
        yield Injection(f"files of {days:+.1f} days from now", tuple(site.goes_on()))

        site.restore("interrupted")
        moment = random.uniform(0, site.seconds / 2)
        back = float(random.uniform(1, 300)) * (-1) ** (place + 1)
        what = f"a clock of {days:+.1f} days from now that jumps to {back:+.1f} days after {moment:.2f} s"
        yield Injection(what, tuple(_under_another_clock(site, days, back, moment)))


def _under_another_clock(site: Site, days: float, later: float, moment: float) -> list[Problem]:
    stamp = site.disk.parent / "clock"
    stamp.write_text(f"{days:+f}d\n")
    faked = {"LD_PRELOAD": str(library()), "FAKETIME_NO_CACHE": "1", "FAKETIME_TIMESTAMP_FILE": str(stamp)}
    process = site.start(environment={**os.environ, **faked})
    time.sleep(moment)
    stamp.write_text(f"{later:+f}d\n")
    return site.problems_of_end(site.end(process))


def library() -> pathlib.Path:
    """The library that tells a process another time.

    Raises:
      RuntimeError: it is not installed.
    """
    for directory in pathlib.Path("/usr/lib").glob("*-linux-gnu"):
        if (directory / _LIBRARY).exists():
            return directory / _LIBRARY
    raise RuntimeError("faults of clocks need libfaketime: apt-get install faketime")


def _touch(directory: pathlib.Path, seconds: float) -> None:
    for path in directory.rglob("*"):
        os.utime(path, (seconds, seconds))
