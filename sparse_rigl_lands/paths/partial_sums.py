"""Sums over a long stream that survive the process: saved as they grow, and taken up again."""

import dataclasses
import io
import itertools
import pathlib
import time
import tokenize
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from sparse_rigl_lands import storage
from sparse_rigl_lands.errors import InputError, PreemptedError

# From an item's index to the increments of that item and of all after it.
Increments = Callable[[int], Iterator[Mapping[str, np.ndarray]]]

_ITEMS = "items"
# What is raised of an archive, or of an array in it that says that it takes more memory than there is.
_OF_ARRAYS = (ValueError, TypeError, LookupError, tokenize.TokenError, MemoryError)
_ENCRYPTED = 0x1  # the flag of a file in an archive
_OF_ARCHIVES = (OSError, EOFError, NotImplementedError, zipfile.BadZipFile)


def added_up(increments: Iterable[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The sums of increments by name, in their order."""
    sums: dict[str, np.ndarray] = {}
    for increment in increments:
        sums = _sum(sums, increment)
    return sums


@dataclasses.dataclass(frozen=True)
class Saving:
    """When sums are saved, and by whom; it changes nothing about the result.

    Args:
      every: seconds between two savings.
      writes: whether this process is the one that saves.
      is_to_stop: whether the process is to end after the item that it has just added.
      check_alike: insists that a text is the same for all processes that add up together.
    """

    every: float
    writes: bool = True
    is_to_stop: Callable[[], bool] = lambda: False
    check_alike: Callable[[str], None] = lambda text: None


class PartialSums:
    """Adds up the increments of items 0, 1, ... in this order, so that the result has the same bits
    however often the process is killed.

    Args:
      path: the file in which they are saved.
      saving: when and by whom.

    Raises:
      InputError: the file is damaged.
    """

    def __init__(self, path: pathlib.Path, saving: Saving):
        self._path, self._saving = path, saving
        self.sums: dict[str, np.ndarray] = {}
        self.items = 0
        if path.exists():
            self.sums, self.items = _read(path)
        totals = {name: array.sum() for name, array in self.sums.items()}
        saving.check_alike(f"{self.items} items, {totals}")
        self._stream: Iterator[Mapping[str, np.ndarray]] | None = None
        self._last_saved = time.monotonic()

    def add_until(self, items: int, increments: Increments) -> dict[str, np.ndarray]:
        """Adds what is missing of the first ``items`` increments.

        Args:
          items: how many there shall be.
          increments: of the items from a given one onwards, float64 arrays by name. It is called once, and
            what it returned goes on at the next call.

        Returns:
          The sums by name.

        Raises:
          InputError: what was saved are other sums.
          PreemptedError: the process is to end; the sums are saved.
        """
        if self.items < items:
            self._stream = self._stream or iter(increments(self.items))
            for increment in itertools.islice(self._stream, items - self.items):
                self._check_fit(increment)
                self.sums = _sum(self.sums, increment)
                self.items += 1
                if self._saving.is_to_stop():
                    self._save()
                    raise PreemptedError("stopped by SIGTERM; the sums so far are saved")
                if time.monotonic() - self._last_saved >= self._saving.every:
                    self._save()
            self._save()
        return self.sums

    def _check_fit(self, increment: Mapping[str, np.ndarray]) -> None:
        found, added = ({name: np.shape(array) for name, array in each.items()} for each in (self.sums, increment))
        if self.items and found != added:
            raise InputError(f"{self._path} is damaged: its sums are not of this path; remove it to evaluate it anew")

    def _save(self) -> None:
        if not self._saving.writes:
            return
        content = io.BytesIO()
        arrays: dict[str, Any] = {**self.sums, _ITEMS: np.array(self.items)}
        np.savez(content, **arrays)
        storage.write_bytes(self._path, content.getvalue())
        self._last_saved = time.monotonic()


def _sum(sums: Mapping[str, np.ndarray], increment: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: sums.get(name, 0.0) + array for name, array in increment.items()}


def _read(path: pathlib.Path) -> tuple[dict[str, np.ndarray], int]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED or member.flag_bits & _ENCRYPTED for member in members):
            raise ValueError("it is compressed or encrypted")  # a few bytes could become any number of them
        with np.load(path, allow_pickle=False) as arrays:
            sums = dict(arrays)
        items = int(sums.pop(_ITEMS))
        if items < 0 or any(getattr(array, "dtype", None) != np.float64 for array in sums.values()):
            raise ValueError("it holds no sums")
        return sums, items
    except (*_OF_ARRAYS, *_OF_ARCHIVES) as error:
        raise InputError(f"{path} is damaged: {error}; remove it to evaluate the path anew") from error
