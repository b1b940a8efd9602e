"""Side-by-side ratios, each against its limit and against what a user would pick instead.

Every benchmark interleaves what it compares in one process, takes medians, names the machine, and
writes JSON beside its table: ``python -m benchmarks.train_step``.
"""
