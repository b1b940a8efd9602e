"""Numbers and alternatives in words, alike wherever they are told."""

import math
from collections.abc import Iterable


def alternatives(values: Iterable[object]) -> str:
    """What one value or another is, each named once: ``"1,437 or 400"``."""
    return " or ".join(dict.fromkeys(map(str, values)))


def bounds(lower: float, upper: float) -> str:
    """Both to three decimals, rounded outwards: what is told holds at least as surely as what was computed."""
    return f"{-rounded_up(-lower) + 0.0:.3f} to {rounded_up(upper):.3f}"


def rounded_up(value: float) -> float:
    """To three decimals; what is wrong with a binary fraction alone does not count."""
    return math.ceil(round(1000 * value, 6)) / 1000


def percent(share: float) -> str:
    """With as many digits as it takes: 0.95 is ``"95%"``, 0.999 is not ``"100%"``."""
    return f"{100 * share:.10g}%"
