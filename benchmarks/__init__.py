"""Side-by-side ratios, each against its limit and against what a user would pick instead.

Where speeds are compared, the calls take turns in one process, and medians are told. A peak of memory is that of a
process of its own; ``precision`` and ``images_saved`` compare results, and ``scaling`` computes what it tells. Each
names the machine, writes JSON beside its table, and ends with a non-zero status where anything is not within its
bounds: ``python -m benchmarks.train_step``.
"""
