"""Random numbers are stateless, keyed by what they are for.

No generator is ever advanced: a number drawn for one purpose never depends on whether another was
drawn before it, so a run that was killed and started again sees the same ones.
"""

import hashlib


def key(seed: int, purpose: str) -> int:
    """The key of one purpose under a run's seed.

    Args:
      seed: the run's seed, any integer.
      purpose: what the numbers are for, such as ``"initialization/stem/conv/kernel"``.

    Returns:
      An integer in [0, 2**31), the first 31 bits of a SHA-256: keys of different purposes are
      unrelated, so that ``key(0, p)`` and ``key(1, p)`` are as far apart as any two.
    """
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
