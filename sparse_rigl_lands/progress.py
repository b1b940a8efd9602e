"""How far long work has come: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable
from types import TracebackType

from tqdm import tqdm

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Counts work that was done, with its rate and the time left, on stderr.

    Args:
      title: what is being done.
      total: how many units there are in all.
      unit: what is counted, such as ``"step"``.
      initial: how many were done before this process started; they do not count in the rate.
      clock: seconds, monotonic.
    """

    def __init__(
        self, title: str, total: int, unit: str, initial: int = 0, clock: Callable[[], float] = time.monotonic
    ):
        self._title, self._total, self._unit = title, total, unit
        self._done = self._initial = initial
        self._clock = clock
        self._started = self._last_line = clock()
        self._bar: tqdm | None = None
        if sys.stderr.isatty():
            self._bar = tqdm(desc=title, total=total, unit=unit, initial=initial, dynamic_ncols=True)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        elif kind is None and self._done > self._initial:
            self._print_line("")

    def advance(self, units: int, note: str = "") -> None:
        """Counts units done since the last call; the note stands at the end of the line."""
        self._done += units
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(units)
        elif self._clock() - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._print_line(note)

    def _print_line(self, note: str) -> None:
        self._last_line = self._clock()
        elapsed = max(self._last_line - self._started, 1e-9)
        rate = (self._done - self._initial) / elapsed
        left = (self._total - self._done) / rate if rate else float("inf")
        line = f"{self._title}: {self._done}/{self._total} {self._unit}s, {rate:.3g} {self._unit}s/s"
        line += f", {left:.0f} s left" if self._done < self._total else f", took {elapsed:.0f} s"
        print(line + (f", {note}" if note else ""), file=sys.stderr, flush=True)
