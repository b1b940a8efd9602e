"""What software computes the results of a study."""

import hashlib
import importlib.metadata
import pathlib

_PACKAGE = pathlib.Path(__file__).resolve().parent.parent
_LIBRARIES = ("numpy", "tensorflow", "tf_keras", "tensorflow-model-optimization")
_TELL_ONLY = ("reporting", "studies")  # rooms that start commands and tell of their results


def software(*more: str) -> str:
    """The versions of what computes the results, and a digest of the source that does: one line each.

    Args:
      more: modules that compute too, of rooms that otherwise tell only, such as ``"studies/solutions.py"``.
    """
    sha = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        name = path.relative_to(_PACKAGE)
        if name.parts[0] not in _TELL_ONLY or name.as_posix() in more:
            sha.update(path.read_bytes())
    versions = [f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES]
    return "\n".join([*versions, f"source {sha.hexdigest()}"])
