"""Tables: for the terminal, and as Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from rich import box
from rich.table import Table

from sparse_rigl_lands.reporting import words


def sparsity_table(summary: dict[str, Any]) -> Table:
    """What every kernel has kept, against its target, from ``summary.json``."""
    table = Table(
        title=f"Sparsity after step {summary['global_step']:,}",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 0, 0, 1),
    )
    table.add_column("kernel", overflow="fold")
    for column in ("shape", "weights", "at start", "kept", "sparsity"):
        table.add_column(column, justify="right")
    layers = summary["layers"]
    counts = ("weights", "nonzero_at_start", "kept")
    for layer in layers:
        shape = "x".join(map(str, layer["shape"]))
        table.add_row(layer["kernel"], shape, *(f"{layer[column]:,}" for column in counts), f"{layer['sparsity']:.4f}")
    totals = (sum(layer[column] for layer in layers) for column in counts)
    table.add_section()
    table.add_row("all", "", *(f"{total:,}" for total in totals), f"{summary['sparsity']:.4f}")
    return table


def solutions_cells(rows: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """The table of solutions, from rows of ``describe_solution``."""
    return [
        {
            "run": row["run"],
            "point": row["point"],
            "sparsity": f"{row['sparsity']:.4f}",
            "training loss": f"{row['training_loss']:.4f} ± {row['training_loss_error']:.4f}",
            "gradient norm, sparse (noise)": f"{row['gradient_norm_sparse']:.3f} ({row['gradient_noise_sparse']:.3f})",
            "gradient norm, dense (noise)": f"{row['gradient_norm_dense']:.3f} ({row['gradient_noise_dense']:.3f})",
            "test accuracy": f"{row['test_accuracy']:.4f}",
            "from initialization": f"{row['distance_from_initialization']:.2f}",
            "to P-S": _if_there(row["distance_to_pruned"], ".2f"),
            "mask overlap with P-S": _if_there(row["mask_overlap_with_pruned"], ".4f"),
        }
        for row in rows
    ]


def sweep_cells(rows: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """What a sweep found, from rows of ``sweep.results``: the mean, and lowest to highest over seeds."""

    def spread(values: pd.Series) -> str:
        return f"{values.mean():.4f} ({values.min():.4f} to {values.max():.4f})"

    table = []
    groups = pd.DataFrame(rows).groupby(["zeroed_fraction", "sparsity", "method"], sort=True)
    for (fraction, sparsity, method), runs in groups:
        empty = sorted({name for names in runs["kernels_empty_at_start"] for name in names.split()})
        smallest = runs.loc[runs["its_weights_at_start"].idxmin()]
        weights, kernel = smallest["its_weights_at_start"], smallest["smallest_kernel_at_start"]
        table.append(
            {
                "method": method,
                "sparsity": f"{sparsity:g}",
                "of all kernels": f"{runs['sparsity_of_all_kernels'].mean():.4f}",
                "zeroed": f"{fraction:g}",
                "runs": len(runs),
                "training loss": spread(runs["training_loss"]),
                "test accuracy": spread(runs["test_accuracy"]),
                "fewest weights at start": f"{weights} in {kernel}",
                "kernels without any": ", ".join(empty) or "none",
                "units without any": f"{runs['units_empty_at_start'].mean():.0f} of {smallest['units']}",
            }
        )
    return table


def curves_cells(rows: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """What there is to say of paths, from rows of ``path_runs.path_row``."""

    def bounds(row: dict[str, Any], name: str) -> str:
        return f"{row[name]:.3f} ({words.bounds(row[f'{name}_lower'], row[f'{name}_upper'])})"

    return [
        {
            "curve": f"{row['title']}, {row['manifold']}" if row["manifold"] else row["title"],
            "steps": f"{row['steps']:,}" if row["steps"] else "-",
            "barrier": bounds(row, "barrier"),
            "at t": f"{row['barrier_at']:.2f}",
            "largest rise": bounds(row, "largest_rise"),
            "lowest loss": f"{row['lowest_loss']:.4f} at {row['lowest_at']:.2f}",
            "verdict": _verdict(row),
        }
        for row in rows
    ]


def study_paths_cells(rows: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """What there is to say of the paths of a study, from rows of ``study_results``."""
    of_study = [{"from": row["start"], "to": row["end"], "seed": str(row["seed"])} for row in rows]
    return [{**first, **rest} for first, rest in zip(of_study, curves_cells(rows), strict=True)]


def markdown(cells: Sequence[Mapping[str, str]]) -> str:
    """A table as Markdown."""
    return pd.DataFrame(cells).to_markdown(index=False, disable_numparse=True)


def _verdict(row: dict[str, Any]) -> str:
    """In words. A rise that is undecided leaves no doubt of a barrier whose bounds are within the tolerance."""
    verdict = row["verdict"].replace("_", " ")
    if row["verdict"] == "undecided" and row["barrier_upper"] <= row["tolerance"]:
        verdict = "no barrier, a rise undecided"
    dips = row["below_both_ends"] and row["verdict"] != "barrier"
    return f"{verdict}, dips below both ends" if dips else verdict


def _if_there(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
