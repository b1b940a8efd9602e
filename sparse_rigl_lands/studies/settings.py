"""What the settings of every study must be, and what its gin files bind."""

import re

from sparse_rigl_lands import checks
from sparse_rigl_lands.errors import InputError


def check_lists(study: object, *fields: str) -> None:
    """Raises InputError where a setting is not a list, or names something twice."""
    for field in fields:
        values = getattr(study, field)
        checks.listed(f"{type(study).__name__}.{field}", values)
        if any(values.count(value) > 1 for value in values):
            raise InputError(f"{type(study).__name__}.{field} names something twice: {values}")


def values_of(configuration: str, parameter: str) -> list[str]:
    """What a gin configuration, as text, binds a parameter to: once for every scope of it."""
    return re.findall(rf"^(?:.*/)?{re.escape(parameter)} = (.*)$", configuration, re.MULTILINE)


def whole_number(configuration: str, parameter: str, default: int) -> int:
    """The whole number that a gin configuration, as text, binds a parameter to.

    Raises:
      InputError: it binds it to something else, such as a macro.
    """
    found = values_of(configuration, parameter) or [str(default)]
    if len(found) > 1 or not found[0].isdecimal():
        raise InputError(f"{parameter} is {' and '.join(found)}; a study must find a whole number there")
    return int(found[0])
