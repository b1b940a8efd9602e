"""Functions of the examples of a batch, run in all replicas of a strategy."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import tensorflow as tf


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

    def over(self, batches: tf.data.Dataset) -> Iterator[Any]:
        """What the function finds on every batch, as nested arrays.

        Args:
          batches: tuples of tensors of one static shape; the global batch is divided among the replicas
            in order. Several workers must be given the same ones, and each takes its part.
        """
        options = tf.data.Options()
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
        for batch in self._strategy.experimental_distribute_dataset(batches.with_options(options)):
            yield tf.nest.map_structure(lambda result: result.numpy(), self.of_batch(batch))
