"""Masks, how sparsity is distributed over layers, and the variants of a network."""
