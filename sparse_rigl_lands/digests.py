"""The digests of what finished work left: a file that was damaged since is noticed before its numbers are told.

cd runs/digits/pruned-seed0 && sha256sum --check sha256sums.txt
"""

import hashlib
import pathlib
from collections.abc import Iterable, Mapping

from sparse_rigl_lands import storage
from sparse_rigl_lands.errors import InputError


def finish(sums: pathlib.Path, files: Iterable[pathlib.Path], result: pathlib.Path, content: bytes) -> None:
    """Writes the digests of files, and then the result that says that the work is finished.

    Args:
      sums: where the digests are written, as ``sha256sum`` does.
      files: in the directory of ``sums`` or below; those that are not there are left out.
      result: written last, so that where it is, all digests are.
      content: of it.
    """
    result.unlink(missing_ok=True)  # of an earlier time, of which these are not the digests
    digests = {**_digests(sums, files), str(result.relative_to(sums.parent)): _digest(content)}
    storage.write_text(sums, "".join(f"{digest}  {name}\n" for name, digest in digests.items()))
    storage.write_bytes(result, content)


def check(sums: pathlib.Path, files: Iterable[pathlib.Path], are_all: bool = True) -> None:
    """Insists that files are those that were finished; of work that has left no digests nothing is known.

    Args:
      sums: see ``finish``.
      files: what is to be read.
      are_all: whether these are all of which there are digests, the result as well: then none of them may be missing.

    Raises:
      InputError: one of them, or ``sums``, is damaged.
    """
    if not sums.exists():
        return
    now, then = _digests(sums, files), _read(sums)
    for name in [*now, *(then if are_all else ())]:
        if now.get(name) != then.get(name):
            *_, result = then or [name]  # it was written last
            raise InputError(
                f"{sums.parent / name} is damaged: it is not what was written, going by {sums.name} there; to have it "
                f"made again, remove {result}"
            )


def _digests(sums: pathlib.Path, files: Iterable[pathlib.Path]) -> dict[str, str]:
    return {str(path.relative_to(sums.parent)): _digest(path.read_bytes()) for path in files if path.is_file()}


def _read(sums: pathlib.Path) -> Mapping[str, str]:
    lines = sums.read_text(encoding="utf-8", errors="replace").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
