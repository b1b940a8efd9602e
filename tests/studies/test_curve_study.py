"""Protects: which paths a study of curves makes, that fits are compared at one budget, and what it says of them."""

import csv
import inspect
import sys

import pytest

from sparse_rigl_lands import files, gin_files
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.studies import curve_study
from sparse_rigl_lands.studies.curve_study import CurveStudy, Ends
from sparse_rigl_lands.studies.study import Study
from sparse_rigl_lands.studies.sweep import Sweep
from tests import finished_path


def _study(**settings):
    return CurveStudy("test", "gin/digits", **{"budget": 1200, **settings})


def _configuration(gin_file, bindings):
    return f"{gin_file} {bindings}\nFitting.steps = %BUDGET"


@pytest.fixture
def ends(tmp_path):
    """Two runs, each with a checkpoint and its configuration, in name only."""
    runs = [files.RunFiles(tmp_path / name) for name in ("scratch", "pruned")]
    for run in runs:
        run.checkpoints.mkdir(parents=True)
        run.config.write_text(f"# of {run.directory.name}\n")
        files.data_file(run.checkpoint(60)).write_bytes(run.directory.name.encode())
        files.index_file(run.checkpoint(60)).touch()
    return runs


@pytest.fixture
def jobs_of(ends, tmp_path, monkeypatch):
    """The jobs of a study, by name; none is run."""
    monkeypatch.setattr(curve_study, "software", lambda: "this software")

    def jobs(study, configuration=_configuration, directory="study"):
        written = files.CurveStudyFiles(tmp_path / directory)
        prefixes = [files.checkpoint_prefix(str(run.directory)) for run in ends]
        return {job.name: job for job in curve_study.jobs_of(study, written, Ends(*prefixes), configuration)}

    return jobs


def test_every_fit_has_the_same_budget_and_only_fits_have_others():
    runs = _study(curves=("line", "cubic_sparse", "cubic_dense"), other_budgets=(300, 4800)).runs()
    assert [(run.name, run.curve, run.steps) for run in runs] == [
        ("line", "line", 0),
        ("cubic_sparse-1200", "cubic_sparse", 1200),
        ("cubic_dense-1200", "cubic_dense", 1200),
        ("cubic_sparse-300", "cubic_sparse", 300),
        ("cubic_dense-300", "cubic_dense", 300),
        ("cubic_sparse-4800", "cubic_sparse", 4800),
        ("cubic_dense-4800", "cubic_dense", 4800),
    ]
    assert runs[0].bindings == ()
    assert runs[-1].bindings == ("BUDGET = 4800",)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"curves": "line"}, "curves is 'line'; it must be a list"),
        ({"curves": ("line", "line")}, "curves names something twice"),
        ({"curves": ("../line",)}, "curves names '../line'; it must be the name of a gin file"),
        ({"curves": ("line.gin",)}, "curves names 'line.gin'; it must be the name of a gin file, without .gin"),
        ({"curves": ()}, "the study has no paths"),
        ({"budget": 0}, "budget is 0; it must be a whole number of at least 1"),
        ({"budget": 1e3}, "budget is 1000.0; it must be a whole number"),
        ({"other_budgets": (300, 0)}, "other_budgets names 0; it must be a whole number of at least 1"),
        ({"other_budgets": (300, 1200)}, "other_budgets names 1200, which is CurveStudy.budget"),
        ({"other_budgets": 300}, "other_budgets is 300; it must be a list"),
        ({"bindings": "Sample.images = 3"}, "bindings is 'Sample.images = 3'; it must be a list"),
        ({"processes": 0}, "processes is 0; it must be a whole number of at least 1"),
        ({"seed": 0.5}, "seed is 0.5; it must be a whole number"),
        ({"seed": -(2**63) - 1}, f"seed is {-(2**63) - 1}; it must be a whole number that 64 bits hold"),
    ],
)
def test_an_impossible_study_is_refused(settings, words):
    with pytest.raises(InputError, match=words):
        _study(**settings)


@pytest.mark.parametrize("kind", [CurveStudy, Sweep, Study])
@pytest.mark.parametrize("setting", ["name", "experiments"])
def test_what_names_no_directory_is_refused(kind, setting):
    given = {"name": "test", "experiments": "gin/digits", "sparsity": 0.9, "budget": 1200}
    given = {name: given[name] for name in inspect.signature(kind).parameters if name in given}
    with pytest.raises(InputError, match=rf"^{kind.__name__}\.{setting} is 3; it must be a text in quotes"):
        kind(**{**given, setting: 3})


def test_every_path_is_the_command_that_a_person_would_run(jobs_of, tmp_path):
    study = _study(curves=("line", "cubic_dense"), bindings=("Sample.images = 'all'",), seed=3)
    line, dense = jobs_of(study).values()
    ends = [
        f"--start={tmp_path}/scratch/checkpoints/step_00000060",
        f"--end={tmp_path}/pruned/checkpoints/step_00000060",
    ]
    assert line.command[0] == sys.executable
    assert line.command[1].endswith("/interpolate.py")
    assert list(line.command[2:]) == [
        *ends,
        "--gin_file=gin/digits/line.gin",
        "--gin_param=Sample.images = 'all'",
        "--seed=3",
        f"--output_dir={tmp_path}/study/line",
    ]
    assert list(dense.command[2:]) == [
        *ends,
        "--gin_file=gin/digits/cubic_dense.gin",
        "--gin_param=Sample.images = 'all'",
        "--gin_param=BUDGET = 1200",
        "--seed=3",
        f"--output_dir={tmp_path}/study/cubic_dense-1200",
    ]
    assert dense.result == files.PathFiles(tmp_path / "study/cubic_dense-1200").result
    assert dense.needs == ()
    told = dense.configuration.splitlines()
    assert told[0] == "gin/digits/cubic_dense.gin (\"Sample.images = 'all'\", 'BUDGET = 1200')"
    assert told[-1] == "this software"
    assert "# of pruned" in told


@pytest.mark.parametrize("end", [0, 1], ids=["start", "end"])
def test_other_values_in_a_checkpoint_are_another_job(jobs_of, ends, end):
    study = _study(curves=("line",))
    before = jobs_of(study)["line"]
    assert jobs_of(study)["line"] == before
    files.data_file(ends[end].checkpoint(60)).write_bytes(b"trained anew")
    after = jobs_of(study, directory="another")["line"]
    assert after.configuration != before.configuration


def test_another_workload_of_the_end_is_another_job(jobs_of, ends):
    study = _study(curves=("line",))
    before = jobs_of(study)["line"]
    ends[0].config.write_text("# the start's is not read\n")
    assert jobs_of(study)["line"] == before
    ends[1].config.write_text("Digits.max_shift = 0\n")
    changed = jobs_of(study)["line"]
    assert changed.configuration != before.configuration
    ends[1].config.unlink()  # then the gin files say what the workload is
    assert jobs_of(study)["line"].configuration not in (before.configuration, changed.configuration)


@pytest.mark.parametrize("name", ["start", "end"])
def test_checkpoints_that_are_not_there_are_refused(jobs_of, ends, tmp_path, name):
    run = ends[name == "end"]
    files.data_file(run.checkpoint(60)).unlink()
    with pytest.raises(
        InputError, match=f"the {name}: checkpoint .*step_00000060 is damaged: it has no step_00000060.d"
    ):
        jobs_of(_study())
    files.index_file(run.checkpoint(60)).unlink()
    with pytest.raises(InputError, match=f"{run.directory}: this directory holds no checkpoint of a run"):
        jobs_of(_study())
    assert not (tmp_path / "study").exists()


def test_a_directory_holds_one_pair_of_checkpoints(ends, tmp_path):
    """What was told of another pair stays."""
    written = files.CurveStudyFiles(tmp_path / "study")
    pair = Ends(*(run.checkpoint(60) for run in ends))
    for _ in range(2):
        with curve_study.claimed(written, pair):
            written.table.touch()
    files.data_file(pair.start).write_bytes(b"another")
    with pytest.raises(InputError, match=f"{written.directory} belongs to another configuration .start is "):
        curve_study.claimed(written, pair).__enter__()
    assert written.table.exists()


def test_nothing_starts_if_a_configuration_is_impossible(jobs_of, tmp_path):
    def refuse(gin_file, bindings):
        raise InputError(gin_file)

    with pytest.raises(InputError, match="gin/digits/line.gin"):
        jobs_of(_study(), refuse)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"bindings": ("STEPS = 300", "Fitting.steps = %STEPS")},
            "cubic_dense.gin does not fit its curve in 1200 steps: BUDGET does not set Fitting.steps",
        ),
        ({"bindings": ("Fitting.steps = 7",)}, "BUDGET does not set Fitting.steps, or a binding overrides it"),
        ({"bindings": ("Fitting.steps = 12000",)}, "BUDGET does not set Fitting.steps"),
        ({"bindings": ("WarmupCosine.steps = 300",)}, "BUDGET does not set WarmupCosine.steps"),
    ],
)
def test_a_fit_that_does_not_heed_the_budget_is_refused(jobs_of, settings, words):
    with pytest.raises(InputError, match=words):
        jobs_of(_study(curves=("line", "cubic_dense"), **settings), gin_files.configuration)


def test_the_curves_of_the_gin_files_heed_the_budget(jobs_of):
    study = _study(other_budgets=(300,), bindings=("BUDGET = 50",))  # what a study binds for all does not undo it
    told = jobs_of(study, gin_files.configuration)
    assert "\nBUDGET = 300\n" in told["quadratic_sparse-300"].configuration
    assert len(told) == 9


def _write_path(path, losses, fitting):
    finished_path.write(
        path,
        losses,
        "quadratic Bezier curve" if fitting else "line",
        fitting,
        barrier=finished_path.climb(2.0, 0.0, 0.5, 1.75, 2.25),
        largest_rise=finished_path.climb(3.0, 0.25, 0.75, 2.5, 3.5),
        ends_on_the_path={"start": losses[0], "end": None},
    )


def _fitting(steps):
    return {"manifold": "dense", "steps": steps} if steps else None


@pytest.fixture
def finished(tmp_path):
    """A study, where it lies, and the names of its finished paths."""
    study = _study(curves=("quadratic_dense", "line"), other_budgets=(300, 4800))
    written = files.CurveStudyFiles(tmp_path)
    for run in study.runs():
        _write_path(written.path(run.name), (1.0, 10.0, 0.5), _fitting(run.steps))
    return study, written, [run.name for run in study.runs()[:-1]]


def test_results_are_a_row_per_finished_path(finished):
    study, written, names = finished
    rows = curve_study.results(study, written, names)
    assert [row["run"] for row in rows] == names  # not the last, though it has a result, of another configuration
    fitted, line, _ = rows
    assert fitted == {
        "curve": "quadratic_dense",
        "title": "quadratic Bezier curve",
        "manifold": "dense",
        "steps": 1200,
        "verdict": "barrier",
        "barrier": 2.0,
        "barrier_lower": 1.75,
        "barrier_upper": 2.25,
        "barrier_at": 0.5,
        "largest_rise": 3.0,
        "largest_rise_lower": 2.5,
        "largest_rise_upper": 3.5,
        "rise_start": 0.25,
        "rise_end": 0.75,
        "loss_at_start": 1.0,
        "loss_at_end": None,
        "lowest_loss": 0.5,
        "lowest_at": 1.0,
        "below_both_ends": False,
        "length": 8.5,
        "images": 1437,
        "confidence": 0.95,
        "tolerance": 0.05,
        "run": "quadratic_dense-1200",
    }
    assert (line["title"], line["manifold"], line["steps"]) == ("line", "", 0)
    with written.table.open() as table:
        assert [each["run"] for each in csv.DictReader(table)] == names


def test_no_table_where_nothing_is_finished(finished):
    study, written, _ = finished
    assert curve_study.results(study, written, []) == []
    assert not written.table.exists()


def test_curves_that_differ_by_their_gin_file_alone_are_told_apart(tmp_path):
    study, written = _study(curves=("line", "slow_dense", "fast_dense")), files.CurveStudyFiles(tmp_path)
    for run in study.runs():
        _write_path(written.path(run.name), (1.0, 10.0, 0.5), _fitting(run.steps))
    rows = curve_study.results(study, written, [run.name for run in study.runs()])
    curve = "quadratic Bezier curve"
    assert [row["title"] for row in rows] == ["line", f"{curve} (slow_dense)", f"{curve} (fast_dense)"]


@pytest.mark.parametrize("fitting", [None, _fitting(300)])
def test_a_path_that_was_fitted_with_another_budget_is_refused(tmp_path, fitting):
    study, written = _study(curves=("quadratic_dense",)), files.CurveStudyFiles(tmp_path)
    _write_path(written.path("quadratic_dense-1200"), (1.0, 10.0, 0.5), fitting)
    with pytest.raises(InputError, match=r"quadratic_dense-1200 was fitted in \d+ steps, not in 1200"):
        curve_study.results(study, written, ["quadratic_dense-1200"])
    assert not written.table.exists()
