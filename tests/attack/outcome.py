"""What came of a fault, and what must not."""

import dataclasses
import pathlib
from typing import Literal

Kind = Literal["lost", "wrong", "badly told"]


@dataclasses.dataclass(frozen=True)
class Problem:
    """What must not be after a fault.

    Args:
      kind: ``lost``, of what was saved; ``wrong``, of results and of what was printed; ``badly told``, of a command
        that hangs, dies, or tells its failure otherwise than in one line.
      what: in words.
    """

    kind: Kind
    what: str


@dataclasses.dataclass(frozen=True)
class Injection:
    """A fault that was injected, and what came of it that must not."""

    what: str
    problems: tuple[Problem, ...] = ()


@dataclasses.dataclass(frozen=True)
class Ended:
    """A command that has ended; its status is None where it had to be killed because it did not."""

    status: int | None
    output: str
    errors: str

    @property
    def told_last(self) -> str:
        return (self.errors.strip().splitlines() or ["nothing told"])[-1]


def problems_of_refusal(
    ended: Ended, place: pathlib.Path | None = None, statuses: tuple[int, ...] = (1,)
) -> list[Problem]:
    """What is wrong with a command that must have told its failure in one line, after those of its progress.

    Args:
      ended: the command.
      place: the directory that the line must name, or a file in it.
      statuses: with which it may end.
    """
    told = [line for line in ended.errors.splitlines() if line.startswith("error: ")]
    if ended.status not in statuses:
        return [Problem("badly told", f"ends with {ended.status}: {ended.told_last}")]
    if told != [ended.told_last] or "Traceback" in ended.errors:
        return [Problem("badly told", f"tells its failure in other than one line: {ended.errors!r}")]
    if "(unexpected " in told[0]:
        return [Problem("badly told", f"did not expect it: {told[0]}")]
    if place is not None and str(place) not in told[0]:
        return [Problem("badly told", f"does not tell where: {told[0]}")]
    return []
