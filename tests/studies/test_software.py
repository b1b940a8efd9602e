"""Protects: that a study tells one software from another."""

import tensorflow as tf

from sparse_rigl_lands.studies import software as softwares
from sparse_rigl_lands.studies.software import software


def test_libraries_are_told_by_their_versions():
    *versions, source = software().splitlines()
    assert f"tensorflow {tf.__version__}" in versions
    assert source.startswith("source ")


def test_another_source_is_other_software(tmp_path, monkeypatch):
    monkeypatch.setattr(softwares, "_PACKAGE", tmp_path)
    (tmp_path / "room").mkdir()
    (tmp_path / "room/module.py").write_text("x = 1\n")
    before = software()
    (tmp_path / "room/notes.txt").write_text("of no effect\n")
    assert software() == before
    (tmp_path / "room/module.py").write_text("x = 2\n")
    assert software() != before


def test_what_only_tells_of_results_is_no_other_software(tmp_path, monkeypatch):
    monkeypatch.setattr(softwares, "_PACKAGE", tmp_path)
    for room in ("reporting", "studies"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "module.py").write_text("x = 1\n")
    before, with_one = software(), software("studies/module.py")
    assert before != with_one
    (tmp_path / "reporting/module.py").write_text("x = 2\n")
    assert (software(), software("studies/module.py")) == (before, with_one)
    (tmp_path / "studies/module.py").write_text("x = 2\n")
    assert software() == before
    assert software("studies/module.py") != with_one


def test_another_command_is_other_software(tmp_path, monkeypatch):
    command = tmp_path / "train.py"
    command.write_text("x = 1\n")
    monkeypatch.setattr(softwares, "_COMMANDS", (command,))
    before = software()
    command.write_text("x = 2\n")
    assert software() != before
