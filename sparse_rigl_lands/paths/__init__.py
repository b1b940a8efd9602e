"""Curves between points of weight space, and the loss along them."""
