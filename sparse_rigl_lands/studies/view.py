"""How far a study has come: what runs, what is done, how long the rest will take."""

import dataclasses
import os
import pathlib
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_PICTURES = 0.5
_TAIL = 4096  # bytes of a log, among which its last line is looked for


@dataclasses.dataclass(frozen=True)
class _Running:
    started: float
    log: pathlib.Path


class View:
    """Shows on stderr how far jobs have come: live on a terminal, as plain lines elsewhere.

    Args:
      title: what is being done.
      kinds: of every job by its name; jobs of one kind are taken to last equally long.
      seconds: how long jobs took that were done before, by name, where it is known.
      done_before: the names of jobs that need not be done again.
      processes: how many jobs run side by side.
      clock: seconds, monotonic.
    """

    def __init__(
        self,
        title: str,
        kinds: Mapping[str, str],
        seconds: Mapping[str, float],
        done_before: Collection[str],
        processes: int,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._title, self._kinds, self._processes, self._clock = title, kinds, processes, clock
        self._seconds: dict[str, list[float]] = {}
        for name, taken in seconds.items():
            self._seconds.setdefault(kinds[name], []).append(taken)
        self._done, self._failed, self._held_up = set(done_before), set[str](), set[str]()
        self._running: dict[str, _Running] = {}
        self._started = self._last_line = clock()
        self._live: Live | None = None

    def __enter__(self) -> "View":
        console = Console(stderr=True)
        if console.is_terminal:
            # It is drawn by ``refresh`` alone: a thread that draws would see what is being changed.
            self._live = Live(get_renderable=self._picture, console=console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if kind is None:
            self._print(f"{self._counts()}, took {_duration(self._clock() - self._started)}")

    def started(self, name: str, log: pathlib.Path) -> None:
        """A job has started; its last line is shown meanwhile."""
        self._running[name] = _Running(self._clock(), log)

    def finished(self, name: str) -> float:
        """A job was done, now or before; returns the seconds that it took now."""
        running = self._running.pop(name, None)
        seconds = self._clock() - running.started if running else 0.0
        self._done.add(name)
        if running:
            self._seconds.setdefault(self._kinds[name], []).append(seconds)
        return seconds

    def failed(self, name: str, held_up: Collection[str]) -> None:
        """A job has failed, and others that need it will not be started."""
        self._running.pop(name)
        self._failed.add(name)
        self._held_up.update(held_up)

    def refresh(self) -> None:
        """Called often; shows how far it is, where enough time has passed."""
        now = self._clock()
        if now - self._last_line < (_SECONDS_BETWEEN_LINES if self._live is None else _SECONDS_BETWEEN_PICTURES):
            return
        self._last_line = now
        if self._live is not None:
            self._live.refresh()
        else:
            running = ", ".join(f"{name} ({_last_line(each.log)})" for name, each in self._running.items())
            self._print(f"{self._counts()}, {self._left()}; running: {running}")

    def _counts(self) -> str:
        failed = f", {len(self._failed)} failed" if self._failed else ""
        return f"{self._title}: {len(self._done)} of {len(self._kinds)} done{failed}"

    def _left(self) -> str:
        now = self._clock()
        others = {*self._done, *self._failed, *self._held_up, *self._running}
        left = seconds_left(
            [kind for name, kind in self._kinds.items() if name not in others],
            [(self._kinds[name], now - each.started) for name, each in self._running.items()],
            self._seconds,
            self._processes,
        )
        return "time left not known yet" if left is None else f"about {_duration(left)} left"

    def _print(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def _picture(self) -> RenderableType:
        now = self._clock()
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, justify="right")
        table.add_column(no_wrap=True, ratio=1)
        for name, each in self._running.items():
            table.add_row(name, _duration(now - each.started), Text(_last_line(each.log), style="dim"))
        words = f"{self._counts()}, {_duration(now - self._started)} so far, {self._left()}"
        return Group(table, ProgressBar(total=len(self._kinds), completed=len(self._done), width=60), Text(words))


def seconds_left(
    waiting: Sequence[str],
    running: Sequence[tuple[str, float]],
    seconds: Mapping[str, Sequence[float]],
    processes: int,
) -> float | None:
    """How long the rest will take: the work that is left, spread over the processes; at least the longest job left.

    A job lasts as long as those of its kind did in the mean; where there were none, as long as the kinds
    that are known. That jobs wait for each other is left out.

    Args:
      waiting: the kinds of the jobs that have not started.
      running: of those that run, the kind and the seconds so far.
      seconds: how long the jobs of every kind took.
      processes: how many run side by side.

    Returns:
      Seconds; None where no job has ended yet.
    """
    means = {kind: sum(taken) / len(taken) for kind, taken in seconds.items() if taken}
    if not means:
        return None
    of_any = sum(means.values()) / len(means)
    left = [means.get(kind, of_any) for kind in waiting]
    left += [max(means.get(kind, of_any) - so_far, 0.0) for kind, so_far in running]
    return max(sum(left) / processes, max(left, default=0.0))


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def _last_line(log: pathlib.Path) -> str:
    """The last line of a log that is being written, "" while there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - _TAIL, 0))
            tail = file.read().decode("utf-8", errors="replace").strip()
    except OSError:
        return ""
    return tail.splitlines()[-1] if tail else ""
