"""Protects: the claim on a directory."""

import pytest

from sparse_rigl_lands.directory import Directory
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


SETTINGS = {"seed": 0, "origin": "digits"}


def _claim(run, config=CONFIG, settings=SETTINGS):
    with run.claimed(config, settings):
        pass


def test_a_directory_belongs_to_its_first_configuration(tmp_path):
    run = Directory(tmp_path / "run")
    _claim(run)
    _claim(run)
    before = run.config.read_text()
    for old, new, words in (
        ("0.99", "0.9", "uniform.sparsity is 0.99 there and 0.9 here"),
        ("'head/dense/kernel': 0.8", "'head/dense/kernel': 0.7", "uniform.at_most is .*0.8.* there and .*0.7.* here"),
        ("Recipe.steps = 2000\n", "", "Recipe.steps is 2000 there and absent here"),
    ):
        with pytest.raises(InputError, match=words):
            _claim(run, CONFIG.replace(old, new))
    with pytest.raises(InputError, match="seed is 0 there and 1 here"):
        _claim(run, settings={**SETTINGS, "seed": 1})
    assert run.config.read_text() == before


def test_a_directory_is_checked_without_being_claimed(tmp_path):
    run = Directory(tmp_path / "run")
    run.check(CONFIG, SETTINGS)
    assert not run.directory.exists()
    _claim(run)
    assert run.check(CONFIG, SETTINGS) == run.config.read_text()
    with pytest.raises(InputError, match="seed is 0 there and 1 here"):
        run.check(CONFIG, {**SETTINGS, "seed": 1})
    run.config.rename(run.directory / "mine")
    with pytest.raises(InputError, match="holds mine but no config.gin"):
        run.check(CONFIG, SETTINGS)


def test_one_command_at_a_time_works_in_a_directory(tmp_path):
    run = Directory(tmp_path / "run")
    with (
        run.claimed(CONFIG, SETTINGS),
        pytest.raises(InputError, match=f"another command is at work in {tmp_path}/run"),
    ):
        _claim(run)
    _claim(run)  # the first has ended


def test_a_directory_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write to .*file/run: Not a directory"):
        _claim(Directory(tmp_path / "file" / "run"))


def test_a_configuration_that_is_no_text_is_named(tmp_path):
    run = Directory(tmp_path)
    run.config.write_bytes(b"\xff")
    with pytest.raises(InputError, match="config.gin is damaged"):
        _claim(run)
