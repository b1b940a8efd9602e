"""Protects: the file that names photographs to skip, as it is written and read."""

import pytest

from sparse_rigl_lands.data.skipped import read_skipped, write_skipped
from sparse_rigl_lands.errors import InputError


def test_round_trip(tmp_path):
    skipped = {"train": {"file-0": ["a.jpg", "b.jpg"]}, "test": {}}
    write_skipped(tmp_path / "skip.json", skipped)
    assert read_skipped(str(tmp_path / "skip.json")) == skipped


_OTHERS = [
    "[]",
    "{}",
    '{"train": {}}',
    '{"train": [], "test": {}}',
    '{"train": {"f": "x"}, "test": {}}',
    '{"train": {"f": [1]}, "test": {}}',
]


@pytest.mark.parametrize("content", _OTHERS)
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "skip.json").write_text(content)
    with pytest.raises(InputError, match="skip.json"):
        read_skipped(str(tmp_path / "skip.json"))


def test_a_missing_file_is_told_with_what_writes_it(tmp_path):
    with pytest.raises(InputError, match="is not there; scripts/check_images.py writes it"):
        read_skipped(str(tmp_path / "none.json"))
