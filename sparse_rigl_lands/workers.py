"""The processes that run one strategy together, and what they must agree on."""

import hashlib
from collections.abc import Callable

import tensorflow as tf

from sparse_rigl_lands.errors import InputError


class Workers:
    """All processes that run one strategy; one alone, but for a ``MultiWorkerMirroredStrategy``.

    Every method is a meeting: all workers must call it, in the same order. Only the chief writes files.

    Args:
      strategy: which they run.
    """

    def __init__(self, strategy: tf.distribute.Strategy):
        self.is_chief: bool = strategy.extended.should_checkpoint
        self._are_several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)

        def total(value: tf.Tensor) -> tf.Tensor:
            return strategy.reduce("SUM", strategy.run(tf.identity, (value,)), axis=None)

        self._total, self._replicas = tf.function(total), strategy.num_replicas_in_sync

    def any(self, flag: bool) -> bool:
        """Whether it is true of any worker."""
        if not self._are_several:
            return flag
        return float(self._total(tf.constant(flag, tf.float32))) > 0

    def chief_does(self, work: Callable[[], None]) -> None:
        """Has the chief do something while the others wait.

        Raises:
          InputError: the chief's, or, of the others, that there was one.
        """
        error = None
        if self.is_chief:
            try:
                work()
            except InputError as raised:
                error = raised
        if self.any(error is not None):
            raise error or InputError("the chief worker has refused; it says why")

    def check_alike(self, value: str, what: str) -> None:
        """Insists that a text is the same for all.

        Raises:
          InputError: on every worker, if it is not.
        """
        if not self._are_several:
            return
        digest = int.from_bytes(hashlib.sha256(value.encode()).digest()[:2], "big")  # sums of it are exact
        mean = float(self._total(tf.constant(digest, tf.float32))) / self._replicas
        if self.any(mean != digest):
            raise InputError(f"the workers do not see the same {what}")
