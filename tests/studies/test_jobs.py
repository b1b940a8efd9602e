"""Protects: what runs when, what is done once, and that nothing outlives the process that started it."""

import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from sparse_rigl_lands import storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.studies import jobs
from sparse_rigl_lands.studies.jobs import Job, Outcome, needed_for, recognised, run_jobs, seconds_taken
from tests.commands import ROOT


@pytest.fixture
def job(tmp_path):
    """A job that notes its name when it starts and when it ends."""

    def job(name, needs=(), program="", configuration=""):
        note = f"open({str(tmp_path / 'notes')!r}, 'a').write"
        program = f"{note}('+{name} '); {program}\n{note}('-{name} '); open({str(tmp_path / name)!r}, 'w')"
        return Job(name, (sys.executable, "-c", program), configuration, tmp_path / name, needs)

    return job


@pytest.fixture
def run(tmp_path):
    def run(jobs, processes=2):
        outcome = run_jobs(jobs, tmp_path / "logs", processes, "test")
        notes = tmp_path / "notes"
        text = notes.read_text().split() if notes.exists() else []
        notes.unlink(missing_ok=True)
        assert {name.removeprefix("-") for name in text if name.startswith("-")} <= outcome.done
        return outcome, text

    return run


def test_a_job_starts_after_what_it_needs(job, run):
    outcome, notes = run([job("c", ("a", "b")), job("b", ("a",)), job("a")])
    assert outcome == Outcome(frozenset("abc"))
    assert notes == ["+a", "-a", "+b", "-b", "+c", "-c"]


@pytest.mark.parametrize(("processes", "side_by_side"), [(1, False), (2, True)])
def test_independent_jobs_run_side_by_side(job, run, processes, side_by_side):
    _, notes = run([job(name, program="import time; time.sleep(1)") for name in "ab"], processes)
    assert sorted(notes) == ["+a", "+b", "-a", "-b"]
    assert ({*notes[:2]} == {"+a", "+b"}) == side_by_side


def test_what_is_done_is_not_done_again(job, run):
    both = [job("a"), job("b", ("a",))]
    run(both)
    assert run(both) == (Outcome(frozenset("ab"), ()), [])


def test_another_configuration_a_missing_result_or_record_is_done_again(job, run, tmp_path):
    run([job("a")])
    assert run([job("a", configuration="other")])[1] == ["+a", "-a"]
    (tmp_path / "a").unlink()
    assert run([job("a", configuration="other")])[1] == ["+a", "-a"]
    (tmp_path / "logs" / "a.json").unlink()
    assert run([job("a", configuration="other")])[1] == ["+a", "-a"]


def test_a_damaged_table_beside_the_result_is_done_again(job, run, tmp_path):
    table = tmp_path / "a.csv"
    with_table = dataclasses.replace(job("a", program=f"open({str(table)!r}, 'w')"), others=(table,))
    run([with_table])
    assert run([with_table])[1] == []
    table.write_text("damaged")
    assert run([with_table])[1] == ["+a", "-a"]


def test_what_was_built_upon_another_result_is_done_again(job, run, tmp_path):
    jobs = [job("a"), job("b", ("a",)), job("c", ("b",)), job("other")]
    run(jobs)
    (tmp_path / "b").write_text("by hand")
    assert run(jobs)[1] == ["+b", "-b"]  # gives what it gave before, so c still stands
    assert run(jobs)[1] == []
    changed = job("a", program=f"open({str(tmp_path / 'x')!r}, 'w')", configuration="other")
    assert run([changed, *jobs[1:]])[1] == ["+a", "-a"]
    (tmp_path / "logs" / "a.json").unlink()
    (tmp_path / "a").write_text("another result")
    assert run([Job("a", (sys.executable, "-c", ""), "", tmp_path / "a"), *jobs[1:]])[1] == ["+b", "-b"]


def test_a_failure_holds_up_what_needs_it_and_nothing_else(job, run, tmp_path):
    broken = job("broken", program="import sys; print('much'); sys.exit('error: it did not work')")
    outcome, notes = run([broken, job("held_up", ("broken",)), job("other")])
    assert outcome.done == {"other"}
    assert [(failure.name, failure.reason) for failure in outcome.failures] == [("broken", "it did not work")]
    assert outcome.held_up == 1
    log = outcome.failures[0].log
    with pytest.raises(
        InputError, match=f"1 of 3 failed and 1 were not started; the first: broken: it did not .*{log}"
    ):
        outcome.check()
    assert "much" in outcome.failures[0].log.read_text()
    assert sorted(notes) == ["+broken", "+other", "-other"]
    assert not (tmp_path / "logs" / "broken.json").exists()
    _, notes = run([job("broken"), job("held_up", ("broken",)), job("other")])  # mended
    assert sorted(notes) == ["+broken", "+held_up", "-broken", "-held_up"]


def test_of_what_can_be_started_the_first_in_the_order_given_is(job, run):
    """What builds upon an early job comes before the later ones: half a study is then of whole parts."""
    _, notes = run([job("a"), job("b", ("a",)), job("c"), job("d", ("c",))], processes=1)
    assert [note[1:] for note in notes if note.startswith("+")] == list("abcd")


def test_what_is_needed_for_a_result(job):
    jobs = [job("a"), job("b"), job("c", ("a",)), job("d", ("c", "b")), job("e", ("b",))]
    assert [each.name for each in needed_for(["d"], jobs)] == ["a", "b", "c", "d"]
    assert [each.name for each in needed_for(["e", "a"], jobs)] == ["a", "b", "e"]
    assert needed_for(["elsewhere"], jobs) == []


def test_records_tell_how_long_a_job_took_and_that_it_is_done(job, run, tmp_path):
    both = [job("a", program="import time; time.sleep(0.5)"), job("b")]
    assert recognised(both, tmp_path / "logs") == frozenset()
    run(both[:1])
    assert recognised(both, tmp_path / "logs") == {"a"}
    taken = seconds_taken("ab", tmp_path / "logs")
    assert list(taken) == ["a"]
    assert 0.4 <= taken["a"] < 60


def test_what_builds_upon_what_must_be_done_again_is_not_recognised(job, run, tmp_path):
    """Its own record and result are as they were."""
    both = [job("a"), job("b", ("a",))]
    run(both)
    assert recognised(both, tmp_path / "logs") == {"a", "b"}
    assert recognised([job("a", configuration="other"), both[1]], tmp_path / "logs") == frozenset()


def test_a_job_is_done_only_where_all_of_its_files_are_there(job, run, tmp_path):
    other = dataclasses.replace(job("a"), others=(tmp_path / "table",))
    outcome = run_jobs([other], tmp_path / "logs", 1, "test")
    assert [failure.reason for failure in outcome.failures] == [f"it succeeded, but left no {tmp_path / 'table'}"]
    (tmp_path / "table").touch()
    assert run_jobs([other], tmp_path / "logs", 1, "test") == Outcome(frozenset("a"))
    (tmp_path / "table").unlink()
    assert recognised([other], tmp_path / "logs") == frozenset()


def test_a_result_that_was_only_recognised_took_what_it_took_before(job, run, tmp_path):
    """Other software asks the command again, which finds its work done."""
    run([job("a", program="import time; time.sleep(1)")])
    before = seconds_taken("a", tmp_path / "logs")
    run([job("a", configuration="other")])
    assert seconds_taken("a", tmp_path / "logs") == before


def test_a_command_is_shown_as_it_is_typed(tmp_path):
    job = Job("a", (sys.executable, str(ROOT / "train.py"), "--gin_param=Recipe.steps = 7", "--seed=0"), "", tmp_path)
    assert job.shell == "python train.py '--gin_param=Recipe.steps = 7' --seed=0"


def test_a_command_that_was_killed_says_so(job, run):
    killed = job(
        "killed", program="import os, signal; print('half done', flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert [failure.reason for failure in run([killed])[0].failures] == ["killed by SIGKILL"]


@pytest.mark.parametrize("with_signal", [signal.SIGKILL, signal.SIGINT])
def test_commands_die_with_the_process_that_started_them(tmp_path, with_signal):
    program = f"""
import pathlib, signal, sys
from sparse_rigl_lands.studies.jobs import Job, run_jobs
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, where the tests run in the background of a shell
sleeper = "import os, time; open({str(tmp_path / "pid")!r}, 'w').write(str(os.getpid())); time.sleep(60)"
directory = pathlib.Path({str(tmp_path)!r})
run_jobs([Job("sleeper", (sys.executable, "-c", sleeper), "", directory / "result")], directory / "logs", 1, "test")
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    pid = tmp_path / "pid"
    assert _comes_true(lambda: pid.exists() and pid.read_text())
    parent.send_signal(with_signal)
    parent.wait(timeout=20)  # long before the sleeper wakes up
    assert _comes_true(lambda: not _is_running(int(pid.read_text())))


@pytest.mark.parametrize("obeys", [True, False])
def test_commands_are_asked_to_end_before_they_are_killed(job, run, tmp_path, monkeypatch, obeys):
    monkeypatch.setattr(jobs, "_SECONDS_TO_END", 5.0)
    marks, sleep = [tmp_path / name for name in ("ready", "saved", "woke")], time.sleep
    ready, saved, woke = (f"open({str(mark)!r}, 'w').close()" for mark in marks)
    ends = "sys.exit(75)" if obeys else "None"
    program = f"import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: ({saved}, {ends})); {ready}"

    def interrupted(seconds):
        sleep(seconds)
        if marks[0].exists():
            monkeypatch.setattr(jobs.time, "sleep", sleep)  # once: waiting for a process sleeps, too
            raise KeyboardInterrupt

    monkeypatch.setattr(jobs.time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run([job("a", program=f"{program}; time.sleep(60); {woke}")])
    assert marks[1].exists()
    assert not marks[2].exists()


def _comes_true(condition):
    """Whether it does, within twenty seconds."""
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(condition())


def _is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"  # a zombie is dead


@pytest.mark.parametrize(
    "record", ["", '{"results": ', '{"results": []}', '{"seconds_of_last_process": "long"}', "[" * 10_000, "{}"]
)
def test_what_has_a_damaged_record_is_done_again(job, run, tmp_path, record):
    run([job("a")])
    written = tmp_path / "logs" / "a.json"
    before = storage.read_json(written)
    written.write_text(record)
    assert seconds_taken("a", tmp_path / "logs") == {}
    assert run([job("a")])[1] == ["+a", "-a"]
    assert storage.read_json(written)["results"] == before["results"]
    assert run([job("a")])[1] == []
