"""Protects: no file that a person or a killed process may have left ends in a traceback, and none is executed.

The same readers as of ``make fuzz``, with changes that hypothesis finds, and a few of every kind.
"""

import ast
import os
import subprocess

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from sparse_rigl_lands.points import checkpoint
from tests.commands import ROOT
from tests.fuzz import __main__ as fuzz
from tests.fuzz import bounds, corpus, mutations
from tests.fuzz.corpus import Corpus
from tests.fuzz.targets import REFUSED, TARGETS

_PACKAGE = ROOT / "sparse_rigl_lands"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    directory = tmp_path_factory.mktemp("fuzz") / "corpus"
    corpus.make(directory)
    return Corpus(directory)


@pytest.fixture
def target(made, request):
    """A reader and its real input, which is put back afterwards."""
    target = TARGETS[request.param]
    seed = target.seed(made)
    yield target, seed
    target.put(made, seed)
    assert "TF_CONFIG" not in os.environ  # else every command of later tests would wait for other workers


def _told(reader, made, content):
    """In what words an input is refused; None where it is not."""
    try:
        reader(made, content)
    except REFUSED as error:
        return str(error)


@pytest.mark.parametrize("target", TARGETS, indirect=True)
def test_real_files_are_read(made, target):
    """Else nothing behind the first check would be reached."""
    reader, seed = target
    assert _told(reader, made, seed) is None


@pytest.mark.parametrize("target", TARGETS, indirect=True)
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], max_examples=15)
@hypothesis.given(st.randoms(use_true_random=False), st.integers(1, 3))
def test_changed_files_are_read_or_refused_with_a_reason(made, target, chance, changes):
    reader, content = target
    for _ in range(changes):
        content = reader.mutation(content, chance)
    told = _told(reader, made, content)
    assert told is None or told.strip()


@pytest.mark.parametrize("target", ["checkpoint"], indirect=True)
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], max_examples=300)
@hypothesis.given(st.floats(0, 1, exclude_max=True), st.sampled_from([None, *range(8)]), st.booleans())
def test_no_damage_of_a_checkpoint_goes_unnoticed(made, target, place, bit, is_index):
    """Truncated, or one bit flipped, anywhere in either of its files."""
    reader, seed = target
    parts = list(mutations.parted(seed))  # the index, then the values
    changed = bytearray(parts[not is_index])
    start = int(place * len(changed))
    if bit is None:
        del changed[start:]
    else:
        changed[start] ^= 1 << bit
    parts[not is_index] = bytes(changed)
    told = _told(reader, made, mutations.joined(*parts))
    if told is None:  # what nobody reads, such as the padding of the index's footer
        assert is_index
        found = checkpoint.load(made.checkpoint)
        reader.put(made, seed)
        assert found.point.digest() == checkpoint.load(made.checkpoint).point.digest()
    else:
        assert str(made.checkpoint) in told


def test_nothing_read_is_executed_or_unpickled():
    """Gin files alone are code, and NumPy is told each time to unpickle nothing."""
    forbidden = {"eval", "exec", "compile", "__import__", "yaml.load", "pd.read_pickle", "runpy.run_path"}
    paths = [*_PACKAGE.rglob("*.py"), *ROOT.glob("*.py"), *(ROOT / "scripts").glob("*.py")]
    paths.remove(_PACKAGE / "console.py")  # runs the entry scripts, which are the project's own
    for path in paths:
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
                assert not names & {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "yaml"}, path
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in forbidden, path
                if name == "np.load":
                    unpickles = [each.value for each in node.keywords if each.arg == "allow_pickle"]
                    assert [ast.unparse(value) for value in unpickles] == ["False"], path


@pytest.mark.parametrize(
    ("left", "status", "inputs", "told"),
    [
        ((), 0, 10, {}),
        (("timeout-x",), 70, 4, {"hangs": 1}),
        (("oom-x",), 71, 4, {"too_large": 1}),
        (("crash-x",), 77, 4, {"crashes": 1}),
        ((), -6, 4, {"crashes": 1}),
        ((), 0, 4, {"crashes": 1}),
        (("traceback-1",), 0, 10, {"tracebacks": 1}),
    ],
)
def test_what_a_process_leaves_is_told(tmp_path, monkeypatch, left, status, inputs, told):
    (tmp_path / "corpus").mkdir()
    found = tmp_path / "found"

    def run(command, **_):
        counts = np.memmap(found / "counts", "int64", "r+", shape=len(bounds.COUNTS))
        counts[:] = [inputs, inputs, 0, len([name for name in left if name.startswith("traceback")]), 700]
        for name in left:
            (found / name).touch()
        return subprocess.CompletedProcess(command, status)

    monkeypatch.setattr(fuzz.subprocess, "run", run)
    outcome = fuzz._fuzz("skip.json", 10, 0, tmp_path / "corpus", found)
    bad = {name: getattr(outcome, name) for name in ("tracebacks", "hangs", "too_large", "crashes")}
    assert bad == {"tracebacks": 0, "hangs": 0, "too_large": 0, "crashes": 0, **told}
    assert outcome.is_good == (not told)


def test_one_input_is_read_again(made, tmp_path):
    (tmp_path / "input").write_bytes(b"{}")
    assert "does not name photographs" in fuzz._read_one("skip.json", Corpus(made.directory), tmp_path / "input")
    (tmp_path / "input").write_bytes(TARGETS["path.json"].seed(made))
    assert fuzz._read_one("path.json", Corpus(made.directory), tmp_path / "input") == "accepted"
