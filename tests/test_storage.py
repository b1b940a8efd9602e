"""Protects: a file is written whole or not at all, by one process at a time, and a damaged one is named."""

import subprocess
import sys

import pytest

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


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": 1'])
def test_a_damaged_json_file_is_named(tmp_path, content):
    (tmp_path / "path.json").write_text(content)
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
