"""Protects: a file is written whole or not at all, by one process at a time, and a damaged one is named."""

import math
import re
import subprocess
import sys
from typing import Literal

import pytest
from typing_extensions import TypedDict

from sparse_rigl_lands import storage
from sparse_rigl_lands.errors import InputError


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "summary.json"
    storage.write_json(path, {"a": 1})
    monkeypatch.setattr(storage.os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        storage.write_json(path, {"a": 2})
    assert storage.read_json(path) == {"a": 1}


def test_on_a_full_disk_the_file_is_named(tmp_path):
    path = tmp_path / "summary.json"
    storage.partial(path).symlink_to("/dev/full")
    with pytest.raises(OSError, match="^cannot write .*/summary.json: No space left on device$"):
        storage.write_json(path, {"a": 1})
    assert not path.exists()


def test_not_a_number_is_not_json(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        storage.write_json(tmp_path / "x.json", {"a": float("nan")})
    assert not (tmp_path / "x.json").exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[1]",
        '{"a": 1',
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        f'{{"a": {2**63}}}',
        '{"a": "\\ud800"}',
        b"\xff",
        "[" * 100_000,
        "9" * 5000,
    ],
)
def test_a_damaged_json_file_is_named(tmp_path, content):
    (tmp_path / "path.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match="path.json is damaged"):
        storage.read_json(tmp_path / "path.json")


def test_a_lock_ends_with_its_process(tmp_path):
    program = (
        "import pathlib, sys, time; from sparse_rigl_lands import storage\n"
        "with storage.alone(pathlib.Path(sys.argv[1])):\n    print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE) as other:
        other.stdout.readline()  # it is at work
        with pytest.raises(InputError, match=f"another command is at work in {tmp_path}"):
            storage.alone(tmp_path).__enter__()
        other.kill()
    with storage.alone(tmp_path):
        pass


def test_what_is_not_as_declared_is_named(tmp_path):
    storage.write_json(tmp_path / "path.json", {"a": {"b": "text"}})
    assert storage.read_json(tmp_path / "path.json", dict[str, dict[str, str]]) == {"a": {"b": "text"}}
    with pytest.raises(InputError, match="path.json is damaged: a.b is 'text': Input should be a valid integer"):
        storage.read_json(tmp_path / "path.json", dict[str, dict[str, int]])


class _Place(TypedDict):
    t: float
    name: str


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"t": 1}, "it lacks name"),
        ({"t": True, "name": "x"}, "t is True: Input should be a valid number"),
        ({"t": "1", "name": "x"}, "t is '1': "),
        ({"t": 0.5, "name": ["x" * 100]}, f"name is ['{'x' * 38}...: "),
    ],
)
def test_the_first_fault_of_an_object_is_named(tmp_path, content, words):
    """Nothing is converted, but a whole number is a number; other keys may be there."""
    storage.write_json(tmp_path / "place.json", {"t": 1, "name": "x", "more": None})
    assert storage.read_json(tmp_path / "place.json", _Place) == {"t": 1, "name": "x", "more": None}
    storage.write_json(tmp_path / "place.json", content)
    with pytest.raises(InputError, match=f"place.json is damaged: {re.escape(words)}"):
        storage.read_json(tmp_path / "place.json", _Place)


def test_what_is_no_text_is_named(tmp_path):
    (tmp_path / "config.gin").write_bytes(b"\xff")
    with pytest.raises(InputError, match="config.gin is damaged: 'utf-8' codec"):
        storage.read_text(tmp_path / "config.gin")


class _Row(TypedDict):
    name: str
    kind: Literal["", "a"]
    step: int
    loss: float
    distance: float | None


_HEAD = "name,kind,step,loss,distance\n"


def _read_table(tmp_path, content, row=_Row):
    (tmp_path / "table.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return storage.read_table(tmp_path / "table.csv", row).to_dict("records")


def test_a_table_comes_back_as_declared(tmp_path):
    """Words stay words, whatever they look like; a cell may be empty where that was declared."""
    first, second = _read_table(tmp_path, _HEAD + "None,,7,1.5,\n007,a,8,2,0.25\n")
    assert first == {
        "name": "None",
        "kind": "",
        "step": 7,
        "loss": 1.5,
        "distance": pytest.approx(math.nan, nan_ok=True),
    }
    assert second == {"name": "007", "kind": "a", "step": 8, "loss": 2.0, "distance": 0.25}
    assert _read_table(tmp_path, "t,0.0\n0,1.5\n", dict[str, float]) == [{"t": 0, "0.0": 1.5}]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "No columns"),
        (_HEAD, "it has no rows"),
        ("\0", "it has no rows"),
        (b"\xff\xfe" + _HEAD.encode(), "codec can't decode"),
        (_HEAD + "x,a,1,2,3,4\n", "cells without a column"),
        (_HEAD + "x,a,1,2,3\nx,a,1,2,3,4\n", "Expected 5 fields in line 3, saw 6"),
        (_HEAD + 'x,a,1,2,"3\n', "EOF inside string"),
        ("name,kind,step,loss\nx,a,1,2\n", "it has no column distance"),
        (_HEAD + "x\n", "step is not whole numbers"),
        (_HEAD + "x,b,1,2,3\n", "a cell of kind is none of"),
        (_HEAD + "x,a,1.5,2,3\n", "step is not whole numbers"),
        (_HEAD + "x,a,,2,3\n", "step is not whole numbers"),
        (_HEAD + f"x,a,{10**19},2,3\n", "step is not whole numbers"),
        (_HEAD + "x,a,1,two,3\n", "loss is not finite numbers"),
        (_HEAD + "x,a,1,,3\n", "loss is not finite numbers"),
        (_HEAD + "x,a,1,nan,3\n", "loss is not finite numbers"),
        (_HEAD + "x,a,1,1e999,3\n", "loss is not finite numbers"),
        (_HEAD + "x,a,1,True,3\n", "loss is not finite numbers"),
        (_HEAD + "x,a,1,2,inf\n", "distance is not finite numbers"),
    ],
)
def test_a_damaged_table_is_named(tmp_path, content, words):
    with pytest.raises(InputError, match=f"table.csv is damaged: .*{re.escape(words)}") as refused:
        _read_table(tmp_path, content)
    assert "\n" not in str(refused.value)


def test_a_table_of_numbers_alone(tmp_path):
    with pytest.raises(InputError, match="0.5 is not finite numbers"):
        _read_table(tmp_path, "t,0.5\n0,x\n", dict[str, float])
