"""SIGTERM: a machine that is about to be taken away asks its processes to end."""

import signal
import threading
from types import FrameType, TracebackType

from sparse_rigl_lands.errors import PreemptedError


class StopRequest:
    """While it is entered, SIGTERM is noted, so that work can be saved first.

    Leaving it without an error then raises ``PreemptedError``: no request is forgotten. Elsewhere SIGTERM ends
    the process at once, as it does by default: every file is whole or not there at all.
    Outside of the main thread, where signals cannot be handled, nothing is noted.
    """

    def __init__(self) -> None:
        self.was_made = False

    def __enter__(self) -> "StopRequest":
        self._in_main_thread = threading.current_thread() is threading.main_thread()
        if self._in_main_thread:
            self._before = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._in_main_thread:
            signal.signal(signal.SIGTERM, self._before)
        if self.was_made and error is None:  # it came when there was nothing left to save
            raise PreemptedError("stopped by SIGTERM")

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.was_made = True
