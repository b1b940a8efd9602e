"""A claim of the paper, and what decides it.

A claim has parts, such as "the line from S-S to P-S has a barrier, seed 3": a quantity with its bounds, and a
threshold that it has to lie above, or not above. A part is confirmed where both bounds lie on the side that is wanted,
refuted where both lie on the other, and undecided where the threshold lies between them. A claim is confirmed where
all of its parts are, refuted where one of them is, and undecided otherwise, or where a part is missing.
"""

import dataclasses
from typing import Literal

Verdict = Literal["confirmed", "refuted", "undecided"]
Side = Literal["above", "at most"]


@dataclasses.dataclass(frozen=True)
class Part:
    """One comparison that a claim stands or falls with.

    Args:
      name: what is compared, without the seed.
      seeds: those that it is about.
      estimate: of the quantity.
      lower, upper: its bounds.
      wanted: on which side of the threshold the claim has it.
      threshold: in the quantity's unit.
      unit: ``"nats"`` or ``"accuracy"``.
      holds_for: what the bounds are for: other ``"images"``, or other ``"seeds"``.
    """

    name: str
    seeds: tuple[int, ...]
    estimate: float
    lower: float
    upper: float
    wanted: Side
    threshold: float
    unit: Literal["nats", "accuracy"]
    holds_for: Literal["images", "seeds"]

    @property
    def verdict(self) -> Verdict:
        above, at_most = self.lower > self.threshold, self.upper <= self.threshold
        if not above and not at_most:
            return "undecided"
        return "confirmed" if above == (self.wanted == "above") else "refuted"


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim of the paper.

    Args:
      number: 1 to 5.
      figure: of the paper, where it is shown.
      statement: what is claimed.
      parts: what it stands or falls with, as far as it is known.
      missing: what is not known, in words.
      remarks: what else is to be said, which does not decide it.
    """

    number: int
    figure: int
    statement: str
    parts: tuple[Part, ...]
    missing: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        verdicts = {part.verdict for part in self.parts}
        if "refuted" in verdicts:
            return "refuted"
        return "confirmed" if verdicts == {"confirmed"} and not self.missing else "undecided"
