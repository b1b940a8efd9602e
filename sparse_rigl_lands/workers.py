"""The processes that run one strategy together, and what they must agree on."""

import contextlib
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
        """Whether it is true of any worker. Where it is, each of them may end at once."""
        if not self._are_several:
            return flag
        found = float(self._total(tf.constant(flag, tf.float32))) > 0
        if found:
            self._part()
        return found

    def chief_does(self, work: Callable[[], None]) -> None:
        """Has the chief do something while the others wait.

        Raises:
          Exception: of the chief, the one that was raised.
          InputError: of the others, that one was.
        """
        error: Exception | None = None
        if self.is_chief:
            try:
                work()
            except Exception as raised:
                error = raised
        if self.any(error is not None):
            raise error or InputError("the chief worker has failed; it says why")
        self._part()  # it may have been the last that they do together

    def check_alike(self, value: str, what: str) -> None:
        """Insists that a text is the same for all.

        Raises:
          InputError: on every worker, if it is not.
        """
        if not self._are_several:
            return
        digest = int.from_bytes(hashlib.sha256(value.encode()).digest()[:5], "big")
        total = int(self._total(tf.constant(digest, tf.int64)))  # exact for millions of replicas
        if self.any(total != digest * self._replicas):
            raise InputError(f"the workers do not see the same {what}")

    def _part(self) -> None:
        """The last meeting of those that end.

        A worker that ends takes with it what another has yet to read of the meeting before. None comes through this
        one until all have come to it, and so have read what they needed; that another has left it already, and the
        connection is gone, changes nothing.
        """
        if self._are_several:
            with contextlib.suppress(tf.errors.OpError):
                self._total(tf.constant(0.0))
