"""A path that was evaluated."""

import dataclasses

import numpy as np

from sparse_rigl_lands.paths.losses import PathLosses
from sparse_rigl_lands.paths.statistics import Judgement, judge, variances_of_contrasts

_ROUNDING = 1e-5  # nats: losses are computed in float32


@dataclasses.dataclass(frozen=True, eq=False)
class EvaluatedPath:
    """What is known of a path.

    Args:
      t: the places, float64 [K].
      losses: along the path.
      ends: the losses of both ends under their own statistics and mask.
      mask_rule: the one that was used, see ``path_mask``.
    """

    t: np.ndarray
    losses: PathLosses
    ends: PathLosses
    mask_rule: str

    def loss_at(self, t: float) -> float | None:
        """The mean cross-entropy at a t in nats, None where it is not one of the places."""
        (found,) = np.nonzero(self.t == t)
        return float(self.losses.cross_entropy[found[0]]) if len(found) else None

    def is_below_both_ends(self, place: int, critical_value: float) -> bool:
        """Whether the loss at a place is surely below those at t = 0 and t = 1.

        Args:
          place: its index.
          critical_value: how many standard errors of a difference are sure, of ``judge``.

        Returns:
          False too where one of the two ends is not one of the places.
        """
        losses, covariance = self.losses.cross_entropy, self.losses.covariance()
        (ends,) = np.nonzero(np.isin(self.t, [0.0, 1.0]))
        margins = critical_value * np.sqrt(variances_of_contrasts(covariance)[ends, place])
        margins = np.maximum(margins, _ROUNDING)
        return len(ends) == 2 and bool(np.all(losses[ends] - losses[place] > margins))

    def judge(self, confidence: float = 0.95, tolerance: float = 0.05) -> Judgement:
        """Barrier, largest rise and verdict, see ``statistics.judge``.

        Raises:
          InputError: there are fewer than two independent units.
        """
        losses = self.losses
        covariance, freedom = losses.covariance(), losses.degrees_of_freedom
        return judge(self.t, losses.cross_entropy, covariance, freedom, confidence, tolerance)
