"""Protects: what a damaged index says ends no process, though its checksums are right, and takes no memory."""

import struct

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto, BundleHeaderProto

from sparse_rigl_lands import files
from sparse_rigl_lands.points import bundle
from tests.fuzz import tables

KERNEL, ORIGIN = b"kernel/.ATTRIBUTES/VARIABLE_VALUE", b"origin/.ATTRIBUTES/VARIABLE_VALUE"


@pytest.fixture
def saved(tmp_path):
    values = {"kernel": np.ones((3, 4), "float32"), "live": np.ones((3, 4), bool), "steps": np.array(5)}
    tf.train.Checkpoint(origin=tf.Variable("é" * 200), **{n: tf.Variable(v) for n, v in values.items()}).write(
        str(tmp_path / "saved")
    )
    return tmp_path / "saved"


@pytest.fixture
def rewrite(saved):
    """Changes what the index says of a tensor; its checksums are right."""

    def rewrite(name, change):
        index = files.index_file(saved)
        entries = dict(bundle.entries(index.read_bytes()))
        entry = BundleEntryProto.FromString(entries[name])
        change(entry)
        index.write_bytes(tables.index_of({**entries, name: entry.SerializeToString()}.items()))

    return rewrite


def _set(**fields):
    def change(entry):
        for name, value in fields.items():
            setattr(entry, name, value)

    return change


def _shape(*sizes):
    def change(entry):
        del entry.shape.dim[:]
        for size in sizes:
            entry.shape.dim.add(size=size)

    return change


def test_what_tensorflow_writes_is_whole(saved):
    bundle.check(saved)
    names = {name for name, _ in bundle.entries(files.index_file(saved).read_bytes())}
    assert {b"", KERNEL, ORIGIN} < names


def test_many_names_are_several_blocks(tmp_path):
    names = [f"layer{i}/{'x' * 90}" for i in range(3000)]
    tf.train.Checkpoint(of={name: tf.Variable(0.0) for name in names}).write(str(tmp_path / "many"))
    bundle.check(tmp_path / "many")
    assert len(list(bundle.entries(files.index_file(tmp_path / "many").read_bytes()))) == len(names) + 2


@pytest.mark.parametrize(
    "change",
    [
        _shape(-1, 4),
        _shape(2**62, 2**62),
        _shape(*[1] * 300),
        _shape(2**40),
        _shape(0, 2**62),
        _set(dtype=0),
        _set(dtype=999),
        _set(dtype=tf.string.as_datatype_enum),
        _set(dtype=tf.variant.as_datatype_enum),
        _set(offset=-5),
        _set(size=2**40),
        _set(size=-48),
        _set(shard_id=1),
        lambda entry: setattr(entry.shape, "unknown_rank", True),
        lambda entry: entry.slices.add().extent.add(start=0),
    ],
)
def test_a_tensor_that_cannot_be_is_named(saved, rewrite, change):
    """TensorFlow would end the process for some of these, and make room for others."""
    rewrite(KERNEL, change)
    with pytest.raises(ValueError, match="the values of kernel/.* are not as its index says"):
        bundle.check(saved)


def test_a_string_without_end_is_named(saved):
    data = files.data_file(saved)
    entry = BundleEntryProto.FromString(dict(bundle.entries(files.index_file(saved).read_bytes()))[ORIGIN])
    beginning = tables.length_of_string(2**62)
    content = data.read_bytes()
    data.write_bytes(content[: entry.offset] + beginning + content[entry.offset + len(beginning) :])
    with pytest.raises(ValueError, match="the values of origin/.* are not as its index says"):
        bundle.check(saved)


def test_two_tensors_cannot_share_their_bytes(saved):
    index = files.index_file(saved)
    entries = dict(bundle.entries(index.read_bytes()))
    copies = {KERNEL + b"%d" % i: entries[KERNEL] for i in range(1000)}  # of a large tensor: memory without end
    index.write_bytes(tables.index_of(sorted({**entries, **copies}.items())))
    with pytest.raises(ValueError, match="are not as its index says"):
        bundle.check(saved)


@pytest.mark.parametrize(
    ("value", "name"), [(b"\xff", KERNEL), (b"\xff", b""), (BundleHeaderProto(num_shards=9).SerializeToString(), b"")]
)
def test_what_is_no_description_is_told(saved, value, name):
    index = files.index_file(saved)
    index.write_bytes(tables.index_of({**dict(bundle.entries(index.read_bytes())), name: value}.items()))
    with pytest.raises(ValueError, match="its index holds no descriptions of tensors|its values are not in one file"):
        bundle.check(saved)


def _of_block(entries, restarts=1):
    return tables.index_of_block(entries + struct.pack("<II", 0, restarts))


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (b"", "ends too early"),
        (bundle.MAGIC, "ends too early"),
        (_of_block(b"")[:-1], "ends too early"),
        (b"\xff" * 40 + bundle.MAGIC, "a number of its index does not end"),
        (_of_block(b"")[-48:], "is cut off or compressed"),
        (_of_block(b"", restarts=2**31), "is damaged"),
        (_of_block(b"\x01\x00\x00"), "is damaged"),  # a name that begins as the one before it, which is none
        (_of_block(b"\x00\x7f\x00"), "is damaged"),  # one that is longer than the block
        (_of_block(b"\x00\x00\x7f"), "is damaged"),  # a description that is
        (_of_block(b"\xff" * 11), "a number of its index does not end"),
        (tables.index_of([(b"x" * 4097, b"")]), "is damaged"),
    ],
)
def test_what_is_no_table_is_told(index, words):
    with pytest.raises(ValueError, match=words):
        list(bundle.entries(index))


def test_blocks_that_overlap_are_told():
    """They could repeat the same names without end."""
    assert len(list(bundle.entries(tables.index_of([(b"name", b"")])))) == 1
    with pytest.raises(ValueError, match="the blocks of its index overlap"):
        list(bundle.entries(tables.index_of([(b"name", b"")], times=2)))
