"""What a file must hold, declared as a type: what was read is compared with it before it is used."""

import dataclasses
import math
import types
import typing
from typing import Any

_LARGEST = 2**63  # whole numbers become int64


def fault_of(value: object, kind: Any, name: str = "") -> str:
    """The first thing that is not as it was declared.

    Args:
      value: as ``json.loads`` returns it.
      kind: ``str``, ``bool``, ``int``, ``float`` (finite, whole or not), ``None``, ``Any``, a ``Literal``, a list or a
        dictionary of these, an alternative ``A | B``, or a ``TypedDict`` or a dataclass, whose value is a dictionary
        that may have other keys, too.
      name: of the value, as it is told.

    Returns:
      A clause such as ``"layers.0.shape is 'x', not list[int]"``; empty if there is no fault.
    """
    required = _required_keys(kind)
    if required is not None and isinstance(value, dict):
        if missing := sorted(required - value.keys()):
            return f"{name or 'it'} lacks {missing[0]}"
        hints = typing.get_type_hints(kind)
        return _first_fault({key: (value[key], hint) for key, hint in hints.items() if key in value}, name)
    outer, inner = typing.get_origin(kind), typing.get_args(kind)
    if outer is list and isinstance(value, list):
        return _first_fault({str(i): (each, inner[0]) for i, each in enumerate(value)}, name)
    if outer is dict and isinstance(value, dict):
        keys = (fault_of(key, inner[0], f"a key of {name or 'it'}") for key in value)
        return next(filter(None, keys), "") or _first_fault(
            {key: (each, inner[1]) for key, each in value.items()}, name
        )
    if outer in (typing.Union, types.UnionType):
        faults = [fault_of(value, each, name) for each in inner]
        # Of an object that may be missing, what is wrong with the object.
        return "" if "" in faults else faults[0] if isinstance(value, dict) else _is_not(name, value, kind)
    return "" if _is_simply(value, kind) else _is_not(name, value, kind)


def _required_keys(kind: Any) -> set[str] | None:
    """Of an object with named keys; None for everything else."""
    if typing.is_typeddict(kind):
        return set(kind.__required_keys__)
    if dataclasses.is_dataclass(kind):
        fields = dataclasses.fields(kind)
        return {each.name for each in fields if each.default is each.default_factory is dataclasses.MISSING}
    return None


def _first_fault(values: dict[str, tuple[object, Any]], name: str) -> str:
    faults = (fault_of(value, kind, f"{name}.{key}" if name else key) for key, (value, kind) in values.items())
    return next(filter(None, faults), "")


def _is_simply(value: object, kind: Any) -> bool:
    if typing.get_origin(kind) is typing.Literal:
        return value in typing.get_args(kind)
    if kind in (int, float):
        is_whole = type(value) is int and -_LARGEST <= value < _LARGEST
        return is_whole or (kind is float and isinstance(value, float) and math.isfinite(value))
    if kind is None or kind is type(None):
        return value is None
    return kind is Any or (kind in (str, bool) and isinstance(value, kind))


def _is_not(name: str, value: object, kind: Any) -> str:
    shown, wanted = repr(value), kind.__name__ if isinstance(kind, type) else str(kind).replace("typing.", "")
    return f"{name or 'it'} is {shown if len(shown) <= 40 else f'{shown[:40]}...'}, not {wanted}"
