"""Protects: that what is installed has all it needs: modules, entry scripts and gin files, and answers at once."""

import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

from tests.commands import ROOT

# What is not the project's own: .gitignore has it, too.
_MADE = shutil.ignore_patterns(
    ".git",
    ".venv*",
    ".bootstrap",
    "runs",
    "__pycache__",
    "*.egg-info",
    "build",
    "dist",
    "api",
    "_build",
    ".*_cache",
    ".hypothesis",
)


def _files(directory):
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of it, in which a build leaves what it leaves."""
    return shutil.copytree(ROOT, tmp_path_factory.mktemp("package") / "project", ignore=_MADE)


@pytest.fixture(scope="module")
def distributions(project):
    """The source distribution, and the wheel that is built from it."""
    before, written = _files(project), project.parent / "dist"
    subprocess.run([sys.executable, "-m", "build", "--outdir", written, project], check=True, capture_output=True)
    (source,), (wheel,) = written.glob("*.tar.gz"), written.glob("*.whl")
    return before, source, wheel


@pytest.fixture(scope="module")
def installed(distributions, tmp_path_factory):
    """Where the wheel is installed; what it depends on is that of this environment."""
    *_, wheel = distributions
    directory = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", directory, wheel]
    subprocess.run(command, check=True)
    return directory


@pytest.fixture
def call(installed, tmp_path):
    """Calls the console command of the installed package, in an empty directory."""

    def called(*arguments, status=0):
        process = subprocess.run(
            [sys.executable, installed / "bin/sparse-rigl-lands", *arguments],
            cwd=tmp_path,
            env={"PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == status, process.stderr
        return process.stdout + process.stderr

    return called


def test_the_source_distribution_is_the_project(distributions):
    files, source, _ = distributions
    with tarfile.open(source) as archive:
        found = {member.name.partition("/")[2] for member in archive if member.isfile()}
    made = {name for name in found if ".egg-info/" in name or name in ("PKG-INFO", "setup.cfg")}
    assert found - made == files


def test_the_wheel_has_the_package_the_scripts_and_the_gin_files(distributions):
    files, _, wheel = distributions
    of_package = {name for name in files if name.startswith("sparse_rigl_lands/") and not name.endswith("/BUILD")}
    beside = {name for name in files if name in ("train.py", "interpolate.py") or name.startswith("gin/")}
    beside |= {name for name in files if name.startswith("scripts/") and name.endswith(".py")}
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == of_package | {f"sparse_rigl_lands/project/{name}" for name in beside}


def test_installed_commands_find_their_gin_files(call, installed):
    assert call("--help").endswith(f"{installed}/sparse_rigl_lands/project/gin\n")
    reason = call("train", "--gin_file=gin/digits/lottery.gin", status=1)
    told = "make it first: sparse-rigl-lands train --gin_file=gin/digits/pruned.gin --seed=0"
    assert told in reason


@pytest.mark.slow
def test_installed_commands_start_each_other(call, tmp_path):
    """A study has its steps done by the scripts that were installed with it."""
    bindings = ["Recipe.steps=4", "WarmupStepDecay.warmup_steps=1", "WarmupStepDecay.drops=(2, 3)"]
    settings = {"sparsities": (), "zeroed_fractions": (0,), "seeds": (0,), "bindings": bindings}
    flags = [f"--gin_param=Sweep.{name}={value}" for name, value in settings.items()]
    output = call("sweep", "--gin_file=gin/digits/sweep.gin", "--output_dir=runs", *flags)
    assert "dense" in output
    assert (tmp_path / "runs/runs.csv").is_file()


def test_help_tells_of_every_command(call):
    for name in ("train", "interpolate", "reproduce", "sweep", "curves", "solutions", "check_images"):
        assert "--gin_file" in call(name, "--help")
