"""Protects: the whole study as a person runs it: killed, with a step that fails, gone on with, and given bad input."""

import json

import gin
import pytest

from sparse_rigl_lands import files
from sparse_rigl_lands.studies.study import Study
from tests.browser import Visit
from tests.commands import ROOT, SHORT_RUNS, times_of
from tests.studies import recomputed_claims

_SHORT_PATHS = ["Sample.images = 256", "interpolate.num_points = 3"]
_SETTINGS = {
    "lines": ("S-I to P-S", "S-S to P-S"),
    "budget": 8,
    "bindings": SHORT_RUNS,
    "path_bindings": _SHORT_PATHS,
}


def _flags(directory, **settings):
    bindings = [f"--gin_param=Study.{name}={value}" for name, value in {**_SETTINGS, **settings}.items()]
    return ["--gin_file=gin/digits/demo.gin", f"--output_dir={directory}", *bindings]


def _results(study):
    """When the files that steps end with were written."""
    return times_of(study.directory, "summary.json", "path.json", "solutions.csv")


@pytest.mark.slow(minutes=3)
def test_killed_and_mended_and_run_again_it_ends_with_a_report(commands, browser, tmp_path):
    study = files.StudyFiles(tmp_path / "study")
    study.create()
    study.report.write_text("of another study")
    wrong = _flags(study.directory, path_bindings=[*_SHORT_PATHS, "Fitting.batch_size = 0"])
    commands.kill_once(lambda: list(study.logs.rglob("*.json")), "scripts/reproduce.py", *wrong)
    first = _results(study)
    assert len(first) == 1
    assert not study.report.exists()

    process = commands.start("scripts/reproduce.py", *wrong)
    output, errors = process.communicate()
    assert process.returncode == 1
    fit = "paths/S-S_to_P-S/quadratic_sparse-8-seed0"
    last = errors.splitlines()[-1]
    assert last.startswith(f"error: 2 of 8 failed; the first: {fit}: Fitting.batch_size is 0")
    assert str(study.logs / f"{fit}.log") in last
    assert str(study.report) in output
    assert "This report is incomplete" in study.report.read_text()
    assert "6 of 8 steps are done. Failed:" in study.report.read_text()
    second = _results(study)
    assert first.items() <= second.items()

    right = _flags(study.directory)
    output = commands.run("scripts/reproduce.py", *right)
    third = _results(study)
    trained = {path for path in second if path.name == "summary.json"}
    assert {path: second[path] for path in trained} == {path: third[path] for path in trained}  # not trained again
    assert len(third) == 8
    assert output.splitlines()[-1] == str(study.report)
    assert output.startswith("| claim ")
    assert "This report is incomplete" not in study.report.read_text()
    visit = Visit(browser, study.report)
    figures = visit.page.locator("section.figure").evaluate_all("all => all.map(each => each.id)")
    assert figures == ["figure1", "figure2", "figure3", "figure4"]
    assert visit.problems == []

    told = {each["claim"]: each["verdict"] for each in json.loads(study.claims.read_text())["claims"]}
    gin.parse_config_files_and_bindings(
        [str(ROOT / "gin/digits/demo.gin")], [flag.removeprefix("--gin_param=") for flag in right[2:]]
    )
    asked = Study()
    planned = {claim: sum(path.claim == claim for path in asked.paths()) for claim in (2, 3, 4)}
    assert planned == {2: 1, 3: 2, 4: 1}
    limits = (asked.confidence, asked.accuracy_tolerance)
    assert told == recomputed_claims.verdicts(study.directory, 0.99, 1, planned, [], *limits)

    results = [study.table, study.paths_table, study.claims_table, study.claims, *study.figure("figure4")]
    bytes_before = [path.read_bytes() for path in results]
    assert commands.run("scripts/reproduce.py", *right) == output
    assert [path.read_bytes() for path in results] == bytes_before
    assert _results(study) == third  # nothing was done again
    only = commands.run("scripts/reproduce.py", *right, "--only=figure2")
    assert only == output  # what was made before is told, too
    assert "--only=figure2 --only" not in study.report.read_text()


@pytest.mark.parametrize(
    ("gin_file", "commands_in_all", "kinds"),
    [
        ("gin/study.gin", 35, ["training, dense (1)", "training, pruned (6)", "lines (7)", "curves, 8,000 steps (4)"]),
        ("gin/digits/demo.gin", 10, ["training, pruned (1)", "lines (4)", "curves, 1,200 steps (2)"]),
    ],
)
def test_a_dry_run_tells_the_plan_and_writes_nothing(commands, tmp_path, gin_file, commands_in_all, kinds):
    directory = tmp_path / "study"
    output = commands.run("scripts/reproduce.py", f"--gin_file={gin_file}", f"--output_dir={directory}", "--dry_run")
    for kind in kinds:
        assert kind in output
    assert f"{commands_in_all} commands, " in output
    assert output.count("\npython ") == commands_in_all
    assert not directory.exists()


def test_a_dry_run_of_a_figure_tells_what_it_takes(commands, tmp_path):
    flags = ["--gin_file=gin/digits/study.gin", f"--output_dir={tmp_path / 'study'}", "--dry_run", "--only=figure5"]
    output = commands.run("scripts/reproduce.py", *flags)
    assert "20 commands, 2 at a time" in output
    assert "interpolate.py" not in output


def test_what_cannot_be_done_is_refused_before_anything_starts(commands, tmp_path):
    wrong = "--gin_param=Study.path_bindings=['interpolate.num_point = 3']"
    assert "close names: num_points" in commands.refuses("scripts/reproduce.py", *_flags(tmp_path / "study"), wrong)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        (["--gin_param=Study.lines=('S-I to X-S',)"], "Study.lines names 'S-I to X-S'", 1),
        (["--gin_param=Study.budgets=(4,)"], "close names: budget", 1),
        (["--gin_param=Study.seeds=()"], "give Study.seeds", 1),
        (["--seed=3"], "doesn't have a parameter named 'seed'", 1),
        (["--only=figure6"], "figure1", 2),
    ],
)
def test_bad_settings(commands, tmp_path, arguments, words, status):
    flags = [*_flags(tmp_path / "study"), *arguments]
    assert words in commands.refuses("scripts/reproduce.py", *flags, status=status)


def test_a_gin_file_must_be_named(commands):
    assert "--gin_file" in commands.refuses("scripts/reproduce.py", status=2)
