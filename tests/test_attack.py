"""Protects: the attack itself: it finds the flaws of a command that was made to have them, and none in a sound one.

``make attack`` is the attack on the commands. Full disks, read-only directories and clocks are tried there alone.
"""

import importlib.resources
import pathlib

import jinja2
import pytest

from tests.attack import damage, evidence, kills, pairs
from tests.attack.counter import FLAWS
from tests.attack.outcome import Ended, problems_of_refusal
from tests.attack.site import Site
from tests.attack.subjects import Subject


@pytest.fixture
def site(commands, tmp_path):
    """The site of a counter with a flaw."""

    def of(flaw):
        command = ("tests/attack/counter.py", f"--flaw={flaw}")
        site = Site(Subject("counter", command, "partial_sums.npz"), tmp_path, commands)
        site.measure()
        site.interrupt()
        return site

    return of


def _kinds(injections):
    return {problem.kind for injection in injections for problem in injection.problems}


@pytest.mark.slow
def test_a_sound_command_survives(site, random):
    counter = site("none")
    for fault, count, injected in ((kills.kill, 4, 4), (damage.damage, 2, 4), (pairs.at_once, 2, 2)):
        injections = list(fault(counter, random, count))
        assert len(injections) == injected
        assert _kinds(injections) == set()


_FOUND_BY_A_FAULT = {
    "trusts": (damage.damage, 6, "wrong"),
    "is unguarded": (pairs.at_once, 1, "badly told"),
    "is talkative": (pairs.at_once, 1, "badly told"),
}


def test_every_flaw_is_looked_for():
    """The other two by the next tests."""
    assert {*_FOUND_BY_A_FAULT, "forgets", "counts twice"} == set(FLAWS)


@pytest.mark.slow
@pytest.mark.parametrize("flaw", _FOUND_BY_A_FAULT)
def test_a_flaw_is_found_by_a_fault(site, random, flaw):
    fault, count, kind = _FOUND_BY_A_FAULT[flaw]
    assert kind in _kinds(fault(site(flaw), random, count))


@pytest.mark.slow
def test_what_a_killed_command_has_lost_is_found(site):
    counter = site("forgets")
    counter.restore("interrupted")
    before, sums = counter.saved(), counter.output / "partial_sums.npz"
    kept = sums.with_name("kept.npz")
    kept.hardlink_to(sums)
    process = counter.start()
    while kept.stat().st_nlink > 1:  # until the counter has removed its name, or given it to other sums
        assert process.poll() is None
    process.kill()
    process.communicate()
    kept.unlink()
    assert {problem.kind for problem in counter.lost_since(before)} == {"lost"}


@pytest.mark.slow
def test_what_is_wrong_after_a_kill_is_found(site):
    counter = site("counts twice")
    counter.restore("interrupted")
    assert {problem.kind for problem in counter.goes_on()} == {"wrong"}


@pytest.mark.parametrize(
    ("status", "errors", "is_found"),
    [
        (1, "sweep: 1 of 2 done\nerror: cannot write /there/output/runs.csv: No space left on device\n", False),
        (0, "error: cannot write /there/output/runs.csv: No space left on device\n", True),
        (None, "", True),
        (-6, "", True),
        (1, "Traceback (most recent call last):\nerror: cannot write /there/output/runs.csv\n", True),
        (1, "error: one\nerror: of /there/output\n", True),
        (1, "error: of /there/output\nand more\n", True),
        (1, "error: of /there/output (unexpected KeyError; --debug shows the traceback)\n", True),
        (1, "error: somewhere\n", True),
    ],
)
def test_a_failure_is_told_in_one_line(status, errors, is_found):
    problems = problems_of_refusal(Ended(status, "", errors), pathlib.Path("/there/output"))
    assert {problem.kind for problem in problems} == ({"badly told"} if is_found else set())


def test_a_report_is_the_same_result_on_another_day_and_in_another_time(tmp_path):
    """A clock that jumps, and an attack that goes on past midnight, are not taken for a wrong result."""
    page = importlib.resources.files("sparse_rigl_lands.reporting") / "page/report.html"
    (heading,) = (line for line in page.read_text().splitlines() if "{{ date }}" in line)
    steps = 'Their commands ran for {minutes} minutes in sum <td data-column="seconds">{minutes}.5</td>'

    def told(date="2026-11-27", minutes=12, machine="Xeon"):
        rendered = jinja2.Template(heading).render(study={"name": "digits"}, date=date, machine=machine)
        (tmp_path / "report.html").write_text(rendered + steps.format(minutes=minutes))
        return evidence.results(tmp_path)

    assert told() == told(date="2027-05-11") == told(minutes=3) == told(minutes=-651167)
    assert told() != told(machine="EPYC")
