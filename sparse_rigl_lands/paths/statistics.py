"""What is said of a path, computed from the losses at its values of t."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Climb:
    """Two values of t, the later one higher, and by how much.

    Args:
      height: the difference of the losses, >= 0, in nats.
      start: the earlier t.
      end: the later t.
    """

    height: float
    start: float
    end: float


def largest_rise(t: np.ndarray, losses: np.ndarray) -> Climb:
    """The most that the loss climbs between any earlier and later t; 0 on a path that only descends.

    Args:
      t: ascending, [K].
      losses: [K].
    """
    lowest = np.minimum.accumulate(losses)
    rises = losses - lowest
    end = int(np.argmax(rises))
    start = int(np.argmin(losses[: end + 1]))
    return Climb(float(rises[end]), float(t[start]), float(t[end]))


def barrier(t: np.ndarray, losses: np.ndarray) -> Climb:
    """The path's maximum above its higher end; 0 where that end is the maximum.

    Args:
      t: ascending, [K].
      losses: [K].

    Returns:
      The climb from the higher end to the maximum.
    """
    top = int(np.argmax(losses))
    higher_end = 0 if losses[0] >= losses[-1] else len(losses) - 1
    return Climb(float(losses[top] - losses[higher_end]), float(t[higher_end]), float(t[top]))
