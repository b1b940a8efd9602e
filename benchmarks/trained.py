"""Solutions of digits for the benchmarks, trained by the command unless they are there."""

import subprocess
import sys

from sparse_rigl_lands import files


def digits_run(method: str, seed: int = 0) -> files.RunFiles:
    """The finished run of a method; one that is finished already is recognised.

    Args:
      method: such as ``"pruned"``; lottery and scratch need the pruned run of their seed first.
      seed: of the run.
    """
    run = files.default_run("benchmarks", method, seed)
    command = ["train.py", f"--gin_file=gin/digits/{method}.gin", f"--seed={seed}", f"--output_dir={run.directory}"]
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    return run
