"""The errors that the commands tell in one line; every other exception is a defect of this software."""

# The name scope of operations that decode an image: TensorFlow's message of a damaged one has it.
DECODING_SCOPE = "decoding_of_an_image"


class CommandError(Exception):
    """What was asked for cannot be done; the message is one line, for the person who asked."""


class InputError(CommandError, ValueError):
    """Bad input: a setting, a file or a combination of them."""


class DivergedError(CommandError, ArithmeticError):
    """Training has left the finite numbers."""


class PreemptedError(CommandError):
    """The process has ended before its work, which the same command goes on with."""
