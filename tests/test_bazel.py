"""Protects: that Bazel knows every module and test, and that what a target declares is what it imports.

scripts/bazel_test.sh runs Bazel itself. A BUILD file is also Python: here it is run with rules that only take notes.
"""

import ast
import collections
import functools
import pathlib
import re

import pytest

from tests.commands import ROOT

_WITH_CODE = ("sparse_rigl_lands", "scripts", "benchmarks", "docs", "tests")
_RUN_BY_EVERY_TEST = "tests/run_pytest.py"
_NOT_IMPORTED = {"//:commands", "//tests:studies/shared"}  # programs that a test starts, and fixtures that it is given


def _label(label, package):
    """In full: ``//package:name``."""
    if label.startswith(":"):
        return f"//{package}{label}"
    return label if ":" in label else f"{label}:{label.rpartition('/')[-1]}"


@functools.cache
def _targets():
    """The targets of all BUILD files by label: their sources, and the labels of what they need."""
    targets = {}
    for build in (ROOT / "BUILD", *(path for name in _WITH_CODE for path in (ROOT / name).rglob("BUILD"))):
        package = "" if build.parent == ROOT else str(build.parent.relative_to(ROOT))

        def files(patterns, exclude=(), exclude_directories=1, here=build.parent):
            found = {path for pattern in patterns for path in here.glob(pattern) if path.is_file()}
            return sorted(str(path.relative_to(here)) for path in found if path.name not in exclude)

        def rule(name, srcs=(), deps=(), package=package, **_):
            label = f"//{package}:{name}"
            assert label not in targets, f"{label} is declared twice"
            sources = {str(pathlib.PurePath(package, source)) for source in srcs}
            targets[label] = sources, {_label(each, package) for each in deps}

        def pytest_test(name, deps=(), rule=rule, **_):
            rule(name, [f"{name}.py"], [*deps, ":shared"])

        rules = {"py_library": rule, "py_binary": rule, "pytest_test": pytest_test, "glob": files}
        others = dict.fromkeys(("load", "package", "filegroup", "exports_files"), lambda *_, **__: None)
        exec(compile(build.read_text(), build, "exec"), {**rules, **others})
    return targets


def _modules():
    """All Python files of the project, as paths from its root."""
    found = [*ROOT.glob("*.py"), *(path for name in _WITH_CODE for path in (ROOT / name).rglob("*.py"))]
    return {str(path.relative_to(ROOT)) for path in found} - {_RUN_BY_EVERY_TEST}


@functools.cache
def _owners():
    """The labels that have a file among their sources, by file."""
    owners = collections.defaultdict(set)
    for label, (sources, _) in _targets().items():
        for source in sources:
            owners[source].add(label)
    return owners


def _imported(source):
    """The files of the project that a file imports."""
    for node in ast.walk(ast.parse((ROOT / source).read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            module, member = name.replace(".", "/"), name.rpartition(".")[0].replace(".", "/")
            for path in (f"{module}.py", f"{module}/__init__.py", f"{member}.py", f"{member}/__init__.py"):
                if (ROOT / path).is_file():
                    yield path
                    break


def test_every_python_file_is_in_one_target():
    owners = _owners()
    assert {file: owners[file] for file in _modules() if len(owners[file]) != 1} == {}
    assert set(owners) - _modules() == set()


@pytest.mark.parametrize("label", [label for label, (sources, _) in _targets().items() if sources])
def test_a_target_declares_what_it_imports_and_nothing_else(label):
    sources, declared = _targets()[label]
    owners = _owners()
    needed = {owner for source in sources for file in _imported(source) for owner in owners[file]} - {label}
    shared = {"//tests:shared"} if re.search(r"//tests:(.*/)?test_", label) else set()
    assert declared - _NOT_IMPORTED == (needed | shared) - _NOT_IMPORTED


def test_every_target_that_is_needed_is_declared():
    for label, (_, declared) in _targets().items():
        assert declared <= set(_targets()), label
