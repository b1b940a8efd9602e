"""What software computes the results of a study."""

import hashlib
import importlib.metadata
import pathlib

_PACKAGE = pathlib.Path(__file__).resolve().parent.parent
_LIBRARIES = ("numpy", "tensorflow", "tf_keras", "tensorflow-model-optimization")


def software() -> str:
    """The versions of what computes the results, and a digest of this package's source: one line each."""
    sha = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        sha.update(path.read_bytes())
    versions = [f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES]
    return "\n".join([*versions, f"source {sha.hexdigest()}"])
