"""Protects: SIGTERM is noted while work can be saved, and never forgotten; nothing of it is left behind."""

import os
import signal
import threading

import pytest

from sparse_rigl_lands.errors import PreemptedError
from sparse_rigl_lands.preemption import StopRequest


@pytest.fixture(autouse=True)
def _handler():
    """Of this process, as it was."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def _ask():
    os.kill(os.getpid(), signal.SIGTERM)


def _asked(error=None):
    """A request while work is done, which may then fail."""
    with StopRequest() as request:
        assert not request.was_made
        _ask()
        assert request.was_made
        if error is not None:
            raise error


def test_a_request_is_noted_and_not_forgotten():
    with pytest.raises(PreemptedError, match="stopped by SIGTERM"):
        _asked()


def test_an_error_is_not_hidden_by_a_request():
    with pytest.raises(KeyError):
        _asked(KeyError())


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
