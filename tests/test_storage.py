"""Protects: a file is written whole or not at all, and a damaged one is named."""

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


def test_not_a_number_is_not_json(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        storage.write_json(tmp_path / "x.json", {"a": float("nan")})
    assert not (tmp_path / "x.json").exists()


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": 1'])
def test_a_damaged_json_file_is_named(tmp_path, content):
    (tmp_path / "path.json").write_text(content)
    with pytest.raises(InputError, match="path.json is damaged"):
        storage.read_json(tmp_path / "path.json")
