"""Protects: names on disk, whole files, and the claim on a directory."""

import pytest

from sparse_rigl_lands import files
from sparse_rigl_lands.errors import InputError

CONFIG = """import sparse_rigl_lands.training.run

# Parameters for Recipe:
# ====
Recipe.steps = 2000

# Parameters for uniform:
# ====
uniform.at_most = \\
    {'head/dense/kernel': 0.8,
     'stem/conv/kernel': 0.0}
uniform.sparsity = 0.99
"""


def test_a_directory_belongs_to_its_first_configuration(tmp_path):
    run = files.RunFiles(tmp_path / "run")
    run.claim(CONFIG)
    run.claim(CONFIG)
    for before, after, words in (
        ("0.99", "0.9", "uniform.sparsity is 0.99 there and 0.9 here"),
        ("'head/dense/kernel': 0.8", "'head/dense/kernel': 0.7", "uniform.at_most is .*0.8.* there and .*0.7.* here"),
        ("Recipe.steps = 2000\n", "", "Recipe.steps is 2000 there and absent here"),
    ):
        with pytest.raises(InputError, match=words):
            run.claim(CONFIG.replace(before, after))
    assert run.config.read_text() == CONFIG


def test_a_directory_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write to .*file/run: Not a directory"):
        files.RunFiles(tmp_path / "file" / "run").claim(CONFIG)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "summary.json"
    files.write_json(path, {"a": 1})
    monkeypatch.setattr(files.os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        files.write_json(path, {"a": 2})
    assert files.read_json(path) == {"a": 1}


def test_not_a_number_is_not_json(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "x.json", {"a": float("nan")})
    assert not (tmp_path / "x.json").exists()


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": 1'])
def test_a_damaged_json_file_is_named(tmp_path, content):
    (tmp_path / "path.json").write_text(content)
    with pytest.raises(InputError, match="path.json is damaged"):
        files.read_json(tmp_path / "path.json")


def test_a_checkpoint_is_named_by_its_prefix_or_its_run(tmp_path):
    run = files.RunFiles(tmp_path)
    run.checkpoints.mkdir()
    for step in (0, 500, 123456789):
        files.index_file(run.checkpoint(step)).write_bytes(b"")
    (run.checkpoints / ".step_00000900.partial.index").write_bytes(b"")
    assert run.checkpoint_steps() == [0, 500, 123456789]
    assert files.checkpoint_prefix(str(tmp_path)) == run.checkpoint(123456789)
    assert files.checkpoint_prefix(str(run.checkpoint(500))) == run.checkpoint(500)
    assert files.checkpoint_prefix(str(files.index_file(run.checkpoint(500)))) == run.checkpoint(500)
    assert files.run_of_checkpoint(run.checkpoint(500)).directory == tmp_path
    run.remove_partial_checkpoints()
    assert len(list(run.checkpoints.iterdir())) == 3


def test_what_is_no_checkpoint(tmp_path):
    with pytest.raises(InputError, match="holds no checkpoint"):
        files.checkpoint_prefix(str(tmp_path))
    with pytest.raises(InputError, match="no such checkpoint or run directory"):
        files.checkpoint_prefix(str(tmp_path / "absent"))
