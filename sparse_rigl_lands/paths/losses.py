"""The losses along a path: what is added up over the examples, and the means and errors that it gives.

Nothing here knows of a network.
"""

import dataclasses
from typing import Literal

import numpy as np

from sparse_rigl_lands.errors import InputError

# What is drawn independently: an example, or, where examples share a batch's statistics, a replica's batch.
Unit = Literal["example", "batch"]


@dataclasses.dataclass(frozen=True, eq=False)
class PathLosses:
    """Sums over examples at K places, and second moments of the losses over units that are independent.

    Args:
      sums: [K, 4], of the examples' values in the order of ``objective.VALUES``.
      count: [], examples.
      units: [], the number U of independent units.
      squared_sizes: [], sum over units of the squared number n_u of its examples.
      size_weighted: [K], sum over units of n_u s_u, where s_u is the unit's summed loss.
      second_moment: [K, K], sum over units of s_u s_u'.
      class_sums: [C, K], the summed losses of the examples of each class; C = 0 where nobody asked.
      class_counts: [C], the examples of each class.

    All are float64 and exact sums of float32 values, up to the rounding of float64.
    """

    sums: np.ndarray
    count: np.ndarray
    units: np.ndarray
    squared_sizes: np.ndarray
    size_weighted: np.ndarray
    second_moment: np.ndarray
    class_sums: np.ndarray
    class_counts: np.ndarray

    @classmethod
    def of_batch(
        cls, values: np.ndarray, labels: np.ndarray, weights: np.ndarray, unit: Unit, classes: int = 0
    ) -> "PathLosses":
        """Those of one batch.

        Args:
          values: float32 [R, K, 4, n], of n examples in each of R replicas.
          labels: int [R, n].
          weights: float32 [R, n], 1 for an example and 0 for padding, whose values count for nothing.
          unit: what is independent.
          classes: the number of classes whose losses are told apart; 0 where none are.
        """
        live = weights > 0
        # where, not a product: what padding gave may be a NaN
        values = np.where(live[:, np.newaxis, np.newaxis], values, 0).astype("float64")
        sums = values.sum(axis=3)
        losses = values[:, :, 0]
        if unit == "batch":
            sizes, unit_losses = live.sum(axis=1), sums[:, :, 0]  # [R], [R, K]
        else:
            sizes, unit_losses = live.ravel(), np.moveaxis(losses, 1, 2).reshape(-1, losses.shape[1])
        of_class = (labels[live] == np.arange(classes)[:, np.newaxis]).astype("float64")  # [C, examples]
        return cls(
            sums=sums.sum(axis=0),
            count=np.array(live.sum(), "float64"),
            units=np.array(np.count_nonzero(sizes), "float64"),
            squared_sizes=np.array(np.sum(sizes.astype("float64") ** 2)),
            size_weighted=sizes.astype("float64") @ unit_losses,
            second_moment=unit_losses.T @ unit_losses,
            class_sums=of_class @ np.moveaxis(losses, 1, 2)[live],
            class_counts=of_class.sum(axis=1),
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """The sums by name; ``PathLosses(**arrays)`` has them again."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @property
    def means(self) -> np.ndarray:
        """[K, 4], in the order of ``objective.VALUES``."""
        return self.sums / self.count

    @property
    def cross_entropy(self) -> np.ndarray:
        """[K], the mean loss in nats."""
        return self.means[:, 0]

    @property
    def class_cross_entropy(self) -> np.ndarray:
        """[C, K], the mean loss of each class in nats; NaN for a class without examples."""
        with np.errstate(invalid="ignore"):
            return self.class_sums / self.class_counts[:, np.newaxis]

    @property
    def degrees_of_freedom(self) -> int:
        """Of the covariance."""
        return int(self.units) - 1

    def covariance(self) -> np.ndarray:
        """The covariance of the mean losses, [K, K] in nats squared.

        Units are independent draws of the data's distribution; units of different sizes are weighted by
        their sizes, and the mean m = sum s_u / N is a ratio, whose covariance is to first order that of
        the residuals: U / (U - 1) / N^2 sum_u (s_u - n_u m)(s_u - n_u m)' (Cochran 1977, Sampling
        Techniques, chapter 6). It says nothing of other seeds of training.

        Raises:
          InputError: there are fewer than two units.
        """
        if self.units < 2:
            raise InputError("the errors of a path need two independent units: two examples, or batches that fill them")
        means = self.cross_entropy
        crossed = np.outer(self.size_weighted, means)
        residual = self.second_moment - crossed - crossed.T + self.squared_sizes * np.outer(means, means)
        return residual * (self.units / (self.units - 1) / self.count**2)

    def errors(self) -> np.ndarray:
        """The standard errors of the mean losses, [K] in nats; raised as by ``covariance``."""
        return np.sqrt(np.maximum(np.diag(self.covariance()), 0.0))
