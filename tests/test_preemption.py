"""Protects: SIGTERM is noted while work can be saved, and ends the process otherwise; nothing of it is left behind."""

import os
import signal
import threading

import pytest

from sparse_rigl_lands.errors import PreemptedError
from sparse_rigl_lands.preemption import StopRequest, end_when_asked


@pytest.fixture(autouse=True)
def _handler():
    """Of this process, as it was."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def _ask():
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_request_is_noted():
    end_when_asked()
    with StopRequest() as request:
        assert not request.was_made
        _ask()
        assert request.was_made
    with pytest.raises(PreemptedError, match="stopped by SIGTERM"):
        _ask()


def test_the_handler_before_is_put_back_whatever_happens():
    def handler(number, frame):
        raise AssertionError

    signal.signal(signal.SIGTERM, handler)
    with pytest.raises(KeyError), StopRequest():
        raise KeyError
    assert signal.getsignal(signal.SIGTERM) is handler


def test_in_another_thread_nothing_is_noted():
    found = []

    def work():
        with StopRequest() as request:
            found.append(request.was_made)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]
