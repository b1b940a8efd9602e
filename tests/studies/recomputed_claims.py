"""The verdicts on the paper's claims once more: from the CSV files of a study alone, and with SciPy's own tests.

Nothing of the package is used, so that a mistake there does not recur here.
"""

import csv
import math
import pathlib
import warnings

import scipy.stats


def verdicts(
    directory: pathlib.Path,
    sparsity: float,
    seeds: int,
    paths: dict[int, int],
    fractions: list[float],
    confidence: float,
    accuracy_tolerance: float,
) -> dict[int, str]:
    """The verdict on every claim.

    Args:
      directory: of the study, with ``runs.csv`` and ``paths.csv``.
      sparsity: that the solutions are compared at.
      seeds: how many there should be of every run.
      paths: how many there should be for the claims 2, 3 and 4.
      fractions: of the initialization, that should have been zeroed.
      confidence: of all bounds of a claim together.
      accuracy_tolerance: a loss of accuracy that does not count.
    """
    runs, lines = _read(directory / "runs.csv"), _read(directory / "paths.csv")
    first, last = [], []
    pruned = _where(runs, method="pruned", sparsity=sparsity)
    for method in ("lottery", "scratch"):
        for column, sign in (("training_loss", 1), ("test_accuracy", -1)):
            pairs = _pairs(_where(runs, method=method, sparsity=sparsity), pruned)
            first.append(_side(pairs, column, sign, 1 - (1 - confidence) / 4, 0.0, seeds, wanted="above"))
    for fraction in fractions:
        pairs = _pairs(_where(runs, method="zeroed_init", zeroed_fraction=fraction), _where(runs, method="dense"))
        wanted = "above" if fraction > 0.99 else "below"
        level = 1 - (1 - confidence) / len(fractions)
        last.append(_side(pairs, "test_accuracy", -1, level, accuracy_tolerance, seeds, wanted))
    if not any(f > 0.99 for f in fractions) or not any(f <= 0.99 for f in fractions):
        last.append("missing")

    to_pruned = [row for row in lines if row["end"] == "P-S"]
    falling = [row for row in to_pruned if row["start"] in ("L-I", "S-I", "D-I") and row["curve"] == "line"]
    # A fit of another budget has no bounds for a claim.
    bad = [row for row in to_pruned if row["start"] == "S-S" and row["confidence_for_claim"]]
    sparse = [row for row in bad if row["curve"] == "line" or row["manifold"] == "sparse"]
    dense = [row for row in bad if row["manifold"] == "dense"]
    return {
        1: _all_of(first),
        2: _all_of(
            [_at_most(row, "largest_rise") for row in falling],
            paths[2] == len(falling) and {"L-I", "S-I"} <= {row["start"] for row in falling},
        ),
        3: _all_of(
            [_above(row, "barrier") for row in sparse],
            paths[3] == len(sparse) and {"", "sparse"} == {row["manifold"] for row in sparse},
        ),
        4: _all_of(
            [_at_most(row, what) for row in dense for what in ("barrier", "largest_rise")], 0 < paths[4] == len(dense)
        ),
        5: _all_of(last),
    }


def _read(path):
    if not path.exists():
        return []
    with path.open() as lines:
        return list(csv.DictReader(lines))


def _where(rows, **wanted):
    return [row for row in rows if all(_same(row[name], value) for name, value in wanted.items())]


def _same(text, value):
    return float(text) == value if isinstance(value, float) else text == value


def _pairs(worse, better):
    of_seed = {row["seed"]: row for row in better}
    return [(row, of_seed[row["seed"]]) for row in worse if row["seed"] in of_seed]


def _side(pairs, column, sign, level, threshold, seeds, wanted):
    if len(pairs) < seeds:
        return "missing"
    worse, better = ([sign * float(row[column]) for row in side] for side in zip(*pairs, strict=True))
    if len(pairs) > 1:
        lower, upper = _interval(worse, better, level, pairs if column == "test_accuracy" else [])
    else:
        error = math.sqrt(sum(_error(row, column) ** 2 for row in pairs[0]))
        lower, upper = scipy.stats.norm(worse[0] - better[0], error).interval(level)
    return _verdict(lower > threshold, upper <= threshold, wanted)


def _interval(worse, better, level, counted):
    """Student's, of the mean difference; that of an accuracy is no narrower than counting whole images allows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of differences that are all alike
        interval = scipy.stats.ttest_rel(worse, better).confidence_interval(level)
    middle = sum(worse) / len(worse) - sum(better) / len(better)
    rounding = max(
        (math.hypot(*(1 / int(row["test_images"]) for row in pair)) / 12**0.5 for pair in counted), default=0
    )
    least = rounding / len(worse) ** 0.5 * scipy.stats.t(len(worse) - 1).ppf((1 + level) / 2)
    return min(interval.low, middle - least), max(interval.high, middle + least)


def _error(row, column):
    if column == "training_loss":
        return float(row["training_loss_error"])
    images = int(row["test_images"])
    share = (float(row["test_accuracy"]) * images + 2) / (images + 4)
    return math.sqrt(share * (1 - share) / (images + 4))


def _at_most(row, what):
    return _verdict(*_sides(row, what), "below")


def _above(row, what):
    return _verdict(*_sides(row, what), "above")


def _sides(row, what):
    lower, upper, tolerance = (
        float(row[name]) for name in (f"{what}_lower_for_claim", f"{what}_upper_for_claim", "tolerance")
    )
    return lower > tolerance, upper <= tolerance


def _verdict(above, below, wanted):
    if not above and not below:
        return "undecided"
    return "confirmed" if above == (wanted == "above") else "refuted"


def _all_of(found, complete=True):
    if "refuted" in found:
        return "refuted"
    return "confirmed" if found and set(found) == {"confirmed"} and complete else "undecided"
