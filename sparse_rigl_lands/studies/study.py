"""The whole study: every solution over seeds, the paths between them, and what the paper's figures are drawn from.

Within the study's directory a training run lies where a sweep puts it, ``sparsity-0.99/scratch-seed2``; a path
at ``paths/S-S_to_P-S/cubic_dense-1200-seed2``, where the points are called as in the paper's Figure 2:

    ===  ==================================================================
    D-I  the dense initialization of the pruned run
    P-S  the pruned solution
    L-I  D-I under P-S's mask, or where ``Lottery.rewind_step`` leads to
    L-S  the lottery solution
    S-I  a fresh initialization under P-S's mask
    S-S  the scratch solution
    D-S  the dense solution
    ===  ==================================================================
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import gin

from sparse_rigl_lands import checks
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.studies import path_runs, settings
from sparse_rigl_lands.studies.path_runs import LINE, PathRun
from sparse_rigl_lands.studies.sweep import Sweep, SweepRun

# The method whose run a point belongs to, and whether it is the run's last one.
POINTS = {
    "D-I": ("pruned", False),
    "P-S": ("pruned", True),
    "L-I": ("lottery", False),
    "L-S": ("lottery", True),
    "S-I": ("scratch", False),
    "S-S": ("scratch", True),
    "D-S": ("dense", True),
}
GOOD, BAD, INITIALIZATIONS = "P-S", "S-S", ("D-I", "L-I", "S-I")


@dataclasses.dataclass(frozen=True)
class StudyPath:
    """A path between two points of one seed.

    Args:
      run: the path.
      seed: of the points, and of the path.
      start, end: as Figure 2 calls them.
      claim: of the paper, that it decides; 0 for none.
    """

    run: PathRun
    seed: int
    start: str
    end: str
    claim: int = 0

    @property
    def name(self) -> str:
        """Its directory within the study's."""
        return f"paths/{self.start}_to_{self.end}/{self.run.name}-seed{self.seed}"


@gin.configurable(module="sparse_rigl_lands")
@dataclasses.dataclass(frozen=True)
class Study:
    """What is trained and evaluated.

    Args:
      name: of the study; ``runs/<name>`` is where it lies unless another directory is given.
      experiments: the directory of the gin files: ``pruned.gin``, ``line.gin``, ``cubic_dense.gin`` ...
      sparsity: that of the solutions that are compared.
      methods: any of ``dense``, ``pruned``, ``lottery``, ``scratch``; all points of the paths must be theirs.
      seeds: of these solutions, and of the zeroed initializations.
      other_sparsities: of Figure 1.
      other_seeds: of the runs at these.
      zeroed_fractions: of Figure 5; with any, the dense run is made too.
      lines: the pairs of points of Figure 3, such as ``"S-I to P-S"``.
      sparse_curves, dense_curves: of Figure 4, from S-S to P-S: gin files, without ``.gin``, that are fitted within
        the sparse subspace, and with every connection.
      budget: the steps of every fit that Figure 4 shows: the macro ``BUDGET`` of the curves' gin files.
      other_budgets: the steps of further fits of every curve, for the first of the seeds.
      path_seeds: those whose points the paths connect.
      sparsity_parameter: the gin parameter that sets the sparsity, and the zeroed fraction.
      bindings: gin bindings that every training run is given besides its file.
      bindings_of_sparsity: sparsity to more of them, which all methods are given at it.
      path_bindings: gin bindings that every path is given besides its file.
      confidence: of all bounds of a claim together.
      accuracy_tolerance: a loss of accuracy that does not count.
      processes: how many commands run side by side.

    Raises:
      InputError: an unknown point, a setting out of range, or seeds that have no solutions.
    """

    name: str
    experiments: str
    sparsity: float
    budget: int
    methods: Sequence[str] = ("dense", "pruned", "lottery", "scratch")
    seeds: Sequence[int] = (0,)
    other_sparsities: Sequence[float] = ()
    other_seeds: Sequence[int] = ()
    zeroed_fractions: Sequence[float] = ()
    lines: Sequence[str] = (
        "L-I to P-S",
        "S-I to P-S",
        "L-I to L-S",
        "S-I to S-S",
        "L-S to P-S",
        "S-S to P-S",
        "S-S to L-S",
    )
    sparse_curves: Sequence[str] = ("quadratic_sparse", "cubic_sparse")
    dense_curves: Sequence[str] = ("quadratic_dense", "cubic_dense")
    other_budgets: Sequence[int] = ()
    path_seeds: Sequence[int] = (0,)
    sparsity_parameter: str = "uniform.sparsity"
    bindings: Sequence[str] = ()
    bindings_of_sparsity: Mapping[float, Sequence[str]] = dataclasses.field(default_factory=dict)
    path_bindings: Sequence[str] = ()
    confidence: float = 0.95
    accuracy_tolerance: float = 0.01
    processes: int = 1

    def __post_init__(self) -> None:
        checks.text("Study.name", self.name)
        checks.text("Study.experiments", self.experiments)
        lists = ("lines", "sparse_curves", "dense_curves", "other_budgets", "path_seeds", "path_bindings")
        settings.check_lists(self, "seeds", "other_sparsities", "other_seeds", "zeroed_fractions", *lists)
        path_runs.check_curves(self, "sparse_curves", "dense_curves")
        path_runs.check_budgets(self, self.budget, self.other_budgets)
        for line in self.lines:
            ends = line.split(" to ") if isinstance(line, str) else []
            if len(ends) != 2 or set(ends) - set(POINTS) or ends[0] == ends[1]:
                known = ", ".join(POINTS)
                raise InputError(f"Study.lines names {line!r}; it must be such as 'S-I to P-S', of the points {known}")
        checks.whole_number("Study.processes", self.processes, least=1)
        for name in ("seeds", "other_seeds", "path_seeds"):
            checks.each(f"Study.{name}", getattr(self, name), checks.whole_number)
        if not self.seeds:
            raise InputError("the study has no solutions: give Study.seeds")
        for seed in self.path_seeds:
            if seed not in self.seeds:
                raise InputError(f"Study.path_seeds names {seed!r}, which is none of Study.seeds")
        if self.sparsity in self.other_sparsities:
            raise InputError(f"Study.other_sparsities names {self.sparsity}, which is Study.sparsity")
        checks.mapping("Study.bindings_of_sparsity", self.bindings_of_sparsity)
        for sparsity in self.bindings_of_sparsity:
            if sparsity not in (self.sparsity, *self.other_sparsities):
                raise InputError(f"Study.bindings_of_sparsity names {sparsity!r}, which is no sparsity of the study")
        checks.number("Study.confidence", self.confidence, least=0.5, below=1)
        checks.number("Study.accuracy_tolerance", self.accuracy_tolerance, least=0, below=1)
        made = {run.method for run in self.sweeps()[0].runs()}  # which refuses what no run can be made of
        for path in self.paths():
            for point in (path.start, path.end):
                if POINTS[point][0] not in made:
                    raise InputError(
                        f"a path from {path.start} to {path.end} needs a {POINTS[point][0]} run, "
                        "which Study.methods does not name"
                    )

    def sweeps(self) -> list[Sweep]:
        """All training runs: at the study's sparsity, and at the others."""
        make = functools.partial(
            Sweep,
            self.name,
            self.experiments,
            sparsity_parameter=self.sparsity_parameter,
            bindings=self.bindings,
        )

        def more(sparsities: Sequence[float]) -> dict[float, Sequence[str]]:
            return {key: value for key, value in self.bindings_of_sparsity.items() if key in sparsities}

        fractions = tuple(fraction for fraction in self.zeroed_fractions if fraction)
        main = make(
            methods=self.methods,
            sparsities=(self.sparsity,),
            seeds=self.seeds,
            zeroed_fractions=fractions and (0, *fractions),
            bindings_of_sparsity=more((self.sparsity,)),
        )
        if not self.other_sparsities or not self.other_seeds:
            return [main]
        return [
            main,
            make(
                methods=tuple(method for method in self.methods if method != "dense"),
                sparsities=self.other_sparsities,
                seeds=self.other_seeds,
                bindings_of_sparsity=more(self.other_sparsities),
            ),
        ]

    def paths(self) -> list[StudyPath]:
        """All paths: the lines, the curves of the main budget, then those of the others."""
        return [
            *(path for seed in self.path_seeds for path in self._lines(seed)),
            *(path for seed in self.path_seeds for path in self._curves(seed, self.budget)),
            *(
                path
                for steps in self.other_budgets
                for seed in self.path_seeds[:1]
                for path in self._curves(seed, steps)
            ),
        ]

    def confidence_of_a_path(self, claim: int) -> float:
        """With which the bounds of each path of a claim hold, so that those of all do with the study's (Bonferroni)."""
        return 1 - (1 - self.confidence) / sum(path.claim == claim for path in self.paths())

    def _lines(self, seed: int) -> list[StudyPath]:
        gin_file, lines = f"{self.experiments}/{LINE}.gin", []
        for ends in self.lines:
            start, end = ends.split(" to ")
            claim = 2 if start in INITIALIZATIONS and end == GOOD else 3 if (start, end) == (BAD, GOOD) else 0
            run = PathRun(LINE, LINE, gin_file, bindings=tuple(self.path_bindings))
            lines.append(StudyPath(run, seed, start, end, claim))
        return lines

    def _curves(self, seed: int, steps: int) -> list[StudyPath]:
        return [
            StudyPath(run, seed, BAD, GOOD, claim if steps == self.budget else 0)
            for claim, curves in ((3, self.sparse_curves), (4, self.dense_curves))
            for run in path_runs.fitted(curves, self.experiments, steps, self.path_bindings)
        ]

    def run_of(self, point: str, seed: int) -> SweepRun:
        """The training run that a point is the first or the last of."""
        method, _ = POINTS[point]
        runs = self.sweeps()[0].runs()
        return next(run for run in runs if (run.method, run.seed) == (method, seed))
