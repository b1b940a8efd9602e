"""Points of weight space: frozen values with names, and the checkpoints that hold them."""
