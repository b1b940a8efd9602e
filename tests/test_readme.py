"""Protects: every command and program of the README runs as it is written (``make`` apart)."""

import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def _blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of what the commands need, so that they write nothing into the project."""
    directory = tmp_path_factory.mktemp("checkout")
    for name in ("train.py", "interpolate.py"):
        shutil.copy(ROOT / name, directory)
    for name in ("gin", "sparse_rigl_lands"):
        shutil.copytree(ROOT / name, directory / name)
    return directory


def _run(arguments, checkout):
    process = subprocess.run(
        [sys.executable, *arguments], cwd=checkout, capture_output=True, text=True, check=False, timeout=600
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.slow
def test_commands(checkout):
    commands = [line for block in _blocks("bash") for line in block.splitlines() if line.startswith("python ")]
    assert len(commands) == 4
    for command in commands:
        output = _run(shlex.split(command)[1:], checkout)
        written = output.splitlines()[-1].removeprefix("checkpoint: ")
        assert list(checkout.glob(f"{written}*")), output


def test_program(checkout):
    (program,) = _blocks("python")
    assert (checkout / _run(["-c", program], checkout).strip()).exists()


def test_make_targets_exist():
    targets = {line.split()[1] for block in _blocks("bash") for line in block.splitlines() if line.startswith("make ")}
    assert targets == {"demo", "test"}
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"\n{target}:" in makefile for target in targets)


def test_links_and_pictures_are_there():
    for target in re.findall(r"\]\((?!https)(.*?)\)", README):
        assert (ROOT / target).exists(), target
