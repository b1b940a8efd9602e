"""Tables for the terminal."""

from typing import Any

from rich import box
from rich.table import Table


def sparsity_table(summary: dict[str, Any]) -> Table:
    """What every kernel has kept, against its target, from ``summary.json``."""
    table = Table(
        title=f"Sparsity after step {summary['global_step']:,}",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 0, 0, 1),
    )
    table.add_column("kernel", overflow="fold")
    for column in ("shape", "weights", "kept", "sparsity", "target"):
        table.add_column(column, justify="right")
    layers = summary["layers"]
    for layer in layers:
        shape = "x".join(map(str, layer["shape"]))
        counts = f"{layer['weights']:,}", f"{layer['kept']:,}"
        table.add_row(layer["kernel"], shape, *counts, f"{layer['sparsity']:.4f}", f"{layer['target']:.4f}")
    weights, kept = (sum(layer[column] for layer in layers) for column in ("weights", "kept"))
    table.add_section()
    table.add_row("all", "", f"{weights:,}", f"{kept:,}", f"{1 - kept / weights:.4f}", "")
    return table
