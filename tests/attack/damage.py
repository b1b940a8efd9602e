"""Files cut short and files with one bit flipped, of interrupted and of finished work."""

import pathlib
import re
from collections.abc import Callable, Iterator

import numpy as np

from tests.attack import evidence
from tests.attack.outcome import Injection, Problem, problems_of_refusal
from tests.attack.site import Site


def damage(site: Site, random: np.random.Generator, count: int) -> Iterator[Injection]:
    """Damages one file, and runs the command again.

    It may end as the undisturbed one, or name the file, or its directory, and change nothing else that is saved. A
    command that starts others need not read the checkpoints of finished ones: then they must be refused where they are.

    Args:
      site: of the command.
      random: chooses files and bytes.
      count: how many damages, of the interrupted and of the finished directory each; every kind of file has its two
        before any has more.
    """
    for state in ("interrupted", "finished"):
        site.restore(state)
        cases: list[tuple[str, Callable[[pathlib.Path, np.random.Generator], str]]] = []
        while len(cases) < count:
            of_each_kind = [(name, how) for name in _one_of_each_kind(site.output, random) for how in (_cut, _flip)]
            cases += [of_each_kind[case] for case in random.permutation(len(of_each_kind))]
        for name, how in cases[:count]:
            site.restore(state)
            what = f"{name}, {state}, {how(site.output / name, random)}"
            yield Injection(what, tuple(_problems(site, name)))


def _problems(site: Site, name: str) -> list[Problem]:
    before = evidence.tree(site.output)
    ended = site.run()
    if ended.status == 0 and site.subject.starts_others and "checkpoints/" in name:
        return site.problems_of_end(ended, apart_from=name) + _problems_if_read(site)
    if ended.status == 0:
        return site.problems_of_end(ended)
    after = evidence.tree(site.output)
    changed = [each for each in before if not evidence.is_told_anew(each) and before[each] != after.get(each)]
    problems = [*problems_of_refusal(ended, site.output), *site.wrong_files(apart_from=name)]
    if changed:
        problems.append(Problem("lost", f"refuses, but has changed {', '.join(changed)}"))
    return problems


def _problems_if_read(site: Site) -> list[Problem]:
    if site.wrong_files(must_be_all=True) and not site.lost_since({}):
        return [Problem("wrong", "a damaged checkpoint is not refused where it is read")]
    return []


def _one_of_each_kind(directory: pathlib.Path, random: np.random.Generator) -> list[str]:
    """A file of every name, whatever the numbers in it."""
    kinds: dict[str, list[str]] = {}
    for name in evidence.tree(directory):
        path = pathlib.Path(name)
        kind = "record" if path.parts[0] == "logs" else re.sub(r"\d+", "", path.name)
        kinds.setdefault(kind, []).append(name)
    return [str(random.choice(names)) for names in kinds.values()]


def _cut(path: pathlib.Path, random: np.random.Generator) -> str:
    content = path.read_bytes()
    length = int(random.integers(len(content)))
    path.write_bytes(content[:length])
    return f"cut to {length} of {len(content)} bytes"


def _flip(path: pathlib.Path, random: np.random.Generator) -> str:
    content = bytearray(path.read_bytes())
    place, bit = int(random.integers(len(content))), int(random.integers(8))
    content[place] ^= 1 << bit
    path.write_bytes(content)
    return f"bit {bit} of byte {place} flipped"
