"""What software computes the results of a study."""

import hashlib
import pathlib

from sparse_rigl_lands import project
from sparse_rigl_lands.environment import versions

_PACKAGE = pathlib.Path(__file__).resolve().parent.parent
_COMMANDS = tuple(project.scripts()[name] for name in ("train", "interpolate"))
_TELL_ONLY = ("reporting", "studies")  # rooms that start commands and tell of their results


def software(*more: str) -> str:
    """The versions of what computes the results, and a digest of the source that does: one line each.

    Args:
      more: modules that compute too, of rooms that otherwise tell only, such as ``"studies/solutions.py"``.
    """
    sha = hashlib.sha256()
    names = sorted(path.relative_to(_PACKAGE) for path in _PACKAGE.rglob("*.py"))
    computes = [name for name in names if name.parts[0] not in _TELL_ONLY or name.as_posix() in more]
    for path in (*(_PACKAGE / name for name in computes), *_COMMANDS):
        sha.update(path.read_bytes())
    return "\n".join([*(f"{name} {version}" for name, version in versions().items()), f"source {sha.hexdigest()}"])
