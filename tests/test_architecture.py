"""Protects the house: imports go downward only, entry scripts are short, gin files are headed."""

import ast

import pytest

from tests.commands import ROOT

PACKAGE = ROOT / "sparse_rigl_lands"
ROOMS = ["data", "networks", "sparsity", "points", "training", "paths", "studies", "reporting"]  # from the ground up
COMMON = {
    "files",
    "directory",
    "project",
    "gin_files",
    "storage",
    "digests",
    "distribution",
    "devices",
    "environment",
    "replicas",
    "progress",
    "preemption",
    "workers",
    "seeds",
    "checks",
    "errors",
}


def _imported_modules(path):
    """The full names of what a file imports, module or member."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _imports(path):
    """The rooms and common modules of the package that a file imports."""
    return {name.split(".")[1] for name in _imported_modules(path) if name.startswith("sparse_rigl_lands.")}


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_downward_only(room):
    below = set(ROOMS[: ROOMS.index(room) + 1])
    for path in (PACKAGE / room).glob("*.py"):
        assert _imports(path) <= below | COMMON, path


def test_what_every_room_uses_imports_no_room():
    for name in COMMON:
        assert _imports(PACKAGE / f"{name}.py") <= COMMON - {name}, name


@pytest.mark.parametrize("script", [*ROOT.glob("*.py"), *(ROOT / "scripts").glob("*.py")], ids=str)
def test_entry_scripts_are_short_and_tested(script):
    assert len(script.read_text().splitlines()) <= 80
    relative = script.relative_to(ROOT)
    assert (ROOT / "tests" / relative.parent / f"test_{relative.name}").exists()


def test_keras_is_imported_by_its_own_name():
    """tf.keras is another Keras, unless an environment variable says otherwise before the first import."""
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "benchmarks").glob("*.py"), *(ROOT / "tests").rglob("*.py")]:
        names = {ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert "tf.keras" not in names, path
        assert not {name for name in _imported_modules(path) if name.startswith(("tensorflow.keras", "keras"))}, path


def test_every_module_has_its_tests():
    modules = {str(path.relative_to(PACKAGE).with_suffix("")) for path in PACKAGE.rglob("*.py")}
    modules = {module for module in modules if not module.endswith("__init__")}
    tests = ROOT / "tests"
    tested = {str((path.parent / path.stem.removeprefix("test_")).relative_to(tests)) for path in tests.rglob("*.py")}
    # an interface is tested through what fills it
    through_others = {"errors", "data/photographs", "networks/residual", "paths/layers"}
    through_others |= {"training/loop", "training/methods", "training/trainer"}
    through_others |= {"paths/requirements", "paths/evaluated_path", "reporting/panels"}
    assert modules - tested == through_others


_SHARED = {"workload", "curve"}  # included by others, never run by themselves
_PATHS = {"line", *(f"{degree}_{manifold}" for degree in ("quadratic", "cubic") for manifold in ("sparse", "dense"))}
_COMMANDS = {
    "sweep": "python scripts/sweep.py",
    "curves": "python scripts/curves.py",
    **dict.fromkeys(("study", "demo"), "python scripts/reproduce.py"),
    **dict.fromkeys(_PATHS, "python interpolate.py"),
}


@pytest.mark.parametrize("path", [p for p in (ROOT / "gin").rglob("*.gin") if p.stem not in _SHARED], ids=str)
def test_gin_files_say_command_hardware_time_and_what_to_expect(path):
    heading = path.read_text().split("\n\n")[0]
    assert _COMMANDS.get(path.stem, "python train.py") in heading
    for words in (f"--gin_file={path.relative_to(ROOT)}", "Hardware:", "Time:", "Expect:", "Source:"):
        assert words in heading
