"""Protects: the study of curves as a person runs it: killed, run again, and given bad input."""

import csv

import pytest

from sparse_rigl_lands import files, storage
from tests.commands import times_of


@pytest.fixture
def short_study(small_run, tmp_path):
    """Flags of a study of a line and four short fits."""
    settings = {
        "curves": ("line", "quadratic_sparse", "quadratic_dense"),
        "budget": 8,
        "other_budgets": (4,),
        "bindings": ["Sample.images = 'all'", "interpolate.num_points = 3", "Digits.max_shift = 0"],
    }
    ends = [f"--start={files.RunFiles(small_run).checkpoint(0)}", f"--end={small_run}"]
    flags = ["--gin_file=gin/digits/curves.gin", f"--output_dir={tmp_path / 'study'}", "--seed=3"]
    return [*ends, *flags, *(f"--gin_param=CurveStudy.{name}={value}" for name, value in settings.items())]


@pytest.mark.slow
def test_killed_and_run_again_it_ends_with_every_path_and_both_figures(commands, short_study, tmp_path):
    study = files.CurveStudyFiles(tmp_path / "study")
    commands.kill_once(lambda: list(study.logs.rglob("*.json")), "scripts/curves.py", *short_study)
    assert not study.table.exists()
    first = times_of(study.directory, "path.json")
    study.markdown.write_text("of other paths")
    process = commands.start("scripts/curves.py", *short_study)
    commands.until(lambda: not study.markdown.exists(), process)
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    assert first.items() <= times_of(study.directory, "path.json").items()
    with study.table.open() as lines:
        rows = list(csv.DictReader(lines))
    names = ["line", "quadratic_sparse-8", "quadratic_dense-8", "quadratic_sparse-4", "quadratic_dense-4"]
    assert [row["run"] for row in rows] == names
    assert [row["manifold"] for row in rows] == ["", "sparse", "dense", "sparse", "dense"]
    for name in names:
        settings = storage.read_json(study.path(name).result)["settings"]
        assert (settings["seed"], settings["num_points"]) == (3, 3)
        assert name == "line" or settings["fitting"]["steps"] == int(name.rpartition("-")[2])
    for path in (*study.figure4, *study.budgets, study.markdown):
        assert path.stat().st_size > 0
        assert str(path) in output
    table, all_paths = study.table.read_bytes(), times_of(study.directory, "path.json")
    assert len(all_paths) == 5
    assert commands.run("scripts/curves.py", *short_study) == output
    assert study.table.read_bytes() == table
    assert times_of(study.directory, "path.json") == all_paths  # nothing was fitted again


@pytest.mark.slow
def test_a_path_that_fails_is_named_with_its_reason(commands, short_study, tmp_path):
    """What the others gave is told all the same; without a fit there is no figure of budgets."""
    wrong = ["--gin_param=CurveStudy.curves=('line', 'quadratic_dense')", "--gin_param=CurveStudy.other_budgets=()"]
    bindings = ["interpolate.num_points = 3", "Fitting.batch_size = 0"]
    process = commands.start("scripts/curves.py", *short_study, *wrong, f"--gin_param=CurveStudy.bindings={bindings}")
    output, errors = process.communicate()
    assert process.returncode == 1
    assert errors.splitlines()[-1].startswith("error: 1 of 2 failed; the first: quadratic_dense-8: ")
    assert "Fitting.batch_size" in errors.splitlines()[-1]
    study = files.CurveStudyFiles(tmp_path / "study")
    assert str(study.figure4[0]) in output
    assert study.table.exists()
    assert not study.budgets[0].exists()


def test_what_cannot_be_evaluated_is_refused_before_anything_starts(commands, short_study, tmp_path):
    wrong = "--gin_param=CurveStudy.bindings=['interpolate.num_point = 3']"
    assert "close names: num_points" in commands.refuses("scripts/curves.py", *short_study, wrong)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--start=runs/nowhere"], "runs/nowhere: no such checkpoint or run directory"),
        (["--end=runs/nowhere"], "runs/nowhere: no such checkpoint or run directory"),
        (["--gin_param=CurveStudy.curves=('quartic_dense',)"], "quartic_dense.gin"),
        (["--gin_param=CurveStudy.budget=0"], "CurveStudy.budget is 0"),
        (["--gin_param=CurveStudy.budgets=(4,)"], "close names: budget"),
    ],
)
def test_bad_settings(commands, short_study, arguments, words):
    assert words in commands.refuses("scripts/curves.py", *short_study, *arguments)


def test_both_ends_must_be_named(commands):
    assert "--start" in commands.refuses("scripts/curves.py", "--gin_file=gin/digits/curves.gin", "--end=x", status=2)
