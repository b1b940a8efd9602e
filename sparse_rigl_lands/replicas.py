"""Functions of the examples of a batch, run in all replicas of a strategy, and how the hosts share the batch."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Literal

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Share:
    """What one host reads of every global batch; the default is all of it, in one piece.

    The examples of a batch go to the replicas in order, and the replicas to the hosts: host h of H reads
    the h-th of H equal parts. What a global batch holds does not depend on who reads it.

    Args:
      host: from 0.
      hosts: how many there are.
      replicas: how many there are on all hosts together.
    """

    host: int = 0
    hosts: int = 1
    replicas: int = 1

    def per_replica(self, batch_size: int) -> int:
        """Of a global batch, how many examples one replica is given."""
        return batch_size // self.replicas

    def positions(self, batch_size: int) -> tuple[int, int]:
        """Of a global batch, the first position that this host reads and the one after the last."""
        size = batch_size // self.hosts
        return self.host * size, (self.host + 1) * size


WHOLE = Share()

# From a host's share to its batches, each of which one replica is given, in turn.
BatchesOfHost = Callable[[Share], tf.data.Dataset]


def hosts_of(strategy: tf.distribute.Strategy) -> int:
    """Among how many hosts ``distributed`` shares every global batch."""
    if isinstance(strategy, tf.distribute.TPUStrategy):
        return strategy.extended.num_hosts
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return max(1, sum(map(len, strategy.cluster_resolver.cluster_spec().as_dict().values())))
    return 1


def distributed(
    strategy: tf.distribute.Strategy, batches: BatchesOfHost
) -> tf.distribute.DistributedDataset | tf.data.Dataset:
    """The global batches of all hosts, each host reading its own share.

    Args:
      strategy: among whose replicas they are divided.
      batches: finitely many must be equally many on every host.

    Returns:
      What a function of the strategy iterates over: for a single CPU, whose memory the batches are in already, the
      dataset itself. An iterator of ``tf.distribute`` would pass them on in a thread of its own, and whoever lets go of
      it may wait for TensorFlow's tuner of that thread: half a minute, after a minute of training (TensorFlow 2.21).
    """

    is_one_device = isinstance(strategy, tf.distribute.OneDeviceStrategy)
    if is_one_device and tf.DeviceSpec.from_string(strategy.extended.worker_devices[0]).device_type == "CPU":
        return batches(WHOLE)

    def of_host(context: tf.distribute.InputContext) -> tf.data.Dataset:
        return batches(Share(context.input_pipeline_id, context.num_input_pipelines, context.num_replicas_in_sync))

    return strategy.distribute_datasets_from_function(of_host)


class ReplicaFunction:
    """A function of the examples of one replica, compiled once to be run in all replicas of a strategy.

    Args:
      function: from the tensors of a batch, in a replica, to nested tensors; its shapes must be static.
      strategy: in whose replicas to run.
      combine: what becomes of the replicas' results: ``"stack"`` gives them all, along a new first
        axis; ``"sum"`` adds them up.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        strategy: tf.distribute.Strategy,
        combine: Literal["stack", "sum"],
    ):
        def in_replica(*batch: tf.Tensor) -> Any:
            return tf.nest.map_structure(lambda result: result[tf.newaxis], function(*batch))

        def combined(result: Any) -> tf.Tensor:
            if combine == "stack":
                return strategy.gather(result, axis=0)
            return strategy.reduce("SUM", result, axis=None)[0]

        def of_batch(batch: tuple[tf.Tensor, ...]) -> Any:
            return tf.nest.map_structure(combined, strategy.run(in_replica, args=batch))

        self._strategy, self._of_batch = strategy, tf.function(of_batch)
        self._traced: Callable[..., Any] | None = None

    def of_batch(self, batch: tuple[tf.Tensor, ...]) -> Any:
        """What the function finds on one batch that is distributed already, as nested tensors.

        The first call compiles it, and later ones take batches of the same shapes alone.
        """
        if self._traced is None:
            self._traced = self._of_batch.get_concrete_function(batch)
        return self._traced(batch)

    def over(self, batches: BatchesOfHost) -> Iterator[Any]:
        """What the function finds on every global batch, as nested arrays.

        Args:
          batches: tuples of tensors of one static shape.
        """
        for batch in distributed(self._strategy, batches):
            yield tf.nest.map_structure(lambda result: result.numpy(), self.of_batch(batch))
