"""The order in which records are trained on: an endless sequence that can be entered anywhere and shared by hosts."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.replicas import Share

_LARGEST_DIFFERENCE = 0.01  # between the lengths of two lanes


@dataclasses.dataclass(frozen=True, eq=False)
class RecordOrder:
    """An endless sequence of records in random order, keyed by a seed.

    The files are dealt out to *lanes*, file i to lane i % L, and every global batch takes an equal number
    of consecutive records from each. A host reads the files of its own lanes alone, and yet the batch does
    not depend on the number of hosts. An epoch of a lane holds each of its records once: its files in
    random order, in groups; the records of a group in random order. A group is read while the one before it
    is trained on, so two are held in memory per lane; whole groups are passed over without reading them.

    It is as good as a shuffle of everything where the records were dealt out to the files at random.

    Args:
      files: whatever ``open_files`` takes, one element per file.
      lengths: the records of each file.
      open_files: from a tensor of files to their records, strings or other scalars, in one fixed order.
      lanes: L, at most as many as there are files.
      files_per_group: how many files of a lane are shuffled together.

    Raises:
      InputError: there are more lanes than files, or lanes so unequal that some records would be seen
        more often than others.
    """

    files: Sequence[Any]
    lengths: np.ndarray
    open_files: Callable[[tf.Tensor], tf.data.Dataset]
    lanes: int
    files_per_group: int

    def __post_init__(self) -> None:
        if self.lanes > len(self.files):
            raise InputError(f"{self.lanes} lanes are more than the {len(self.files)} files of the training split")
        of_lanes = [int(self.lengths[lane :: self.lanes].sum()) for lane in range(self.lanes)]
        if min(of_lanes) < (1 - _LARGEST_DIFFERENCE) * max(of_lanes):
            raise InputError(
                f"of {self.lanes} lanes one would have {min(of_lanes)} examples and another {max(of_lanes)}, so that "
                "some would be seen more often than others; fewer lanes are more equal"
            )

    def check(self, batch_size: int, hosts: int) -> None:
        """Refuses what cannot be divided evenly.

        Args:
          batch_size: records per global batch.
          hosts: how many share it.

        Raises:
          InputError: the batch cannot be divided among the lanes, or the lanes among the hosts.
        """
        if batch_size % self.lanes:
            raise InputError(f"a batch of {batch_size} does not divide among {self.lanes} lanes")
        if self.lanes % hosts and hosts % self.lanes:
            raise InputError(f"{self.lanes} lanes do not divide among {hosts} hosts")

    def records(self, key: int, batch_size: int, first_step: int, share: Share) -> tf.data.Dataset:
        """What a host reads of the sequence, from a global step onwards.

        Args:
          key: of the order.
          batch_size: records per global batch.
          first_step: the global step of the first batch.
          share: of the host.

        Returns:
          (epoch int64, record).

        Raises:
          InputError: as ``check``.
        """
        self.check(batch_size, share.hosts)
        of_lane = batch_size // self.lanes  # records of a lane in a batch
        begin, end = share.positions(batch_size)
        lanes = range(begin // of_lane, -(-end // of_lane))
        streams = [self._lane(lane, key, first_step * of_lane) for lane in lanes]
        if end - begin < of_lane:  # a lane that several hosts share: each reads all of it, and takes its part
            own = begin % of_lane

            def is_own(i: tf.Tensor, _: Any) -> tf.Tensor:
                return tf.logical_and(i % of_lane >= own, i % of_lane < own + end - begin)

            streams = [stream.enumerate().filter(is_own).map(lambda _, record: record) for stream in streams]
        if len(streams) == 1:
            return streams[0]
        turns = np.repeat(np.arange(len(streams)), of_lane)
        return tf.data.Dataset.choose_from_datasets(
            streams, tf.data.Dataset.from_tensor_slices(turns.astype("int64")).repeat(), stop_on_empty_dataset=True
        )

    def _lane(self, lane: int, key: int, first: int) -> tf.data.Dataset:
        """A lane's endless sequence, from its record ``first`` onwards."""
        files, lengths = self.files[lane :: self.lanes], self.lengths[lane :: self.lanes]
        first_epoch, done = divmod(first, int(lengths.sum()))
        lane_key = tf.random.experimental.stateless_fold_in(tf.constant([key, 0], tf.int64), lane)

        def order(epoch: tf.Tensor) -> tf.Tensor:
            """int32 [files of the lane], a permutation that is a pure function of (key, lane, epoch)."""
            seed = tf.random.experimental.stateless_fold_in(lane_key, epoch)
            return tf.random.experimental.stateless_shuffle(tf.range(len(files)), seed)

        def groups(epoch: tf.Tensor) -> tf.data.Dataset:
            static = len(files) % self.files_per_group == 0  # then the shape says how many files a group has
            of_epoch = tf.data.Dataset.from_tensor_slices(order(epoch)).batch(self.files_per_group, static)
            return of_epoch.enumerate().map(lambda index, group: (epoch, index, group))

        def read(epoch: tf.Tensor, index: tf.Tensor, group: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            size = tf.reduce_sum(tf.gather(lengths, group))
            records = self.open_files(tf.gather(files, group)).batch(size).get_single_element()
            fold_in = tf.random.experimental.stateless_fold_in
            places = tf.random.experimental.stateless_shuffle(tf.range(size), fold_in(fold_in(lane_key, epoch), index))
            return tf.fill([size], epoch), tf.gather(records, places)

        with tf.device("CPU:0"):  # where tf.data runs: the same draws
            of_groups = _sums(lengths[order(tf.constant(first_epoch, tf.int64)).numpy()], self.files_per_group)
        done_groups = int(np.searchsorted(np.cumsum(of_groups), done, side="right"))
        sequence = tf.data.Dataset.counter(first_epoch).flat_map(groups).skip(done_groups)
        return sequence.map(read).prefetch(1).unbatch().skip(done - int(of_groups[:done_groups].sum()))


def _sums(values: np.ndarray, size: int) -> np.ndarray:
    """Of every ``size`` consecutive values."""
    return np.add.reduceat(values, np.arange(0, len(values), size))
