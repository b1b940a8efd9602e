"""One reader under atheris: ``python -m tests.fuzz.worker NAME INPUTS SEED CORPUS FOUND``, which ends the process.

The corpus is changed. What is counted, and inputs that find something, are left in the last directory; libFuzzer adds
those that take too long or too much memory, or end the process by a signal.
"""

import pathlib
import random
import sys
import traceback

import atheris
import numpy as np

from tests.fuzz.bounds import BYTES, COUNTS, MEGABYTES, SECONDS

with atheris.instrument_imports(include=["sparse_rigl_lands", "gin"]):
    from tests.fuzz.corpus import Corpus
    from tests.fuzz.targets import REFUSED, TARGETS


def main(name: str, inputs: int, seed: int, made: Corpus, found: pathlib.Path) -> None:
    target = TARGETS[name]
    counts = np.memmap(found / "counts", "int64", "r+", shape=len(COUNTS))  # outlives this process
    real, seeds = target.seed(made), found / "seeds"
    seeds.mkdir()
    (seeds / "real").write_bytes(real)
    known: set[object] = set()

    def test(content: bytes) -> None:
        counts[0] += 1
        counts[4] = _peak()
        try:
            target(made, content)
            counts[2] += 1
        except REFUSED:
            counts[1] += 1
        except Exception as error:
            counts[3] += 1
            place = traceback.extract_tb(error.__traceback__)[-1]
            if (type(error), place.filename, place.lineno) not in known:  # else it is the same once more
                known.add((type(error), place.filename, place.lineno))
                (found / f"traceback-{len(known)}").write_bytes(content)
                traceback.print_exc()

    def mutate(content: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        match chance.randrange(3):
            case 0:
                return target.mutation(real, chance)[:most]
            case 1:
                return target.mutation(content, chance)[:most]
            case _:
                return atheris.Mutate(content, most)

    bounds = [f"-timeout={SECONDS}", f"-rss_limit_mb={MEGABYTES}", f"-max_len={BYTES}", "-len_control=0"]
    run = [f"-runs={inputs}", f"-seed={seed + 1}", f"-artifact_prefix={found}/", str(seeds)]
    atheris.Setup([sys.argv[0], *bounds, *run], test, custom_mutator=mutate)
    atheris.Fuzz()


def _peak() -> int:
    """The most megabytes that this process had; ``resource`` would tell those of its parent, too."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) // 1024


if __name__ == "__main__":
    name, inputs, seed, corpus, found = sys.argv[1:]
    main(name, int(inputs), int(seed), Corpus(pathlib.Path(corpus)), pathlib.Path(found))
