"""The index of a checkpoint, written with whatever it shall hold: checksums that are right, of content that is not."""

import struct
from collections.abc import Iterable

from google.protobuf.message import DecodeError
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorflow.core.framework.types_pb2 import DT_STRING
from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto

from sparse_rigl_lands.points import bundle


def index_of(entries: Iterable[tuple[bytes, bytes]], times: int = 1) -> bytes:
    """An index with these names and descriptions, in one block that it names once, or more often."""
    return index_of_block(_block(entries), times)


def index_of_block(block: bytes, times: int = 1) -> bytes:
    """An index of one block, whatever that holds."""
    of_entries, empty = _sealed(block), _sealed(_block([]))
    places = _sealed(_block([(b"\xff", _handle(0, of_entries))] * times))
    footer = _handle(len(of_entries), empty) + _handle(len(of_entries + empty), places)
    return of_entries + empty + places + footer.ljust(40, b"\0") + bundle.MAGIC


def with_right_checksums(index: bytes, data: bytes) -> bytes:
    """The same index, as far as it is one, but with the checksums of what it and its values hold."""
    try:
        entries = list(bundle.entries(index))
    except ValueError:
        return index
    return index_of((name, _of_values(value, data) if name else value) for name, value in entries)


def length_of_string(length: int) -> bytes:
    """How the values of a string that is this long begin."""
    return _varint(length) + struct.pack("<I", masked_crc32c(struct.pack("<I" if length < 2**32 else "<Q", length)))


def _of_values(value: bytes, data: bytes) -> bytes:
    try:
        entry = BundleEntryProto.FromString(value)
    except DecodeError:
        return value
    values = data[max(entry.offset, 0) :][: max(entry.size, 0)]
    if entry.dtype == DT_STRING:  # of its length as a number of four bytes, the checksum of that, and the characters
        varint = next((i + 1 for i, byte in enumerate(values) if byte < 128), 0)
        length = max(len(values) - varint - 4, 0)
        values = struct.pack("<I", length) + values[varint:]
    entry.crc32c = masked_crc32c(values)
    return entry.SerializeToString()


def _block(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    content = b"".join(
        _varint(0) + _varint(len(key)) + _varint(len(value)) + key + value for key, value in entries
    )  # no key shares anything with the one before
    return content + struct.pack("<II", 0, 1)


def _sealed(block: bytes) -> bytes:
    return block + b"\0" + struct.pack("<I", masked_crc32c(block + b"\0"))


def _handle(start: int, sealed: bytes) -> bytes:
    return _varint(start) + _varint(len(sealed) - 5)


def _varint(number: int) -> bytes:
    content = []
    while number > 127:
        content.append(number & 127 | 128)
        number >>= 7
    return bytes([*content, number])
