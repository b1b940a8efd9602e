"""The pruned run that another run builds upon: its mask, and the weights that it once had."""

import dataclasses

import gin

from sparse_rigl_lands import checks, files, project, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.points import checkpoint as checkpoints
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.training.summary import Summary, load_solution


@gin.configurable(module="sparse_rigl_lands")
@dataclasses.dataclass(frozen=True)
class PrunedRun:
    """Where the pruned run lies.

    Args:
      directory: of the run; None is ``pruned-seed<seed>``, that of the same seed, beside the run that
        builds upon it.
      gin_file: that of the pruned run, to say how it is made when it is not there.

    Raises:
      InputError: one of them is no path.
    """

    directory: str | None = None
    gin_file: str | None = None

    def __post_init__(self) -> None:
        checks.path("PrunedRun.directory", self.directory, others=(None,))
        checks.path("PrunedRun.gin_file", self.gin_file, others=(None,))

    def located(self, run: files.RunFiles, seed: int) -> files.RunFiles:
        """The pruned run's files, whether they are there or not.

        Args:
          run: the run that builds upon it.
          seed: of that run.
        """
        return run.beside("pruned", seed) if self.directory is None else files.RunFiles(self.directory)

    def solution(self, run: files.RunFiles, origin: Origin) -> Point:
        """P-S, the final point of the pruned run.

        Args:
          run: the run that builds upon it.
          origin: of that run.

        Raises:
          InputError: there is no such run, it is not finished, it is of another workload, or not sparse.
        """
        pruned = self._finished(run, origin)
        solution = load_solution(pruned)
        if not solution.mask.arrays:
            raise InputError(f"the run {pruned.directory} has no mask: its solution is dense")
        return solution

    def at_step(self, run: files.RunFiles, origin: Origin, step: int) -> Point:
        """The pruned run's point at an earlier global step.

        Args:
          run, origin: see ``solution``.
          step: 0 is D-I, its dense initialization.

        Raises:
          InputError: as ``solution``, or it kept no checkpoint of that step.
        """
        pruned = self._finished(run, origin)
        try:
            checkpoints.check_step(pruned, step)
        except InputError as error:
            advice = "Recipe.keep_steps says which a run keeps besides its first and last"
            raise InputError(f"{error}. {origin.method} starts from that of this pruned run; {advice}") from error
        return checkpoints.load_step(pruned, step).point

    def _finished(self, run: files.RunFiles, origin: Origin) -> files.RunFiles:
        pruned = self.located(run, origin.seed)
        try:
            files.finished_run(str(pruned.directory))
        except InputError as error:
            advice = f"make it first: {self._command(pruned, origin.seed)}"
            raise InputError(f"{error}. {origin.method} builds upon this pruned run; {advice}") from error
        workload = storage.read_json(pruned.summary, Summary)["workload"]
        if workload != origin.workload:
            raise InputError(f"the pruned run {pruned.directory} is of workload {workload}, not {origin.workload}")
        return pruned

    def _command(self, pruned: files.RunFiles, seed: int) -> str:
        gin_file = self.gin_file or "<the gin file of the pruned run>"
        flags = (f"--gin_file={gin_file}", f"--seed={seed}", f"--output_dir={pruned.directory}")
        return project.typed([*project.command("train"), *flags])
