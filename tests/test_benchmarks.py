"""Protects: that all benchmarks are run and their figures written, though some are not within their bounds.

Also that the memory of a function is its own.
"""

import operator
import os
import shutil
import subprocess

import pytest

from benchmarks import measure
from sparse_rigl_lands import storage
from tests.commands import ROOT

BENCHMARKS = {path.stem for path in (ROOT / "benchmarks").glob("*.py") if '"__main__"' in path.read_text()}


@pytest.fixture
def make_bench(tmp_path):
    """``make bench`` where the benchmarks of some names miss their bounds: its status, and the benchmarks in order."""

    def make_bench(*missed):
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, tmp_path)
        python = tmp_path / "venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\necho "$2" >>called\ncase "$2" in {"|".join(missed) or "-"}) exit 1;; esac\n')
        python.chmod(0o755)
        for name in ("constraints.txt", "installed"):  # later than what they are made from
            (tmp_path / "venv" / name).touch()
        environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS")}
        status = subprocess.run(["make", "bench", "VENV=venv"], cwd=tmp_path, env=environment).returncode
        return status, (tmp_path / "called").read_text().split()

    return make_bench


@pytest.mark.parametrize("missed", [(), ("train_step",), ("input_pipeline", "scaling")], ids=str)
def test_make_bench_runs_all_and_tells_whether_any_missed(make_bench, missed):
    status, called = make_bench(*(f"benchmarks.{name}" for name in missed))
    assert (status != 0) == bool(missed)
    assert sorted(called) == sorted(f"benchmarks.{name}" for name in BENCHMARKS)
    assert called.index("benchmarks.input_pipeline") < called.index("benchmarks.scaling")  # which takes its figures


@pytest.mark.parametrize(
    ("row", "within"),
    [
        ({"ratio": 1.0}, True),
        ({"ratio": 1.0, "limit": 1.0, "at_least": 1.0}, True),
        ({"ratio": 1.0, "limit": None, "at_least": None}, True),
        ({"ratio": 1.1, "limit": 1.0}, False),
        ({"ratio": 0.9, "at_least": 1.0}, False),
        ({"seconds": 1.0}, True),
    ],
    ids=str,
)
def test_a_report_is_written_and_tells_whether_all_are_within_their_bounds(monkeypatch, tmp_path, capsys, row, within):
    monkeypatch.chdir(tmp_path)
    assert measure.report("some", [row, row]) is within
    assert storage.read_json(tmp_path / "runs" / "benchmarks" / "some.json")["rows"] == [row, row]
    assert ("some: 2 of 2 ratios are not within their bounds" in capsys.readouterr().out) is not within


@pytest.mark.slow
def test_the_peak_memory_of_a_function_is_its_own():
    of_this_process = operator.mul(b"x", 2**30)
    least, more = (measure.peak_memory(operator.mul, b"x", megabytes * 2**20) for megabytes in (0, 512))
    assert least < len(of_this_process) / 2**20
    assert more - least == pytest.approx(512, rel=0.05)
