"""What can be said of a path from losses estimated at its values of t, and how surely.

The loss at all K places is estimated on the same examples, so the errors are paired: the difference
of two places is often known far better than either. Every statement here is therefore about the
contrasts f_j - f_i of two places, and all of them are bounded at once.
"""

import dataclasses
import math
from typing import Literal

import numpy as np
import scipy.stats

from sparse_rigl_lands import seeds

Verdict = Literal["barrier", "monotone", "no_barrier", "undecided"]

# Below this many degrees of freedom the estimated covariance is itself drawn.
FEW_DEGREES_OF_FREEDOM = 100
SMALLEST_ERROR = 0.001  # that is drawn for
MOST_DRAWS = 100_000  # caps time and memory; reached at an error of 0.002
_PER_COVARIANCE = 4  # draws of z that share one of the covariance, which costs far more
_CHUNK = 2**18  # contrasts held at a time: 2 MB, which fits a cache
_ROUNDING = 1e-12  # the part of the largest variance that is taken for zero


@dataclasses.dataclass(frozen=True)
class Climb:
    """From one place of a path to another, and by how much the loss is higher there.

    Args:
      height: the estimated difference of the losses, >= 0, in nats.
      start: the t from which the loss climbs.
      end: the t to which it climbs.
      lower: the lower bound of the true height, in nats, 0 <= lower <= height.
      upper: its upper bound, in nats, >= height.
    """

    height: float
    start: float
    end: float
    lower: float
    upper: float


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What is said of a path.

    Args:
      verdict: ``"barrier"``, it has one above the tolerance; ``"monotone"``, it nowhere rises by more
        than the tolerance; ``"no_barrier"``, it rises by more, but not above its higher end: it dips
        below both ends, or climbs to the higher one; ``"undecided"``, the bounds allow several.
      largest_rise: max over t <= t' of f(t') - f(t); 0 on a descent.
      barrier: max f - max(f at the first t, f at the last); 0 where the higher end is the maximum.
      confidence: the probability, at least, that all four bounds hold, and so that the verdict is
        not wrong.
      tolerance: the height, in nats, that does not count.
      critical_value: how many standard errors of each contrast its bounds lie from its estimate.
    """

    verdict: Verdict
    largest_rise: Climb
    barrier: Climb
    confidence: float
    tolerance: float
    critical_value: float


def judge(
    t: np.ndarray,
    means: np.ndarray,
    covariance: np.ndarray,
    degrees_of_freedom: int,
    confidence: float,
    tolerance: float,
) -> Judgement:
    """Bounds the largest rise and the barrier of a path, and gives the verdict.

    The means are taken for normal. Heavy tails need many units: with losses of skewness 6, 500 to 8000
    examples still missed 6 to 8 % where 5 % was asked for.

    Args:
      t: ascending, float64 [K].
      means: the estimated loss at each t, in nats, float64 [K].
      covariance: of these means, in nats squared, float64 [K, K]; may be singular.
      degrees_of_freedom: of the covariance, the number of independent units less one, at least 1.
      confidence: the probability with which the statements hold together, in (0, 1).
      tolerance: the height that does not count, in nats, >= 0.
    """
    critical = critical_value(covariance, degrees_of_freedom, 1 - confidence)
    margins = critical * np.sqrt(variances_of_contrasts(covariance))
    rise = _largest_rise(t, means, margins)
    barrier = _barrier(t, means, margins)
    return Judgement(_verdict(rise, barrier, tolerance), rise, barrier, confidence, tolerance, critical)


def critical_value(covariance: np.ndarray, degrees_of_freedom: int, error: float) -> float:
    """How many standard errors bound all contrasts of a path at once.

    It is the quantile of max over i < j of ``|z_j - z_i| / s_ij``, where z is normal with the estimated
    covariance: the parametric bootstrap of the maximal t (Hothorn, Bretz and Westfall 2008,
    "Simultaneous inference in general parametric models"). A smooth path has few ways to vary, and
    its contrasts need far less than Bonferroni over K (K - 1) / 2 pairs; that is the most returned.

    With few degrees of freedom, s_ij comes from covariances that are drawn too (Wishart), and half of
    the error is kept for drawing around an estimate whose rank is too low. With many, z alone is
    drawn, and the quantile is taken from the normal distribution to Student's t at the same tail of a
    single contrast.

    Args:
      covariance: of the means, float64 [K, K]; may be singular.
      degrees_of_freedom: of the covariance, at least 1.
      error: the probability that some contrast is out of its bounds, at most, in (0, 1).

    Returns:
      The factor of every contrast's standard error; 0 where no contrast varies. Contrasts whose
      standard error is a millionth of the largest, or less, count as constant. The same arguments
      give the same number.
    """
    factor = _factor(covariance)
    variances = variances_of_contrasts(factor @ factor.T)
    varies = variances > _ROUNDING * variances.max()
    num_contrasts = np.count_nonzero(varies) // 2
    if num_contrasts == 0:
        return 0.0
    bonferroni = float(scipy.stats.t.isf(error / num_contrasts / 2, degrees_of_freedom))
    if error < SMALLEST_ERROR:
        return bonferroni  # too few draws would lie beyond the quantile
    if factor.shape[1] > degrees_of_freedom:
        return bonferroni  # no covariance of so many units has this rank: nothing can be learned from its shape
    few = degrees_of_freedom < FEW_DEGREES_OF_FREEDOM
    maxima = _draw_maxima(factor, varies, degrees_of_freedom if few else None, error)
    if few:
        # Where 5 % is asked for with 8 or 12 units, the whole error would miss 6 to 9 % on random walks and
        # on independent values at 21 or 51 places, and 5 to 6 % on smooth paths; half of it misses 2 to 5 %.
        return min(float(np.quantile(maxima, 1 - error / 2)), bonferroni)
    # From 100 degrees of freedom on this agrees with drawing the covariance to about 2 % of the critical
    # value. Where 5 % is asked for, the normal quantile itself would miss up to 9 % at 100, 5 % at 1000.
    normal = np.quantile(maxima, 1 - error)
    return min(float(scipy.stats.t.isf(scipy.stats.norm.sf(normal), degrees_of_freedom)), bonferroni)


def variances_of_contrasts(covariance: np.ndarray) -> np.ndarray:
    """The variance of the difference of every two values, c_ii + c_jj - 2 c_ij, never negative.

    Args:
      covariance: of the values, float64 [..., K, K].

    Returns:
      Of all pairs, float64 [..., K, K].
    """
    own = np.diagonal(covariance, axis1=-2, axis2=-1)
    return np.maximum(own[..., :, None] + own[..., None, :] - 2 * covariance, 0)  # rounding may leave a small negative


def _largest_rise(t: np.ndarray, means: np.ndarray, margins: np.ndarray) -> Climb:
    """max over i <= j of f_j - f_i, with bounds.

    Where every contrast lies within its margin [K, K] of the estimate, so does the maximum of the
    contrasts within the maxima of their bounds: a maximum rises with each of its arguments. The
    contrast of a place with itself is 0.
    """
    lowest = np.minimum.accumulate(means)
    end = int(np.argmax(means - lowest))
    start = int(np.argmin(means[: end + 1]))
    earlier, later = np.triu_indices(len(means))
    rises, margins = means[later] - means[earlier], margins[earlier, later]
    return Climb(
        height=float(means[end] - means[start]),
        start=float(t[start]),
        end=float(t[end]),
        lower=float(np.max(rises - margins)),
        upper=float(np.max(rises + margins)),
    )


def _barrier(t: np.ndarray, means: np.ndarray, margins: np.ndarray) -> Climb:
    """The maximum above the higher end, with bounds.

    It is the maximum over k of the smaller of f_k - f_0 and f_k - f_{K-1}, which rises with each of
    these contrasts: where they all lie within their margins, so does it within what their bounds give.
    """
    ends = [0, len(means) - 1]
    top = int(np.argmax(means))
    higher_end = max(ends, key=lambda end: means[end])
    above = means[:, None] - means[ends]
    return Climb(
        height=float(means[top] - means[higher_end]),
        start=float(t[higher_end]),
        end=float(t[top]),
        lower=max(0.0, float(np.max(np.min(above - margins[:, ends], axis=1)))),
        upper=max(0.0, float(np.max(np.min(above + margins[:, ends], axis=1)))),
    )


def _verdict(largest_rise: Climb, barrier: Climb, tolerance: float) -> Verdict:
    if barrier.lower > tolerance:
        return "barrier"
    if largest_rise.upper <= tolerance:
        return "monotone"
    if largest_rise.lower > tolerance and barrier.upper <= tolerance:
        return "no_barrier"
    return "undecided"


def _factor(covariance: np.ndarray) -> np.ndarray:
    """F of rank r with the contrasts of F F' those of the covariance: [K, K] -> [K, r]."""
    # What all places share is in no contrast. It can be most of the variance, and would cost digits.
    centred = covariance - covariance.mean(axis=0)
    centred -= centred.mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(centred)
    kept = values > max(_ROUNDING * values[-1], 0.0)
    return vectors[:, kept] * np.sqrt(values[kept])


def _draw_maxima(factor: np.ndarray, varies: np.ndarray, degrees_of_freedom: int | None, error: float) -> np.ndarray:
    """Draws max over i < j of |z_j - z_i| / s_ij.

    Args:
      factor: [K, r].
      varies: the pairs that count, bool [K, K].
      degrees_of_freedom: of the covariance drawn with each z; None takes s_ij as known.
      error: of the quantile that is wanted; decides how many are drawn.
    """
    num_draws = min(max(math.ceil(200 / error), 10_000), MOST_DRAWS)
    random = np.random.default_rng(seeds.key(0, "paths/critical value"))
    num_places, rank = factor.shape
    maxima = np.empty(num_draws)
    known = _inverse_errors(factor @ factor.T, varies)
    chunk = max(_CHUNK // num_places**2, 1)
    for first in range(0, num_draws, chunk):
        part = maxima[first : first + chunk]
        z = random.standard_normal((len(part), rank)) @ factor.T
        if degrees_of_freedom is None:
            inverse_errors = known
        else:
            num_covariances = math.ceil(len(part) / _PER_COVARIANCE)
            drawn = factor @ _wishart_roots(random, num_covariances, rank, degrees_of_freedom)
            inverse_errors = _inverse_errors(drawn @ np.swapaxes(drawn, 1, 2), varies)
            inverse_errors = np.repeat(inverse_errors, _PER_COVARIANCE, axis=0)[: len(part)]
        contrasts = z[:, :, None] - z[:, None, :]
        contrasts *= inverse_errors
        part[:] = contrasts.max(axis=(1, 2))  # of both signs: the pairs are here in both orders
    return maxima


def _inverse_errors(covariance: np.ndarray, varies: np.ndarray) -> np.ndarray:
    """1 / standard error of every contrast that varies, else 0: [..., K, K] -> [..., K, K]."""
    errors = np.sqrt(variances_of_contrasts(covariance))
    return np.divide(1.0, errors, out=np.zeros_like(errors), where=varies & (errors > 0))


def _wishart_roots(random: np.random.Generator, count: int, rank: int, degrees_of_freedom: int) -> np.ndarray:
    """A of which A A' is Wishart with mean I, by Bartlett's decomposition: [count, rank, rank].

    Smith and Hocking 1972, algorithm AS 53. Needs rank <= degrees_of_freedom. SciPy's own sampler
    loops over the draws in Python and does not give the factor.
    """
    roots = np.tril(random.standard_normal((count, rank, rank)), -1)
    diagonal = np.arange(rank)
    roots[:, diagonal, diagonal] = np.sqrt(random.chisquare(degrees_of_freedom - diagonal, (count, rank)))
    return roots / math.sqrt(degrees_of_freedom)
