"""The weights of a network on a curve: w(t) = sum_i c_i(t) theta_i, combined where a layer asks for them.

No weight is ever assigned in order to move along the curve, and the gradient reaches the control
points theta_i by itself. They are float32, whatever the network computes in.
"""

import contextlib
import dataclasses
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import tensorflow as tf

# What BatchNorm normalizes by: "batch", the statistics of the batch itself; "stored", the control points'
# moving statistics, combined like the weights; or these, by names such as "stem/norm/moving_mean".
StatisticsRule = Literal["batch", "stored"]
Statistics = StatisticsRule | Mapping[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Call:
    """What the layers of a network need to know of one call of it, beside the activations.

    Args:
      coefficients: P float32 scalars, the place on the curve.
      statistics: what BatchNorm normalizes by.
      example_weights: float32 [n], 1 for an example and 0 for padding, which then stays out of batch
        statistics; None where there is no padding.
      moments: filled with the mean and the (biased) variance of every batch that is normalized by
        them, under the names of the moving statistics; None where nobody asks.
      weights: what was combined already, by name.
    """

    coefficients: Sequence[tf.Tensor]
    statistics: Statistics
    example_weights: tf.Tensor | None = None
    moments: dict[str, tf.Tensor] | None = None
    weights: Mapping[str, tf.Tensor] = dataclasses.field(default_factory=dict)


class _Current(threading.local):
    """The call that is going on in this thread: replicas have threads of their own."""

    call: Call | None = None


class WeightsOnCurve:
    """Every weight and moving statistic of a network, with P control points each.

    A functional model has no way to hand its layers anything but the activations, so its layers
    share this object.

    Args:
      shapes: of the weights and statistics, by name.
      num_control_points: P.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], num_control_points: int):
        self._current = _Current()
        self.control_points: Mapping[str, list[tf.Variable]] = {
            name: [
                tf.Variable(
                    tf.zeros(shape),
                    trainable=False,
                    name=f"{name}/{i}",
                    aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
                )
                for i in range(num_control_points)
            ]
            for name, shape in shapes.items()
        }

    @contextlib.contextmanager
    def during(self, call: Call) -> Iterator[None]:
        """What is asked for within, in this thread, is as the call says."""
        before, self._current.call = self._current.call, call
        try:
            yield
        finally:
            self._current.call = before

    @property
    def call(self) -> Call:
        """The call that is going on."""
        if self._current.call is None:
            raise RuntimeError("weights on a curve have values during a call alone")
        return self._current.call

    def __contains__(self, name: str) -> bool:
        return name in self.control_points

    def __getitem__(self, name: str) -> tf.Tensor:
        """The weight at the place of the call, float32."""
        if name in self.call.weights:
            return self.call.weights[name]
        pairs = zip(self.call.coefficients, self.control_points[name], strict=True)
        return tf.add_n([coefficient * theta for coefficient, theta in pairs])
