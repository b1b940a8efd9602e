"""Protects: what was read is what was declared, or the first thing that is not is named."""

import dataclasses
import math
from typing import Any, Literal, TypedDict

import pytest

from sparse_rigl_lands.schema import fault_of


@dataclasses.dataclass
class _Place:
    t: float
    name: str = ""


class _Path(TypedDict):
    places: list[_Place]
    verdict: Literal["barrier", "monotone"]
    lowest: _Place | None
    counts: dict[Literal["start", "end"], int]


class _WithMore(_Path, total=False):
    note: str


GOOD = {"places": [{"t": 1}, {"t": 0.5, "name": "x"}], "verdict": "barrier", "lowest": None, "counts": {"end": 3}}


@pytest.mark.parametrize("more", [{}, {"lowest": {"t": 0.0}}, {"note": ""}, {"places": []}, {"unknown": object()}])
def test_what_was_declared_has_no_fault(more):
    assert fault_of({**GOOD, **more}, _WithMore) == ""


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"places": [{"t": 1}, {}]}, "places.1 lacks t"),
        ({"places": [{"t": 1, "name": 7}]}, "places.0.name is 7, not str"),
        ({"places": {"0": {"t": 1}}}, "places is {'0': {'t': 1}}, not list["),
        ({"places": "x" * 100}, f"places is '{'x' * 39}..., not list["),
        ({"verdict": "none"}, "verdict is 'none', not Literal['barrier', 'monotone']"),
        ({"verdict": []}, "verdict is [], not Literal"),
        ({"lowest": {"t": "x"}}, "lowest.t is 'x', not float"),
        ({"lowest": 3}, "lowest is 3, not"),
        ({"counts": {"end": 1.0}}, "counts.end is 1.0, not int"),
        ({"counts": {"middle": 1}}, "a key of counts is 'middle', not Literal"),
        ({"note": None}, "note is None, not str"),
    ],
)
def test_the_first_fault_is_named(more, fault):
    assert fault_of({**GOOD, **more}, _WithMore).startswith(fault)


@pytest.mark.parametrize("missing", _Path.__required_keys__)
def test_what_is_missing_is_named(missing):
    rest = {name: value for name, value in GOOD.items() if name != missing}
    assert fault_of(rest, _WithMore) == f"it lacks {missing}"


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (True, {bool}),
        (1, {int, float}),
        (-(2**63), {int, float}),
        (2**63, set()),
        (10**400, set()),
        (1.0, {float}),
        (math.nan, set()),
        (math.inf, set()),
        ("", {str}),
        (None, {None}),
        ([], set()),
        ({}, set()),
    ],
)
def test_every_value_is_of_its_own_kind_alone(value, kinds):
    """A truth value is no number, and no number is larger than what NumPy holds."""
    found = {kind for kind in (bool, int, float, str, None) if not fault_of(value, kind)}
    assert found == kinds
    assert fault_of(value, Any) == ""
