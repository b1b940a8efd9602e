"""Protects: the sparsity table names every kernel whole, with its counts and their sum."""

from rich.console import Console

from sparse_rigl_lands.reporting import tables


def test_sparsity_table():
    names = ["stem/conv/kernel", "block2/projection/conv/kernel"]
    layers = [
        {
            "kernel": name,
            "shape": [3, 3, 64, 64],
            "weights": 36864,
            "kept": kept,
            "sparsity": 1 - kept / 36864,
            "target": target,
        }
        for name, kept, target in zip(names, (36864, 369), (0.0, 0.99), strict=True)
    ]
    console = Console(width=80, record=True, quiet=False)
    console.print(tables.sparsity_table({"global_step": 2000, "layers": layers}))
    text = console.export_text()
    for words in (*names, "3x3x64x64", "2,000", "0.9900", "73,728", "37,233", "0.4950"):
        assert words in text
