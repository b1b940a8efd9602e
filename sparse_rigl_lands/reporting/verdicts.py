"""The verdicts on the paper's claims, in words."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from sparse_rigl_lands.reporting import words
from sparse_rigl_lands.studies.claim import Claim, Part
from sparse_rigl_lands.studies.study import Study

ORDER = ("confirmed", "refuted", "undecided")
_MOST_NAMED = 3  # of what is missing


@dataclasses.dataclass(frozen=True)
class Group:
    """The parts of a claim that differ by the seed alone.

    Args:
      name: of the parts.
      parts: of all seeds.
    """

    name: str
    parts: Sequence[Part]

    @property
    def seeds(self) -> str:
        return ", ".join(str(seed) for seed in sorted({seed for part in self.parts for seed in part.seeds}))

    @property
    def estimates(self) -> str:
        """From lowest to highest, with the unit."""
        lowest, highest = (f"{choose(part.estimate for part in self.parts):.3f}" for choose in (min, max))
        return (lowest if lowest == highest else f"{lowest} to {highest}") + self._unit

    @property
    def bounds(self) -> str:
        """The lowest and the highest."""
        return words.bounds(min(part.lower for part in self.parts), max(part.upper for part in self.parts))

    @property
    def wanted(self) -> str:
        return f"{self.parts[0].wanted} {self.parts[0].threshold:g}{self._unit}"

    @property
    def verdict(self) -> str:
        """One for all, or how many seeds have which."""
        found = [part.verdict for part in self.parts]
        counts = [(found.count(verdict), verdict) for verdict in ORDER if verdict in found]
        return counts[0][1] if len(counts) == 1 else ", ".join(f"{verdict} {count}" for count, verdict in counts)

    @property
    def _unit(self) -> str:
        return " nats" if self.parts[0].unit == "nats" else ""


def groups_of(claim: Claim) -> list[Group]:
    """The parts of a claim, those of one name together."""
    names = dict.fromkeys(part.name for part in claim.parts)
    return [Group(name, [part for part in claim.parts if part.name == name]) for name in names]


def group_cells(group: Group) -> dict[str, str]:
    """A row of the table of a claim's grounds."""
    return {
        "grounds": group.name,
        "estimate": group.estimates,
        "bounds": group.bounds,
        "claimed": group.wanted,
        "seeds": group.seeds,
        "verdict": group.verdict,
    }


def missing_in_words(claim: Claim) -> str:
    """What is not known, of much the first few and how much more; "" for nothing."""
    if not claim.missing:
        return ""
    more = len(claim.missing) - _MOST_NAMED
    return f"missing: {', '.join(claim.missing[:_MOST_NAMED])}{f' and {more} more' if more > 0 else ''}"


def scope_in_words(claim: Claim) -> str:
    """What the bounds of a claim are for."""
    holds_for = {part.holds_for for part in claim.parts}
    scopes = {
        "seeds": "are for other seeds of training on the same images: Student's, of differences within a seed.",
        "images": "are for other images of the same distribution and these solutions, not for other seeds.",
    }
    which = {"seeds": "Those of several seeds", "images": "Those of one seed"} if len(holds_for) > 1 else {}
    return " ".join(f"{which.get(each, 'The bounds')} {scopes[each]}" for each in scopes if each in holds_for)


def settings_in_words(claim: Claim, study: Study, paths: Sequence[Mapping[str, Any]]) -> str:
    """Under which settings a claim was judged.

    Args:
      claim: which one.
      study: that judged it.
      paths: rows of ``study_results``.
    """
    if claim.number == 1:
        return f"Sparsity {study.sparsity:g}."
    if claim.number == 5:
        return f"Tolerance {study.accuracy_tolerance:g} of accuracy."
    of_claim = [row for row in paths if row["claim"] == claim.number]
    if not of_claim:
        return f"Sparsity {study.sparsity:g}."
    images = words.alternatives(f"{row['images']:,}" for row in of_claim)
    tolerance = words.alternatives(f"{row['tolerance']:g}" for row in of_claim)
    fits = f", fits of {study.budget:,} steps" if any(row["steps"] for row in of_claim) else ""
    return f"Sparsity {study.sparsity:g}, {images} images, tolerance {tolerance} nats{fits}."


def claims_cells(claims: Sequence[Claim]) -> list[dict[str, str]]:
    """The paper's claims with their verdicts, and what these stand on."""
    return [
        {
            "claim": f"{claim.number}. {claim.statement}",
            "verdict": claim.verdict,
            "grounds": "; ".join(filter(None, [*map(_in_words, groups_of(claim)), missing_in_words(claim)])),
        }
        for claim in claims
    ]


def _in_words(group: Group) -> str:
    doubt = "" if group.verdict == "confirmed" else f", {group.verdict}"
    return f"{group.name} {group.estimates} (bounds {group.bounds}{doubt})"
