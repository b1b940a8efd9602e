"""Protects: a training order that does not depend on who reads it, and that can be entered anywhere."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from sparse_rigl_lands.data.record_order import RecordOrder
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.replicas import WHOLE, Share

FILES, LENGTH = 12, 6  # record r of file f is 100 f + r


def _open(files):
    return tf.data.Dataset.from_tensor_slices(files).flat_map(
        lambda file: tf.data.Dataset.range(LENGTH).map(lambda r: 100 * tf.cast(file, tf.int64) + r)
    )


def _order(lanes=4, files_per_group=2):
    return RecordOrder(range(FILES), np.full(FILES, LENGTH), _open, lanes, files_per_group)


def _first(dataset, count):
    """Epochs and records, [2, count]."""
    return np.array(list(itertools.islice(dataset.as_numpy_iterator(), count))).T


@pytest.mark.parametrize("lanes", [1, 4])
def test_an_epoch_of_a_lane_holds_each_of_its_records_once(lanes):
    epochs, records = _first(_order(lanes).records(0, 12, 0, WHOLE), 3 * FILES * LENGTH)
    of_lane = records // 100 % lanes
    np.testing.assert_array_equal(of_lane.reshape(-1, 12), np.tile(np.repeat(np.arange(lanes), 12 // lanes), (18, 1)))
    for lane, epoch in itertools.product(range(lanes), range(3)):
        found = records[(of_lane == lane) & (epochs == epoch)]
        expected = [100 * file + r for file in range(lane, FILES, lanes) for r in range(LENGTH)]
        assert sorted(found) == expected


def test_orders_differ_by_epoch_lane_and_key():
    of_key = [_first(_order().records(key, 4, 0, WHOLE), 3 * FILES * LENGTH)[1] for key in (0, 1)]
    orders = set()  # of the records of a lane, each told by its place among them
    for records, lane, epoch in itertools.product(of_key, range(4), range(3)):
        of_lane = records.reshape(3, 18, 4)[epoch, :, lane]
        orders.add(tuple(of_lane // 400 * LENGTH + of_lane % 100))
    assert len(orders) == 2 * 4 * 3


def test_every_group_is_shuffled_in_its_own_way():
    _, records = _first(_order(lanes=1, files_per_group=1).records(0, 1, 0, WHOLE), FILES * LENGTH)
    assert len({tuple(group % 100) for group in records.reshape(FILES, LENGTH)}) > FILES - 2


def test_files_of_a_group_are_shuffled_together_and_groups_are_not():
    _, records = _first(_order(lanes=1, files_per_group=3).records(0, 1, 0, WHOLE), FILES * LENGTH)
    for group in (records // 100).reshape(4, 18):
        assert len(set(group)) == 3
        assert len(list(itertools.groupby(group))) > 6


@pytest.mark.parametrize("step", [1, 6, 20])
@pytest.mark.parametrize(("lanes", "files_per_group"), [(1, 5), (4, 2)])
def test_it_can_be_entered_at_any_step(lanes, files_per_group, step):
    order = _order(lanes, files_per_group)
    undisturbed = _first(order.records(3, 12, 0, WHOLE), 30 * 12)
    np.testing.assert_array_equal(_first(order.records(3, 12, step, WHOLE), 24), undisturbed[:, 12 * step :][:, :24])


@pytest.mark.parametrize(("lanes", "hosts"), [(4, 2), (4, 4), (2, 4), (1, 2)])
def test_hosts_together_read_the_same_batches(lanes, hosts):
    """Whether a host has several lanes, one, or part of one."""
    order = _order(lanes)
    whole = _first(order.records(0, 16, 5, WHOLE), 10 * 16)
    shares = [_first(order.records(0, 16, 5, Share(h, hosts, hosts)), 10 * 16 // hosts) for h in range(hosts)]
    together = np.concatenate([share.reshape(2, 10, -1) for share in shares], axis=2)
    np.testing.assert_array_equal(together.reshape(2, -1), whole)


def test_a_host_opens_the_files_of_its_own_lanes_alone():
    opened = []

    def spy(files):
        return _open(tf.numpy_function(lambda x: opened.extend(x) or x, [files], tf.int32))

    order = RecordOrder(range(FILES), np.full(FILES, LENGTH), spy, lanes=4, files_per_group=1)
    _first(order.records(0, 4, 0, Share(1, 2, 2)), 2 * FILES * LENGTH)
    assert {int(file) % 4 for file in opened} == {2, 3}


@pytest.mark.parametrize(
    ("lanes", "lengths", "message"),
    [
        (13, [6] * 12, "13 lanes are more than the 12 files"),
        (2, [6, 7] * 6, "one would have 36 examples and another 42"),
    ],
)
def test_lanes_that_cannot_be(lanes, lengths, message):
    with pytest.raises(InputError, match=message):
        RecordOrder(range(12), np.array(lengths), _open, lanes, 1)


def test_a_batch_or_hosts_that_lanes_do_not_divide():
    with pytest.raises(InputError, match="a batch of 6 does not divide among 4 lanes"):
        _order().records(0, 6, 0, WHOLE)
    with pytest.raises(InputError, match="4 lanes do not divide among 3 hosts"):
        _order().records(0, 12, 0, Share(0, 3, 3))
