"""Protects: ``interpolate.py`` as a person runs it, killed, and given bad input."""

import functools
import json
import re
import shutil
import signal

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from sparse_rigl_lands import files, gin_files, storage
from sparse_rigl_lands.points import checkpoint


@pytest.fixture
def run_copy(small_run, tmp_path):
    """A copy of a finished run, to be damaged."""
    shutil.copytree(small_run, tmp_path / "copy")
    return files.RunFiles(tmp_path / "copy")


def test_two_checkpoints_are_all_it_needs(commands, small_run, tmp_path):
    start, path = files.RunFiles(small_run).checkpoint(0), files.PathFiles(tmp_path / "path")
    arguments = ["interpolate.py", f"--start={start}", f"--end={small_run}", f"--output_dir={path.directory}"]
    output = commands.run(*arguments)
    table = pd.read_csv(path.table)
    np.testing.assert_allclose(table["t"], np.arange(51) * 0.02)
    assert set(table["count"]) == {1437}
    for words in ("line from digits-pruned-seed0-step0 to digits-pruned-seed0-step60, mask: end", str(path.figures[0])):
        assert words in output
    assert all(figure.exists() for figure in path.figures)

    before = path.result.stat().st_mtime_ns
    assert commands.run(*arguments) == output
    assert path.result.stat().st_mtime_ns == before
    assert "interpolate.num_points is 51 there and 5 here" in commands.refuses(
        *arguments, "--gin_param=interpolate.num_points=5"
    )


def test_a_dry_run_tells_the_plan_and_writes_nothing(commands, small_run, tmp_path):
    start, path = files.RunFiles(small_run).checkpoint(0), tmp_path / "path"
    arguments = [f"--start={start}", f"--end={small_run}", f"--output_dir={path}", "--dry_run"]
    output = commands.run("interpolate.py", *arguments, "--gin_file=gin/digits/cubic_sparse.gin")
    for words in (
        "2 control points, sparse; 1,200 steps, batches of 128 images",
        "51 values of t",
        "1,437 of 1,437 images",
        "Memory of a replica, fit",
        "Memory of a replica, evaluation",
    ):
        assert words in output
    nothing_to_fit = [*arguments, "--gin_file=gin/digits/line.gin", "--gin_file=gin/digits/cubic_sparse.gin"]
    nothing_to_fit += ["--gin_param=interpolate.curve=None"]
    assert "there is nothing to fit" in commands.refuses("interpolate.py", *nothing_to_fit)
    assert not any(tmp_path.iterdir())


def _time_of(path):
    """When a file was written; 0 where there is none."""
    return path.stat().st_mtime_ns if path.exists() else 0


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_to_the_same_bits(commands, small_run, tmp_path):
    """SIGKILL, and once SIGTERM, as soon as there are new sums on disk, in each of the three stages."""
    start = files.RunFiles(small_run).checkpoint(0)
    settings = {
        "interpolate.batch_norm": "'recalibrated'",
        "interpolate.num_points": 5,
        "interpolate.batch_size": 8,
        "interpolate.save_every": 0.01,
        "interpolate.gradient_batches": 2,
        "interpolate.per_class": True,
    }
    arguments = ["interpolate.py", f"--start={start}", f"--end={small_run}"]
    arguments += [f"--gin_param={name}={value}" for name, value in settings.items()]
    undisturbed, killed = (files.PathFiles(tmp_path / name) for name in ("undisturbed", "killed"))
    commands.run(*arguments, f"--output_dir={undisturbed.directory}", afresh=True)
    kills = []
    kill, terminate, losses = signal.SIGKILL, signal.SIGTERM, killed.partial_losses
    for partial, how in (
        (killed.partial_moments, kill),
        (losses, terminate),
        (losses, kill),
        (killed.partial_gradients, kill),
    ):
        process = commands.start(*arguments, f"--output_dir={killed.directory}")
        before = _time_of(partial)
        commands.until(lambda partial=partial, before=before: _time_of(partial) not in (0, before), process)
        process.send_signal(how)
        _, errors = process.communicate()
        kills.append(process.returncode)
        if how == terminate:
            assert "stopped by SIGTERM; the sums so far are saved; run the same command to go on" in errors
    assert kills == [-9, 75, -9, -9]
    assert not killed.result.exists()
    commands.run(*arguments, f"--output_dir={killed.directory}")
    for name in ("table", "covariance", "classes"):
        assert getattr(killed, name).read_bytes() == getattr(undisturbed, name).read_bytes()
    results = [storage.read_json(path.result) for path in (undisturbed, killed)]
    for result in results:
        del result["seconds_of_last_process"]
    assert results[0] == results[1]
    assert not list(killed.directory.glob("*partial*"))


def test_sums_of_other_settings_are_not_mixed(commands, small_run, tmp_path):
    path = files.PathFiles(tmp_path / "path")
    arguments = ["interpolate.py", f"--start={small_run}", f"--end={small_run}", f"--output_dir={path.directory}"]
    arguments += ["--gin_param=interpolate.save_every=0.01", "--gin_param=interpolate.batch_size=16"]
    commands.kill_once(path.partial_losses.exists, *arguments)
    before = path.partial_losses.read_bytes()
    error = commands.refuses(*arguments, "--seed=1")
    assert "seed is 0 there and 1 here" in error
    assert path.partial_losses.read_bytes() == before


def test_it_stops_when_the_verdict_is_decided(commands, small_run, tmp_path):
    """The same point at both ends, so that nothing but rounding varies."""
    arguments = ["interpolate.py", f"--start={small_run}", f"--end={small_run}", f"--output_dir={tmp_path / 'path'}"]
    sample = ["--gin_param=Sample.images='until_decided'", "--gin_param=Sample.first=256"]
    output = commands.run(*arguments, *sample, "--gin_param=interpolate.batch_size=32")
    assert re.search("Monotone: the loss rises by .*0.000.*; tolerance 0.05, 95% confidence, 256 images.", output)
    assert "decided on 256 of 1,437 images" in output


@pytest.mark.parametrize("gin_file", ["gin/digits/line.gin", "gin/line.gin"])
def test_lines_of_the_gin_files(commands, small_run, tmp_path, gin_file):
    """The paper's differs in nothing but numbers: it can be tried on digits."""
    start = files.RunFiles(small_run).checkpoint(0)
    arguments = [
        f"--start={start}",
        f"--end={small_run}",
        f"--gin_file={gin_file}",
        f"--output_dir={tmp_path / 'path'}",
    ]
    commands.run("interpolate.py", *arguments, "--gin_param=interpolate.num_points=3")
    settings = storage.read_json(files.PathFiles(tmp_path / "path").result)["settings"]
    assert settings["looks"] == ([1024, 1437] if "digits" in gin_file else [1437])
    assert settings["precision"] == ("float32" if "digits" in gin_file else "mixed_bfloat16")


@pytest.mark.parametrize("experiments", ["gin/digits", "gin"])
@pytest.mark.parametrize("manifold", ["sparse", "dense"])
@pytest.mark.parametrize(("curve", "degree"), [("quadratic", 2), ("cubic", 3)])
def test_gin_files_of_curves_are_what_they_are_called(experiments, curve, degree, manifold):
    """One budget sets the steps and the schedule; nothing but the curve and the manifold tells them apart."""
    configuration = gin_files.configuration(f"{experiments}/{curve}_{manifold}.gin", ["BUDGET = 7"])
    for line in (
        f"Bezier.degree = {degree}",
        f"Fitting.manifold = '{manifold}'",
        "Fitting.steps = %BUDGET",
        "WarmupCosine.steps = %BUDGET",
        "BUDGET = 7",
    ):
        assert line in configuration.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize(("curve", "manifold"), [("quadratic", "sparse"), ("cubic", "dense")])
def test_curves_of_the_papers_gin_files(commands, small_run, tmp_path, curve, manifold):
    """They can be tried on digits; those of digits are commands of the README and paths of the study of curves."""
    start, path = files.RunFiles(small_run).checkpoint(0), files.PathFiles(tmp_path / "path")
    arguments = [f"--start={start}", f"--end={small_run}", f"--gin_file=gin/{curve}_{manifold}.gin"]
    arguments += ["--gin_param=BUDGET=2", "--gin_param=interpolate.num_points=3", "--gin_param=Sample.images=1100"]
    output = commands.run("interpolate.py", *arguments, f"--output_dir={path.directory}")
    assert f"{curve} Bezier curve from digits-pruned-seed0-step0 to digits-pruned-seed0-step60, mask: end" in output
    points = {"quadratic": 1, "cubic": 2}[curve]
    assert len(list(path.control_points.glob("*.index"))) == points
    fitting = storage.read_json(path.result)["settings"]["fitting"]
    assert (fitting["manifold"], fitting["steps"]) == (manifold, 2)
    assert (fitting["precision"], fitting["batch_size"]) == ("mixed_bfloat16", 1024)
    mask = checkpoint.load(files.checkpoint_prefix(str(small_run))).point.mask
    for i in range(1, points + 1):
        point = checkpoint.load(path.control_point(i)).point
        outside = sum(np.count_nonzero(point.weights[name][~live]) for name, live in mask.arrays.items())
        assert (outside == 0) == (manifold == "sparse")

    line = files.PathFiles(tmp_path / "line")
    arguments = [f"--start={start}", f"--end={path.control_point(1)}", f"--output_dir={line.directory}"]
    output = commands.run("interpolate.py", *arguments)
    assert f"line from digits-pruned-seed0-step0 to {checkpoint.load(path.control_point(1)).point.origin}" in output
    assert len(pd.read_csv(line.table)) == 51
    assert storage.read_json(line.result)["images"] == 1437


@pytest.mark.slow
def test_a_fit_killed_at_any_moment_goes_on_to_the_same_bits(commands, small_run, tmp_path):
    """SIGKILL as soon as there is a new checkpoint, and once more when the control points are there."""
    start = files.RunFiles(small_run).checkpoint(0)
    settings = {"BUDGET": 60, "Fitting.checkpoint_every": 5, "Fitting.log_every": 3, "interpolate.num_points": 3}
    arguments = ["interpolate.py", f"--start={start}", f"--end={small_run}", "--gin_file=gin/digits/cubic_sparse.gin"]
    arguments += [f"--gin_param={name}={value}" for name, value in settings.items()]
    undisturbed, killed = (files.PathFiles(tmp_path / name) for name in ("undisturbed", "killed"))
    commands.run(*arguments, f"--output_dir={undisturbed.directory}", afresh=True)

    def steps():
        return killed.fit.checkpoint_steps()

    for is_time in (
        lambda before: steps() > before,
        lambda before: len(steps()) > 1 and steps() > before,
        lambda before: files.index_file(killed.control_point(1)).exists(),
    ):
        is_due = functools.partial(is_time, steps())
        commands.kill_once(is_due, *arguments, f"--output_dir={killed.directory}")
    assert not killed.result.exists()
    commands.run(*arguments, f"--output_dir={killed.directory}")
    for i in (1, 2):
        data = [files.data_file(path.control_point(i)).read_bytes() for path in (undisturbed, killed)]
        assert data[0] == data[1]
    for name in ("table", "covariance"):
        assert getattr(killed, name).read_bytes() == getattr(undisturbed, name).read_bytes()
    assert killed.fit.metrics.read_bytes() == undisturbed.fit.metrics.read_bytes()


@pytest.mark.slow
def test_two_logical_cpus_see_the_same_path(commands, small_run, tmp_path):
    """Three global batches of 2 x 128 on two replicas, the last one padded."""
    start = files.RunFiles(small_run).checkpoint(0)
    tables = []
    for name, settings in {
        "one": [],
        "two": ["--gin_param=strategy.kind='mirrored'", "--gin_param=strategy.logical_cpus=2"],
    }.items():
        arguments = [f"--start={start}", f"--end={small_run}", f"--output_dir={tmp_path / name}"]
        commands.run("interpolate.py", *arguments, "--gin_param=interpolate.num_points=5", *settings)
        tables.append(pd.read_csv(files.PathFiles(tmp_path / name).table))
    np.testing.assert_allclose(*(table.drop(columns=["step", "step_error"]) for table in tables), rtol=1e-5)


def _write_other_network(run, shape):
    origin = json.dumps({"workload": "digits", "method": "pruned", "seed": 0, "global_step": 60})
    weights = {"stem/conv/kernel": tf.Variable(tf.ones(shape))}
    tf.train.Checkpoint(origin=tf.Variable(origin), weights=weights).write(str(run.checkpoint(60)))


def _truncate(run):
    data = files.data_file(run.checkpoint(60))
    data.write_bytes(data.read_bytes()[:5000])


def _poison(run):
    origin = json.dumps({"workload": "digits", "method": "pruned", "seed": 0, "global_step": 60})
    weights = {"stem/conv/kernel": tf.Variable([np.nan])}
    tf.train.Checkpoint(origin=tf.Variable(origin), weights=weights).write(str(run.checkpoint(60)))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_truncate, "the end: checkpoint .*step_00000060 is damaged"),
        (_poison, "the end: checkpoint .*step_00000060: stem/conv/kernel holds a value that is not finite"),
        (
            lambda run: _write_other_network(run, (2, 2)),
            "the end: .* is of another network: it lacks ",
        ),
        (lambda run: shutil.rmtree(run.checkpoints), "this directory holds no checkpoint of a run"),
    ],
    ids=["truncated", "nan", "another network", "none"],
)
def test_bad_checkpoints(commands, small_run, run_copy, tmp_path, damage, words):
    damage(run_copy)
    path = tmp_path / "path"
    error = commands.refuses(
        "interpolate.py", f"--start={small_run}", f"--end={run_copy.directory}", f"--output_dir={path}"
    )
    assert re.search(words, error)
    assert not path.exists()


def test_another_dataset_is_another_path(commands, small_run, tmp_path):
    """An option of the dataset is part of the configuration: the old numbers are not told as the new ones."""
    arguments = ["interpolate.py", f"--start={small_run}", f"--end={small_run}", f"--output_dir={tmp_path / 'path'}"]
    commands.run(*arguments, "--gin_param=interpolate.num_points=2")
    changed = ["--gin_param=interpolate.num_points=2", "--gin_param=Digits.max_shift=0"]
    assert "Digits.max_shift is 1 there and 0 here" in commands.refuses(*arguments, *changed)


def test_a_configuration_that_was_damaged_is_not_gone_by(commands, run_copy):
    """It says what the workload is: another label smoothing would give another loss."""
    configuration = run_copy.config.read_text()
    run_copy.config.write_text(configuration.replace("label_smoothing = 0.0", "label_smoothing = 0.8"))
    ends = f"--start={run_copy.checkpoint(0)}", f"--end={run_copy.directory}"
    assert f"{run_copy.config} is damaged" in commands.refuses("interpolate.py", *ends)


def test_checkpoints_without_their_configuration(commands, run_copy, tmp_path):
    run_copy.config.unlink()
    ends = [f"--start={run_copy.directory}", f"--end={run_copy.directory}", f"--output_dir={tmp_path / 'path'}"]
    assert "config.gin is missing; say with --gin_file" in commands.refuses("interpolate.py", *ends)
    gin_file = "--gin_file=gin/digits/workload.gin"
    commands.run("interpolate.py", *ends, gin_file, "--gin_param=interpolate.num_points=2")


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        (["--end=runs/nowhere"], "start", 2),
        (["--start=runs/nowhere", "--end=runs/nowhere"], "runs/nowhere: no such checkpoint or run directory", 1),
    ],
)
def test_missing_ends(commands, arguments, words, status):
    assert words in commands.refuses("interpolate.py", *arguments, status=status)


def test_directory_that_cannot_be_written(commands, small_run, tmp_path):
    (tmp_path / "file").write_text("")
    ends = [f"--start={small_run}", f"--end={small_run}"]
    assert "cannot write to" in commands.refuses("interpolate.py", *ends, f"--output_dir={tmp_path / 'file' / 'path'}")
