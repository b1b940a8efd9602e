"""Protects: the table of solutions as a person asks for it."""

import csv
import shutil

import pytest

from sparse_rigl_lands import files, storage


def test_a_finished_run_is_described(commands, small_run, tmp_path):
    copy = tmp_path / "pruned-seed0"
    shutil.copytree(small_run, copy)
    few = "--gin_param=describe_solution.gradient_batches=1"
    output = commands.run("scripts/solutions.py", str(copy), str(small_run), few, f"--output_dir={tmp_path / 'table'}")
    written = files.SolutionFiles(tmp_path / "table")
    assert output == written.markdown.read_text() + f"{written.table}\n{written.markdown}\n"
    with written.table.open() as table:
        beside, elsewhere = csv.DictReader(table)
    assert (beside["run"], beside["point"], beside["distance_to_pruned"]) == (str(copy), "P-S", "0.0")
    assert elsewhere["distance_to_pruned"] == ""  # its directory has another name
    assert beside["gradient_norm_sparse"] == elsewhere["gradient_norm_sparse"]
    summary = storage.read_json(files.RunFiles(small_run).summary)
    assert float(beside["training_loss"]) == summary["train_augmented"]["cross_entropy"]


def test_a_run_that_was_damaged_is_not_told(commands, small_run, tmp_path):
    run = files.RunFiles(tmp_path / "run")
    shutil.copytree(small_run, run.directory)
    run.summary.write_text(run.summary.read_text().replace('"accuracy": 0.', '"accuracy": 1.', 1))
    assert f"{run.summary} is damaged" in commands.refuses("scripts/solutions.py", str(run.directory))


def test_what_is_no_finished_run_is_refused(commands, tmp_path):
    error = commands.refuses("scripts/solutions.py", str(tmp_path / "nothing"))
    assert "nothing is not the directory of a run: it has no summary.json" in error


@pytest.mark.parametrize(("arguments", "words"), [([], "needed is at least one RUN"), (["--batches=3"], "'batches'")])
def test_wrong_usage(commands, arguments, words):
    assert words in commands.refuses("scripts/solutions.py", *arguments, status=2)
