"""Protects: the file that names photographs to skip, as it is written and read."""

import pytest

from sparse_rigl_lands.data.skipped import read_skipped, write_skipped
from sparse_rigl_lands.errors import InputError


def test_round_trip(tmp_path):
    skipped = {"train": {"file-0": ["a.jpg", "b.jpg"]}, "test": {}}
    write_skipped(tmp_path / "skip.json", skipped)
    assert read_skipped(str(tmp_path / "skip.json")) == skipped


_OTHERS = {
    "[]": "holds no JSON object",
    "{}": "it has the splits none",
    '{"train": {}}': "it has the splits train",
    '{"train": {}, "test": {}, "validation": {"f": ["x"]}}': "validation",
    '{"train": [], "test": {}}': r"train is \[\]",
    '{"train": {"f": "x"}, "test": {}}': "train.f is 'x'",
    '{"train": {"f": [1]}, "test": {}}': "train.f.0 is 1",
}


@pytest.mark.parametrize(("content", "fault"), _OTHERS.items())
def test_other_files_are_refused(tmp_path, content, fault):
    (tmp_path / "skip.json").write_text(content)
    with pytest.raises(InputError, match=f"skip.json is damaged: .*{fault}.*; it does not name photographs by split"):
        read_skipped(str(tmp_path / "skip.json"))


def test_a_missing_file_is_told_with_what_writes_it(tmp_path):
    with pytest.raises(InputError, match="is not there; scripts/check_images.py writes it"):
        read_skipped(str(tmp_path / "none.json"))
