"""Protects: a table names every row whole, with its own numbers."""

import pytest
from rich.console import Console

from sparse_rigl_lands.reporting import tables


def test_sparsity_table():
    names = ["stem/conv/kernel", "block2/projection/conv/kernel"]
    layers = [
        {"kernel": name, "shape": [3, 3, 64, 64], "weights": 36864, "nonzero_at_start": start, "kept": kept}
        | {"target": kept, "sparsity": 1 - kept / 36864}
        for name, start, kept in zip(names, (36864, 5150), (36864, 369), strict=True)
    ]
    console = Console(width=80, record=True, quiet=False)
    console.print(tables.sparsity_table({"global_step": 2000, "sparsity": 0.495, "layers": layers}))
    text = console.export_text()
    for words in (*names, "3x3x64x64", "2,000", "0.9900", "73,728", "5,150", "42,014", "37,233", "0.4950"):
        assert words in text


def _cells(markdown):
    """The rows of a Markdown table, its heading first."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines()]
    return [rows[0], *rows[2:]]


def test_solutions_table():
    row = {
        "run": "runs/a",
        "point": "P-S",
        "seed": 0,
        "sparsity": 0.98658,
        "training_loss": 0.04449,
        "training_loss_error": 0.0031,
        "gradient_norm_sparse": 0.1234,
        "gradient_noise_sparse": 0.1111,
        "gradient_norm_dense": 2.5,
        "gradient_noise_dense": 1.25,
        "test_accuracy": 0.9907,
        "distance_from_initialization": 16.789,
        "distance_to_pruned": 0.0,
        "mask_overlap_with_pruned": 1.0,
    }
    nothing = {"distance_to_pruned": None, "mask_overlap_with_pruned": None}
    heading, first, second = _cells(tables.markdown(tables.solutions_cells([row, row | nothing])))
    assert len(heading) == len(first) == len(second)
    assert first == [
        *("runs/a", "P-S", "0.9866", "0.0445 ± 0.0031", "0.123 (0.111)", "2.500 (1.250)", "0.9907"),
        *("16.79", "0.00", "1.0000"),
    ]
    assert second[-2:] == ["-", "-"]


def test_sweep_table_gives_the_mean_and_the_spread_over_seeds():
    def row(method, sparsity, loss, accuracy, fewest=5, empty="", zeroed=0.0, units=3):
        return {
            "method": method,
            "sparsity": sparsity,
            "sparsity_of_all_kernels": sparsity / 2,
            "zeroed_fraction": zeroed,
            "training_loss": loss,
            "test_accuracy": accuracy,
            "smallest_kernel_at_start": f"{method}/kernel",
            "its_weights_at_start": fewest,
            "units": 12,
            "units_empty_at_start": units,
            "kernels_empty_at_start": empty,
        }

    rows = [
        row("pruned", 0.9, 0.1, 0.9),
        row("pruned", 0.9, 0.3, 0.7, fewest=4, units=5),
        row("zeroed_init", 0.0, 2.3, 0.1, 0, "a/kernel", zeroed=0.999),
        row("zeroed_init", 0.0, 2.3, 0.1, 0, "a/kernel b/kernel", zeroed=0.999),
    ]
    _, pruned, zeroed = _cells(tables.markdown(tables.sweep_cells(rows)))
    spread = ["0.2000 (0.1000 to 0.3000)", "0.8000 (0.7000 to 0.9000)"]
    assert pruned == ["pruned", "0.9", "0.4500", "0", "2", *spread, "4 in pruned/kernel", "none", "4 of 12"]
    assert zeroed[:4] == ["zeroed_init", "0", "0.0000", "0.999"]
    assert zeroed[-3:] == ["0 in zeroed_init/kernel", "a/kernel, b/kernel", "3 of 12"]


def test_table_of_curves():
    row = {"title": "line", "manifold": "", "steps": 0, "barrier": 4.0, "barrier_lower": 3.5, "barrier_upper": 4.5}
    row |= {"barrier_at": 0.5, "largest_rise": 4.1, "largest_rise_lower": 3.6, "largest_rise_upper": 4.6}
    row |= {"lowest_loss": 0.04, "lowest_at": 1.0, "verdict": "barrier"}
    row |= {"below_both_ends": False, "tolerance": 0.05}
    fitted = {**row, "title": "cubic Bezier curve", "manifold": "dense", "steps": 1200, "verdict": "no_barrier"}
    heading, line, curve = _cells(tables.markdown(tables.curves_cells([row, fitted])))
    assert heading == ["curve", "steps", "barrier", "at t", "largest rise", "lowest loss", "verdict"]
    numbers = ["4.000 (3.500 to 4.500)", "0.50", "4.100 (3.600 to 4.600)", "0.0400 at 1.00"]
    assert line == ["line", "-", *numbers, "barrier"]
    assert curve == ["cubic Bezier curve, dense", "1,200", *numbers, "no barrier"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "undecided, dips below both ends"),
        ({"verdict": "no_barrier"}, "no barrier, dips below both ends"),
        ({"verdict": "barrier"}, "barrier"),
        ({"barrier_upper": 0.05}, "no barrier, a rise undecided, dips below both ends"),
        ({"below_both_ends": False}, "undecided"),
    ],
)
def test_verdicts_of_curves_in_words(changes, words):
    climbs = {f"{climb}{bound}": 0.0 for climb in ("barrier", "largest_rise") for bound in ("", "_lower", "_upper")}
    row = {"title": "line", "manifold": "", "steps": 0, **climbs, "barrier_upper": 0.06, "barrier_at": 0.0}
    row |= {"lowest_loss": 0.01, "lowest_at": 0.5, "below_both_ends": True, "tolerance": 0.05}
    assert _cells(tables.markdown(tables.curves_cells([row | {"verdict": "undecided"} | changes])))[1][-1] == words


def test_paths_of_a_study_are_told_with_their_ends_and_seed():
    row = {"start": "S-S", "end": "P-S", "seed": 3}
    curve = {
        "title": "line",
        "manifold": "",
        "steps": 0,
        "verdict": "barrier",
        "barrier_at": 0.5,
        "lowest_loss": 0.1,
        "lowest_at": 1.0,
        "below_both_ends": False,
        "tolerance": 0.05,
    }
    bounds = {f"{name}{end}": 0.25 for name in ("barrier", "largest_rise") for end in ("", "_lower", "_upper")}
    (cells,) = tables.study_paths_cells([{**row, **curve, **bounds}])
    assert list(cells)[:4] == ["from", "to", "seed", "curve"]
    assert list(cells.values())[:4] == ["S-S", "P-S", "3", "line"]
