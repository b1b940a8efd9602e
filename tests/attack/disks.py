"""A disk that becomes full, and one that cannot be written: small file systems in memory, in a mount namespace of our
own.
"""

import contextlib
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import numpy as np

from tests.attack import evidence
from tests.attack.outcome import Injection, Problem, problems_of_refusal
from tests.attack.site import Site

_ROOM = 64 * 2**20
_ENTERED = "ATTACK_IN_NAMESPACE"


def enter_namespace() -> None:
    """Runs this program again where it may mount what nobody else sees; as a person without rights, too.

    Raises:
      RuntimeError: there is no such place to be had.
    """
    if os.environ.get(_ENTERED):
        return
    unshare = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode:
        raise RuntimeError("faults of disks need a mount namespace, which cannot be had here: run it as root on Linux")
    os.environ[_ENTERED] = "1"
    os.execvp(unshare[0], [*unshare, sys.executable, "-m", "tests.attack", *sys.argv[1:]])


def full(site: Site, random: np.random.Generator, count: int) -> Iterator[Injection]:
    """Runs a command on disks too small for it, which become full at places that are spread over what it writes."""
    for place in range(count):
        size = int(site.bytes * (place + random.uniform()) / count)
        with _disk(site.disk, size):
            before = evidence.saved(site.output)
            ended = site.run()
            problems = problems_of_refusal(ended)
            problems += [*site.lost_since(before), *site.wrong_files()]
            saved = evidence.saved(site.output)
            _mount("remount", site.disk, f"size={_ROOM}")
            problems += [*site.goes_on(), *site.lost_since(saved)]
        yield Injection(f"a disk of {size:,} of {site.bytes:,} bytes", tuple(problems))


def read_only(site: Site, random: np.random.Generator, count: int) -> Iterator[Injection]:
    """Runs a command in a directory that cannot be written."""
    for state in ("nothing", "interrupted", "finished"):
        with _disk(site.disk, _ROOM):
            site.restore(state)
            before = evidence.tree(site.output)
            _mount("remount", site.disk, "ro")
            ended = site.run()
            problems = []
            if ended.status != 0 or state != "finished":  # what is finished may be told
                problems += problems_of_refusal(ended, statuses=(1, 2))
            _mount("remount", site.disk, "rw")
            if evidence.tree(site.output) != before:
                problems.append(Problem("lost", "the directory is not as it was"))
            yield Injection(f"a directory that cannot be written, with {state}", (*problems, *site.goes_on()))


@contextlib.contextmanager
def _disk(place: pathlib.Path, size: int) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={max(size, 4096)}", "tmpfs", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def _mount(how: str, place: pathlib.Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"{how},{option}", place], check=True)
