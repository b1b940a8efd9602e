"""A path that was evaluated."""

import dataclasses

import numpy as np

from sparse_rigl_lands.paths.losses import PathLosses
from sparse_rigl_lands.paths.statistics import Judgement, judge


@dataclasses.dataclass(frozen=True, eq=False)
class EvaluatedPath:
    """What is known of a path.

    Args:
      t: the places, float64 [K].
      losses: along the path.
      ends: the losses of both ends under their own statistics and mask.
      mask: the rule that was used, see ``path_mask``.
    """

    t: np.ndarray
    losses: PathLosses
    ends: PathLosses
    mask: str

    def loss_at(self, t: float) -> float | None:
        """The mean cross-entropy at a t in nats, None where it is not one of the places."""
        (found,) = np.nonzero(self.t == t)
        return float(self.losses.cross_entropy[found[0]]) if len(found) else None

    def judge(self, confidence: float = 0.95, tolerance: float = 0.05) -> Judgement:
        """Barrier, largest rise and verdict, see ``statistics.judge``.

        Raises:
          InputError: there are fewer than two independent units.
        """
        losses = self.losses
        covariance, freedom = losses.covariance(), losses.degrees_of_freedom
        return judge(self.t, losses.cross_entropy, covariance, freedom, confidence, tolerance)
