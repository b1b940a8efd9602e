"""Protects: plain lines, with the rate and the time left, where there is no terminal."""

from sparse_rigl_lands.progress import Progress


def test_lines(capsys):
    now = [0.0]
    with Progress("training", total=100, unit="step", initial=20, clock=lambda: now[0]) as bar:
        for done, seconds in ((10, 5), (10, 15), (60, 25)):
            now[0] = seconds
            bar.advance(done, "loss 0.5")
    assert capsys.readouterr().err.splitlines() == [
        "training: 40/100 steps, 1.33 steps/s, 45 s left, loss 0.5",
        "training: 100/100 steps, 3.2 steps/s, took 25 s, loss 0.5",
        "training: 100/100 steps, 3.2 steps/s, took 25 s",
    ]


def test_nothing_is_said_of_work_that_was_done_before(capsys):
    with Progress("training", total=100, unit="step", initial=100):
        pass
    assert capsys.readouterr().err == ""
