"""Protects: sums that are taken up again have the very bits of those that were never put down."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.partial_sums import PartialSums, Saving, added_up

ITEMS = 7


def _increments(first, killed_after=None):
    for i in range(first, ITEMS):
        if i == killed_after:
            raise KeyboardInterrupt
        random = np.random.default_rng(i)
        yield {"a": random.normal(size=(2, 3)), "b": random.normal() * 10.0**i}


UNDISTURBED = added_up(_increments(0))


@given(st.lists(st.integers(0, ITEMS - 1), max_size=4), st.sampled_from([0.0, 1e9]))
def test_killed_at_any_items(tmp_path_factory, kills, save_every):
    """Whether every item was saved or, for want of time, none."""
    path = tmp_path_factory.mktemp("sums") / "sums.npz"
    for kill in kills:
        with pytest.raises(KeyboardInterrupt):
            PartialSums(path, Saving(save_every)).add_until(
                ITEMS, lambda first, kill=kill: _increments(first, max(first, kill))
            )
    sums = PartialSums(path, Saving(save_every)).add_until(ITEMS, _increments)
    for name, expected in UNDISTURBED.items():
        np.testing.assert_array_equal(sums[name], expected)


def test_what_is_done_is_not_done_again(tmp_path):
    saved = PartialSums(tmp_path / "sums.npz", Saving(0.0))
    with pytest.raises(KeyboardInterrupt):
        saved.add_until(ITEMS, lambda first: _increments(first, killed_after=3))
    again = PartialSums(tmp_path / "sums.npz", Saving(0.0))
    assert again.items == 3
    again.add_until(5, _increments)
    assert PartialSums(tmp_path / "sums.npz", Saving(0.0)).items == 5
    assert [path.name for path in tmp_path.iterdir()] == ["sums.npz"]


def test_growing_in_steps_is_adding_at_once(tmp_path):
    saved = PartialSums(tmp_path / "sums.npz", Saving(0.0))
    for items in (2, 2, 5, ITEMS):
        sums = saved.add_until(items, _increments)
    np.testing.assert_array_equal(sums["a"], UNDISTURBED["a"])


@pytest.mark.parametrize("damage", [lambda content: content[:100], lambda content: b"", lambda content: b"text" * 50])
def test_a_damaged_file_is_named(tmp_path, damage):
    path = tmp_path / "sums.npz"
    PartialSums(path, Saving(0.0)).add_until(2, _increments)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match="sums.npz is damaged"):
        PartialSums(path, Saving(0.0))


class _LeavesATrace:
    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return open, (self._path, "w")


def test_nothing_is_unpickled(tmp_path):
    path, trace = tmp_path / "sums.npz", tmp_path / "trace"
    np.savez(path, items=np.array(_LeavesATrace(str(trace)), dtype=object))
    with pytest.raises(InputError, match="sums.npz is damaged"):
        PartialSums(path, Saving(0.0))
    assert not trace.exists()
    np.load(path, allow_pickle=True)["items"].item().close()  # as it would have been
    assert trace.exists()


def _with_head(head):
    """The array of a file, with another description of it."""
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "<f8", "fortran_order": False, "shape": (1,)})
    padded = head.encode().ljust(len(content.getvalue()) - 11) + b"\n"
    return content.getvalue()[:10] + padded + bytes(8)


@pytest.mark.parametrize(
    "head",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,)}",  # 8 TB
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|S8', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}",
    ],
)
def test_an_array_that_is_not_what_was_saved_is_refused(tmp_path, head):
    path = tmp_path / "sums.npz"
    np.savez(path, items=np.array(3))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("a.npy", _with_head(head))
    with pytest.raises(InputError, match="sums.npz is damaged"):
        PartialSums(path, Saving(0.0))


@pytest.mark.parametrize(
    ("arrays", "words"),
    [({"a": np.zeros(3)}, "'items'"), ({"items": np.array(-1)}, "no sums"), ({"items": np.zeros(2)}, "")],
)
def test_a_file_without_its_count_is_refused(tmp_path, arrays, words):
    np.savez(tmp_path / "sums.npz", **arrays)
    with pytest.raises(InputError, match=f"sums.npz is damaged: .*{words}"):
        PartialSums(tmp_path / "sums.npz", Saving(0.0))


def test_a_compressed_file_is_refused(tmp_path):
    """A hundred kilobytes could become a hundred megabytes."""
    np.savez_compressed(tmp_path / "sums.npz", a=np.zeros(10**7), items=np.array(1))
    with pytest.raises(InputError, match="sums.npz is damaged: it is compressed or encrypted"):
        PartialSums(tmp_path / "sums.npz", Saving(0.0))


def test_an_encrypted_file_is_refused(tmp_path):
    path = tmp_path / "sums.npz"
    np.savez(path, items=np.array(1))
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # the flags of what the directory of the archive names
    path.write_bytes(content)
    with pytest.raises(InputError, match="sums.npz is damaged: it is compressed or encrypted"):
        PartialSums(path, Saving(0.0))


def test_a_single_array_is_no_archive(tmp_path):
    np.save(tmp_path / "sums.npy", np.zeros(3))
    with pytest.raises(InputError, match="sums.npy is damaged"):
        PartialSums(tmp_path / "sums.npy", Saving(0.0))


@pytest.mark.parametrize("sums", [{"a": np.zeros((2, 4)), "b": np.array(0.0)}, {"a": np.zeros((2, 3))}])
def test_sums_of_another_path_are_not_added_to(tmp_path, sums):
    np.savez(tmp_path / "sums.npz", **sums, items=np.array(1))
    with pytest.raises(InputError, match="sums.npz is damaged: its sums are not of this path"):
        PartialSums(tmp_path / "sums.npz", Saving(0.0)).add_until(2, _increments)
