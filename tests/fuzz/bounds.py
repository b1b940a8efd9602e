"""What no input may exceed, and what is counted of all."""

SECONDS = 20  # that an input may take
MEGABYTES = 2048  # that a process may hold, TensorFlow's 750 included
BYTES = 2**16  # of an input
COUNTS = ("inputs", "refused", "accepted", "tracebacks", "megabytes")
