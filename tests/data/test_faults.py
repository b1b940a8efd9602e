"""Protects: damage within an image, which TensorFlow makes grey without a word, is found; a whole one is not blamed."""

import struct
import zlib

import pytest

from sparse_rigl_lands.data.faults import fault_of
from tests.data.tree import encoded


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_damaged_photographs(mode):
    whole = encoded(3, "JPEG", mode, (200, 256))
    n = len(whole)
    assert fault_of(whole) == ""
    assert "Corrupt JPEG data" in fault_of(whole[: n // 3] + bytes(n // 6) + whole[n // 2 :])
    assert "Premature end" in fault_of(whole[: n * 8 // 10])
    assert "premature end" in fault_of(whole[: n * 8 // 10] + b"\xff\xd9")


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_other_kinds(kind):
    whole = encoded(3, kind)
    assert fault_of(whole) == ""
    assert fault_of(whole[: len(whole) // 2])


def test_more_pixels_than_anyone_has():
    """A few bytes can ask for gigabytes."""
    whole = encoded(3, "PNG")
    start = whole.index(b"IHDR")
    header = b"IHDR" + struct.pack(">II", 60_000, 60_000) + whole[start + 12 : start + 17]
    changed = whole[:start] + header + struct.pack(">I", zlib.crc32(header)) + whole[start + 21 :]
    assert "decompression bomb" in fault_of(changed)


@pytest.mark.parametrize("content", [b"", b"no image", b"\xff\xd8\xff no image"])
def test_what_is_no_image(content):
    assert fault_of(content)
