"""The index of a checkpoint, looked at before TensorFlow reads it.

TensorFlow trusts an index whose checksums are right: a shape that is none, a type that it does not know or an entry
that it cannot parse ends the process by a signal, and so does a string without end. Whatever an index says must
therefore fit the file of values first.

An index is a sorted table of LevelDB's format (TensorFlow's ``table_format.txt``): blocks of entries, one more block
that says where these lie, and a footer that says where that one lies. The value of the empty key is a
``BundleHeaderProto``, every other one a ``BundleEntryProto``. Checksums are left to TensorFlow.
"""

import math
import pathlib
import struct
from collections.abc import Iterator
from typing import BinaryIO

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto, BundleHeaderProto

from sparse_rigl_lands import files

MAGIC = bytes.fromhex("57fb808b247547db")  # the end of the footer
_FOOTER = 48  # bytes
_UNCOMPRESSED, _CHECKSUM = b"\0", 4  # what follows a block
_VARINT = 10  # bytes at most
_LONGEST_NAME = 4096  # an entry may repeat the name before it for the price of three bytes
_MOST_DIMENSIONS = 8


def check(prefix: pathlib.Path) -> None:
    """Checks that the index of a checkpoint is one, and that all that it names lies in the file of values.

    Args:
      prefix: of the checkpoint.

    Raises:
      OSError: one of its files cannot be read.
      ValueError: it does not.
    """
    data = files.data_file(prefix)
    left = data.stat().st_size
    with data.open("rb") as values:
        try:
            for name, value in entries(files.index_file(prefix).read_bytes()):
                if not name:
                    _check_header(BundleHeaderProto.FromString(value))
                    continue
                entry = BundleEntryProto.FromString(value)
                left -= entry.size  # no two share their bytes
                if not _is_whole(entry, values) or left < 0:
                    raise ValueError(f"the values of {name.decode()} are not as its index says")
        except DecodeError as error:
            raise ValueError(f"its index holds no descriptions of tensors: {error}") from error


def entries(index: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The names and descriptions that an index holds.

    Raises:
      ValueError: it is not a table.
    """
    footer = index[-_FOOTER:]
    if len(footer) < _FOOTER or not footer.endswith(MAGIC):
        raise ValueError("its index ends too early")
    _, place = _handle(footer, 0)  # of a block that is empty
    (start, size), _ = _handle(footer, place)
    before = 0
    for _, value in _entries_of_block(index, start, size):
        (start, size), _ = _handle(value, 0)
        if start < before:
            raise ValueError("the blocks of its index overlap")
        before = start + size
        yield from _entries_of_block(index, start, size)


def _check_header(header: BundleHeaderProto) -> None:
    if header.num_shards != 1 or header.endianness != BundleHeaderProto.LITTLE:
        raise ValueError("its values are not in one file, or not of this machine's byte order")


def _is_whole(entry: BundleEntryProto, values: BinaryIO) -> bool:
    """Whether an entry describes a tensor of as many bytes as it says, all of which are there."""
    shape = [dimension.size for dimension in entry.shape.dim]
    if entry.shard_id or entry.slices or entry.shape.unknown_rank or entry.offset < 0:
        return False
    if len(shape) > _MOST_DIMENSIONS or min(shape, default=1) < 1:
        return False
    try:
        dtype = tf.as_dtype(entry.dtype)
    except TypeError:
        return False
    if dtype == tf.string and not shape:  # its length, a checksum of that, and its characters
        values.seek(entry.offset)
        length, of_length = _varint(values.read(_VARINT), 0)
        size = of_length + _CHECKSUM + length
    elif dtype.is_bool or dtype in (tf.float32, tf.float64, tf.int32, tf.int64):
        size = math.prod(shape) * dtype.size
    else:
        return False
    return entry.size == size


def _entries_of_block(index: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a block; every key is told by how much of the one before it begins with."""
    block = index[start : start + size]
    if index[start + size : start + size + 1] != _UNCOMPRESSED or len(block) < 4:
        raise ValueError("a block of its index is cut off or compressed")
    (restarts,) = struct.unpack("<I", block[-4:])  # places at which keys are written whole, told after the entries
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise ValueError("a block of its index is damaged")
    place, key = 0, b""
    while place < end:
        shared, place = _varint(block, place)
        of_key, place = _varint(block, place)
        of_value, place = _varint(block, place)
        key = key[:shared] + block[place : place + of_key]
        place += of_key
        if shared + of_key != len(key) or place + of_value > end or len(key) > _LONGEST_NAME:
            raise ValueError("a block of its index is damaged")
        yield key, block[place : place + of_value]
        place += of_value


def _handle(content: bytes, place: int) -> tuple[tuple[int, int], int]:
    """Where a block starts and its size, and the place after these."""
    start, place = _varint(content, place)
    size, place = _varint(content, place)
    return (start, size), place


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """A whole number of seven bits per byte, the lowest first, and the place after it."""
    number = 0
    for i, byte in enumerate(content[place : place + _VARINT]):
        number |= (byte & 127) << 7 * i
        if byte < 128:
            return number, place + i + 1
    raise ValueError("a number of its index does not end")
