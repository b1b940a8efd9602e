"""Protects: no file of finished work is damaged without being named."""

import subprocess

import pytest

from sparse_rigl_lands import digests
from sparse_rigl_lands.errors import InputError


@pytest.fixture
def finished(tmp_path):
    """The digests and all files of finished work."""
    (tmp_path / "checkpoints").mkdir()
    files = [tmp_path / name for name in ("config.gin", "checkpoints/step_00000000.index", "absent.csv")]
    for path in files[:2]:
        path.write_text(f"what {path.name} holds")
    result = tmp_path / "summary.json"
    digests.finish(tmp_path / "sha256sums.txt", files, result, b"{}\n")
    assert result.read_bytes() == b"{}\n"
    return tmp_path / "sha256sums.txt", [*files, result]


def test_they_are_those_of_sha256sum(finished):
    sums, files = finished
    digests.check(sums, files)
    checked = subprocess.run(["sha256sum", "--check", sums.name], cwd=sums.parent, capture_output=True, text=True)
    assert checked.stdout.splitlines() == [
        f"{name}: OK" for name in ("config.gin", "checkpoints/step_00000000.index", "summary.json")
    ]


@pytest.mark.parametrize("name", ["config.gin", "checkpoints/step_00000000.index", "summary.json"])
@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: b"W" + content[1:], lambda _: None])
def test_a_damaged_or_missing_file_is_named(finished, name, damage):
    sums, files = finished
    path = sums.parent / name
    content = damage(path.read_bytes())
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=f"{path} is damaged: it is not what was written, going by sha256sums.txt"):
        digests.check(sums, files)


@pytest.mark.parametrize("cut", [0, 1, 70, -1, -100])
def test_damaged_digests_are_noticed(finished, cut):
    sums, files = finished
    content = sums.read_bytes()
    sums.write_bytes(content[:cut] + b"\xff" + content[cut + 1 :] if cut else b"")
    with pytest.raises(InputError, match="is damaged"):
        digests.check(sums, files)


def test_of_work_without_digests_nothing_is_known(finished):
    sums, files = finished
    sums.unlink()
    files[0].write_text("other")
    digests.check(sums, files)


def test_a_file_that_was_added_is_named(finished):
    sums, files = finished
    files[2].write_text("a table that was not there")
    with pytest.raises(InputError, match="absent.csv is damaged"):
        digests.check(sums, files)


def test_of_those_that_are_read_alone_others_may_be_damaged_or_missing(finished):
    sums, files = finished
    files[1].unlink()
    digests.check(sums, files[:1], are_all=False)
    files[0].write_text("other")
    with pytest.raises(InputError, match="config.gin is damaged"):
        digests.check(sums, files[:1], are_all=False)
