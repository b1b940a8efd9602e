"""Protects: every command and program of the README runs: shortened, and under the marker ``whole`` as written.

``make`` apart, and the studies and the sweep, which tests/scripts/ makes short. The commands of the pages beside it are
the same ones; what is of their own, tests/test_docs.py runs.
"""

import re
import shlex
import subprocess
import sys

import pytest

from tests.commands import ROOT, SMALL_TRAINING, copy_commands

README = (ROOT / "README.md").read_text()


def _blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return copy_commands(tmp_path_factory.mktemp("checkout"))


def _commands():
    return [line for block in _blocks("bash") for line in block.splitlines() if line.startswith("python ")]


def _is_paper_scale(command):
    return bool(re.search(r"--gin_file=gin/\w+\.gin", command))


def _is_long(command):
    """The studies and the sweep: up to an hour, which tests/scripts/ makes short."""
    return any(script in command for script in ("sweep.py", "curves.py", "reproduce.py"))


def _run(arguments, checkout):
    process = subprocess.run(
        [sys.executable, *arguments], cwd=checkout, capture_output=True, text=True, check=False, timeout=600
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def _commands_on_digits():
    commands = [command for command in _commands() if not _is_paper_scale(command) and not _is_long(command)]
    assert len(commands) == 11
    return [shlex.split(command)[1:] for command in commands]


def _check_written(output, checkout):
    written = output.splitlines()[-1].removeprefix("checkpoint: ")
    assert list(checkout.glob(f"{written}*")), output


@pytest.mark.slow
def test_commands_on_digits(commands, checkout):
    """With settings added that make them short."""
    shorter = {
        "train.py": SMALL_TRAINING[1:],
        "interpolate.py": ["--gin_param=interpolate.num_points=3", "--gin_param=Sample.images=256"],
        "scripts/solutions.py": [],
    }
    for script, *arguments in _commands_on_digits():
        shorter_fit = ["--gin_param=Fitting.steps=20"] * any("cubic" in argument for argument in arguments)
        _check_written(commands.run(script, *arguments, *shorter[script], *shorter_fit, cwd=checkout), checkout)


@pytest.mark.slow
@pytest.mark.whole
def test_commands_on_digits_as_written(checkout):
    for arguments in _commands_on_digits():
        _check_written(_run(arguments, checkout), checkout)


def test_commands_at_the_papers_scale_ask_for_imagenet(commands, checkout, tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    of_imagenet = [command for command in _commands() if _is_paper_scale(command) and "train.py" in command]
    assert len(of_imagenet) == 4
    for command in of_imagenet:
        process = commands.start(*shlex.split(command)[1:], cwd=checkout)
        _, errors = process.communicate(timeout=600)  # the dry run has told its plan before
        assert process.returncode == 1
        assert errors.startswith(f"error: imagenet2012, version 5.1.0 or 5.0.0, is not prepared in {tmp_path}")
        assert errors.count("\n") == 1


def test_the_papers_paths_ask_for_their_ends(commands, checkout):
    of_imagenet = [command for command in _commands() if _is_paper_scale(command) and "--start" in command]
    assert len(of_imagenet) == 3
    for command in of_imagenet:
        error = commands.refuses(*shlex.split(command)[1:], cwd=checkout)
        assert re.fullmatch("error: runs/imagenet/(scratch|pruned)-seed0: no such checkpoint or run directory\n", error)


def test_the_sweeps_are_the_gin_files():
    """They take half an hour or days; tests/scripts/test_sweep.py runs a short one."""
    commands = [command for command in _commands() if "sweep.py" in command]
    assert commands == [
        f"python scripts/sweep.py --gin_file={path}" for path in ("gin/digits/sweep.gin", "gin/sweep.gin")
    ]


def test_the_study_of_curves_is_the_gin_files():
    """tests/scripts/test_curves.py runs a short one."""
    found = [re.search(r"--gin_file=(\S+)", command)[1] for command in _commands() if "curves.py" in command]
    assert found == ["gin/digits/curves.gin", "gin/curves.gin"]


def test_the_studies_are_the_gin_files(commands, checkout):
    """tests/scripts/test_reproduce.py runs a short one; the plan of the paper's is told."""
    whole, figure, paper = [command for command in _commands() if "reproduce.py" in command]
    assert figure == f"{whole} --only=figure4"
    assert whole == "python scripts/reproduce.py --gin_file=gin/digits/study.gin --output_dir=runs/study"
    assert "35 commands, 1 at a time" in commands.run(*shlex.split(paper)[1:], cwd=checkout)


@pytest.mark.parametrize("program", _blocks("python"), ids=["path of any model"])
def test_programs(commands, checkout, program):
    (checkout / "program.py").write_text(program)
    verdict = commands.run("program.py", cwd=checkout).splitlines()[-1]
    assert verdict in ("monotone", "barrier", "no_barrier", "undecided")


def test_make_targets_exist():
    targets = {line.split()[1] for block in _blocks("bash") for line in block.splitlines() if line.startswith("make ")}
    assert targets == {"demo", "test"}
    makefile = (ROOT / "Makefile").read_text()
    rules = re.findall(r"^([\w -]+):", makefile, re.MULTILINE)
    named = set(re.findall(r"`make ([\w-]+)`", README))  # in the text
    assert {"study", "attack", "fuzz", "docs"} <= named
    assert targets | named <= {name for rule in rules for name in rule.split()}


def test_links_and_pictures_are_there():
    for target in re.findall(r"\]\((?!https)([^)#]*)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("page", ["science", "paths", "scale", "costs"])
def test_other_pages_have_no_commands_of_their_own(page):
    text = (ROOT / "docs" / f"{page}.md").read_text()
    assert set(re.findall(r"^python .*$", text, re.MULTILINE)) <= set(_commands())
