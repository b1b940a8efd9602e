"""Protects: what is shown while a study runs, and how the time left is estimated."""

import pytest

from sparse_rigl_lands.studies.view import View, seconds_left

_KINDS = {"a": "short", "b": "short", "c": "long"}


class _Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return _Clock()


def _view(clock, **settings):
    return View("test", _KINDS, **{"seconds": {}, "done_before": (), "processes": 1, "clock": clock, **settings})


def test_the_work_left_is_spread_over_the_processes():
    seconds = {"short": [8.0, 12.0], "long": [60.0]}
    assert seconds_left(["short", "short", "long"], [], seconds, 1) == 80
    assert seconds_left(["short", "short", "short", "long"], [], {**seconds, "long": [10.0]}, 2) == 20


def test_it_takes_at_least_as_long_as_the_longest_job():
    assert seconds_left(["short", "long"], [], {"short": [10.0], "long": [60.0]}, 8) == 60


def test_what_runs_has_less_left_and_never_less_than_nothing():
    assert seconds_left(["short"], [("short", 4.0)], {"short": [10.0]}, 1) == 16
    assert seconds_left(["short"], [("short", 14.0)], {"short": [10.0]}, 1) == 10
    assert seconds_left([], [("short", 14.0)], {"short": [10.0]}, 1) == 0


def test_a_kind_that_never_ran_takes_as_long_as_the_others_do():
    assert seconds_left(["other"], [], {"short": [10.0], "long": [30.0]}, 1) == 20


def test_before_the_first_has_ended_nothing_is_known():
    assert seconds_left(["short"], [("short", 3.0)], {}, 1) is None


def test_lines_tell_what_is_done_what_runs_and_what_is_left(clock, tmp_path, capsys):
    log = tmp_path / "b.log"
    log.write_text("first\ntraining: 7/10 steps\n\n")
    with _view(clock) as view:
        view.started("a", tmp_path / "a.log")
        clock.now += 12
        view.refresh()
        assert view.finished("a") == 12
        view.started("b", log)
        clock.now += 9
        view.refresh()  # too soon
        clock.now += 1
        view.refresh()
        view.failed("b", ())
        clock.now += 5
    assert capsys.readouterr().err.splitlines() == [
        "test: 0 of 3 done, time left not known yet; running: a ()",
        "test: 1 of 3 done, about 14 s left; running: b (training: 7/10 steps)",
        "test: 1 of 3 done, 1 failed, took 27 s",
    ]


def test_what_has_failed_and_what_it_holds_up_is_not_waited_for(clock, tmp_path, capsys):
    with _view(clock, seconds={"a": 40.0}) as view:
        view.started("b", tmp_path / "b.log")
        view.failed("b", {"c"})
        view.started("a", tmp_path / "a.log")
        clock.now += 10
        view.refresh()
    assert capsys.readouterr().err.splitlines()[0] == "test: 0 of 3 done, 1 failed, about 30 s left; running: a ()"


def test_what_was_done_before_counts_and_tells_how_long_others_take(clock, capsys, tmp_path):
    with _view(clock, seconds={"a": 40.0}, done_before=("a", "c")) as view:
        assert view.finished("a") == 0  # found done: it took nothing now
        view.started("b", tmp_path / "b.log")
        clock.now += 10
        view.refresh()
    assert capsys.readouterr().err.splitlines()[0] == "test: 2 of 3 done, about 30 s left; running: b ()"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(59, "59 s"), (60, "1 min"), (3599, "1 h 00 min"), (3600, "1 h 00 min"), (9000, "2 h 30 min")],
)
def test_long_times_are_told_in_hours_and_minutes(clock, capsys, seconds, words):
    with _view(clock):
        clock.now += seconds
    assert capsys.readouterr().err == f"test: 0 of 3 done, took {words}\n"


def test_on_a_terminal_there_is_one_picture_of_all(clock, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    log = tmp_path / "a.log"
    log.write_text("training: 7/10 steps")
    with _view(clock) as view:
        view.started("a", log)
        clock.now += 75
        view.refresh()
        view._live.refresh()
    shown = capsys.readouterr().err
    assert "training: 7/10 steps" in shown
    assert "0 of 3 done, 1 min so far" in shown
