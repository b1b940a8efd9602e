"""Protects: that commands are found, and told as a person types them, in a checkout as well as installed."""

import sys

import pytest

from sparse_rigl_lands import project
from tests.commands import ROOT


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The entry scripts as an installed package has them."""
    monkeypatch.setattr(project, "_INSTALLED", tmp_path)
    monkeypatch.setattr(project, "DIRECTORY", tmp_path)
    (tmp_path / "scripts").mkdir()
    for name in ("train.py", "scripts/sweep.py"):
        (tmp_path / name).touch()


def test_scripts_are_those_at_the_top_level():
    assert project.DIRECTORY == ROOT
    assert set(project.scripts()) == {
        *("train", "interpolate"),
        *("reproduce", "sweep", "curves", "solutions", "check_images"),
    }


def test_in_a_checkout_scripts_are_called_in_its_directory():
    assert project.command("train") == (sys.executable, str(ROOT / "train.py"))
    assert project.typed([*project.command("train"), "--gin_file=a b"]) == "python train.py '--gin_file=a b'"
    assert project.typed([*project.command("sweep"), "--seed=1"]) == "python scripts/sweep.py --seed=1"


@pytest.mark.usefixtures("installed")
def test_installed_they_are_called_by_the_console_command():
    assert project.typed([*project.command("sweep"), "--gin_file=a b"]) == "sparse-rigl-lands sweep '--gin_file=a b'"


@pytest.mark.usefixtures("installed")
def test_other_programs_are_called_as_they_are():
    assert project.typed([sys.executable, "other.py", "x"]) == "python other.py x"
