"""Protects: the sweep as a person runs it: killed, run again, extended, and given bad input."""

import csv

import pytest

from sparse_rigl_lands import files
from tests.commands import SHORT_RUNS, times_of


@pytest.fixture
def short_sweep(tmp_path):
    """Flags of a sweep of five short runs."""
    settings = {"sparsities": (0.9,), "zeroed_fractions": (0, 0.9), "seeds": (0,), "bindings": SHORT_RUNS}
    flags = ["--gin_file=gin/digits/sweep.gin", f"--output_dir={tmp_path / 'sweep'}"]
    return [*flags, *(f"--gin_param=Sweep.{name}={value}" for name, value in settings.items())]


@pytest.mark.slow
def test_killed_and_run_again_it_ends_with_every_run_and_both_figures(commands, short_sweep, tmp_path):
    sweep = files.SweepFiles(tmp_path / "sweep")
    sweep.create()
    sweep.markdown.write_text("of other runs")
    commands.kill_once(lambda: list(sweep.logs.rglob("*.json")), "scripts/sweep.py", *short_sweep)
    assert not sweep.markdown.exists()
    first = times_of(sweep.directory, "summary.json")
    output = commands.run("scripts/sweep.py", *short_sweep)
    assert output.count("| zeroed_init") == output.count("| lottery") == 1
    assert first.items() <= times_of(sweep.directory, "summary.json").items()
    with sweep.table.open() as lines:
        rows = list(csv.DictReader(lines))
    assert {row["method"] for row in rows} == {"dense", "pruned", "lottery", "scratch", "zeroed_init"}
    for path in (*sweep.figure1, *sweep.figure5, sweep.markdown):
        assert path.stat().st_size > 0
    table, all_runs = sweep.table.read_bytes(), times_of(sweep.directory, "summary.json")
    assert len(all_runs) == 5
    assert commands.run("scripts/sweep.py", *short_sweep) == output
    assert sweep.table.read_bytes() == table
    assert times_of(sweep.directory, "summary.json") == all_runs  # nothing was trained again
    damaged = sweep.run("dense-seed0").digests
    damaged.write_bytes(damaged.read_bytes()[:8])
    process = commands.start("scripts/sweep.py", *short_sweep)
    _, errors = process.communicate()
    assert process.returncode == 1
    assert f"the first: dense-seed0: {damaged.parent}" in errors.splitlines()[-1]  # though no figure needs it
    assert " is damaged: it is not what was written, going by sha256sums.txt" in errors.splitlines()[-1]


def test_what_cannot_be_trained_is_refused_before_anything_starts(commands, short_sweep, tmp_path):
    wrong = "--gin_param=Sweep.bindings=['Recipe.stepps = 3']"
    assert "close names: steps" in commands.refuses("scripts/sweep.py", *short_sweep, wrong)
    assert not (tmp_path / "sweep").exists()


@pytest.mark.slow
def test_a_run_that_fails_is_named_with_its_reason(commands, short_sweep, tmp_path):
    wrong = ["--gin_param=Sweep.bindings=['Recipe.steps = 30']", "--gin_param=Sweep.methods=['pruned', 'scratch']"]
    process = commands.start("scripts/sweep.py", *short_sweep, *wrong, "--gin_param=Sweep.zeroed_fractions=()")
    _, errors = process.communicate()
    assert process.returncode == 1
    assert errors.splitlines()[-1] == (
        "error: 1 of 2 failed and 1 were not started; the first: sparsity-0.9/pruned-seed0: pruning ends at step 1000, "
        "but training at 30: the target would not be met "
        f"({tmp_path / 'sweep/logs/sparsity-0.9/pruned-seed0.log'})"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--gin_param=Sweep.sparsities=(1.5,)"], "Sweep.sparsities names 1.5"),
        (["--gin_param=Sweep.processes=0"], "Sweep.processes is 0"),
        (["--gin_param=Sweep.sparsity=(0.5,)"], "close names: sparsities"),
    ],
)
def test_bad_settings(commands, short_sweep, arguments, words):
    assert words in commands.refuses("scripts/sweep.py", *short_sweep, *arguments)
