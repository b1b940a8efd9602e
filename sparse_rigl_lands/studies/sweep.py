"""Sweeps: methods x sparsities x seeds, and the fractions of a zeroed initialization.

A run of the sweep lies at ``sparsity-0.99/scratch-seed6`` within its directory, beside the pruned run
that it builds upon; ``dense-seed6`` and ``zeroed-0.9/zeroed_init-seed6`` are the others.
"""

import dataclasses
import re
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import gin
from typing_extensions import TypedDict

from sparse_rigl_lands import checks, files, project, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.studies import settings
from sparse_rigl_lands.studies.jobs import Job
from sparse_rigl_lands.studies.software import software
from sparse_rigl_lands.training.summary import Summary

_SPARSE = ("pruned", "lottery", "scratch")
_FROM_PRUNED = ("lottery", "scratch")
_DEFAULTS = {"Pruned": ["@uniform"], "ZeroedInit": ["@uniform"]}  # their distributions, where gin binds none

# (gin file, bindings) -> the whole configuration that they amount to
Configuration = Callable[[str, Sequence[str]], str]


@dataclasses.dataclass(frozen=True)
class SweepRun:
    """One run of a sweep.

    Args:
      name: its directory within the sweep's.
      method: how it is trained.
      seed: of the run.
      sparsity: that was asked for, 0 for a dense one.
      zeroed_fraction: of the initialization, for runs that are not sparse.
      bindings: what its gin file is given besides.
      needs: the run that must be finished before.
    """

    name: str
    method: str
    seed: int
    sparsity: float = 0.0
    zeroed_fraction: float = 0.0
    bindings: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def check_sparsity(self, gin_file: str, configuration: str, parameter: str) -> None:
        """Refuses a configuration in which the sparsity is not what figures would tell.

        Lottery and scratch are not asked: unless they are given another mask, theirs is that of the run that they need.

        Args:
          gin_file: of the run.
          configuration: all that its gin file and bindings amount to.
          parameter: what is to set the sparsity, or the zeroed fraction.

        Raises:
          InputError: it does not: a binding overrides it, or the gin file has another distribution.
        """
        asked = self.zeroed_fraction or self.sparsity
        if not asked or self.needs:
            return
        *_, distribution, name = ("", *parameter.split("."))  # a macro is no distribution's
        found = settings.values_of(configuration, f"{distribution}.{name}".strip("."))
        if set(found) - {repr(asked)}:
            raise InputError(f"{self.name}: a binding sets {parameter} to {' and '.join(found)}, not to {asked}")
        for method in map(_name_of, settings.values_of(configuration, "train.method")):
            used = settings.values_of(configuration, f"{method}.distribution") or _DEFAULTS.get(method, [])
            if used and distribution and distribution not in map(_name_of, used):
                raise InputError(
                    f"{gin_file} has no use for {parameter}: {method}.distribution is {' and '.join(used)}"
                )


def _name_of(reference: str) -> str:
    """Of a configurable that gin binds: ``"@module.uniform()"`` is of ``"uniform"``."""
    return re.split(r"[./]", reference.strip("@()"))[-1]


class RunRow(TypedDict):
    """What figures take from a row of ``runs.csv``."""

    method: str
    seed: int
    sparsity: float
    zeroed_fraction: float
    training_loss: float
    test_accuracy: float
    run: str


@gin.configurable(module="sparse_rigl_lands")
@dataclasses.dataclass(frozen=True)
class Sweep:
    """Which runs are made.

    Args:
      name: of the sweep; ``runs/<name>`` is where it lies unless another directory is given.
      experiments: the directory of the methods' gin files: ``pruned.gin``, ``scratch.gin`` ...
      methods: any of ``dense``, ``pruned``, ``lottery``, ``scratch``. Lottery and scratch build upon
        the pruned run of their sparsity and seed, which is therefore made too.
      sparsities: of the pruned runs.
      seeds: of the runs.
      zeroed_fractions: of the initialization, for dense training; at 0 it is the dense run.
      sparsity_parameter: the gin parameter that sets the sparsity, and the zeroed fraction.
      bindings: gin bindings that every run is given besides its file, such as ``"Recipe.steps = 100"``.
      bindings_of_sparsity: sparsity to more of them, which all methods are given at it.
      processes: how many runs are trained side by side.

    Raises:
      InputError: an unknown method, a sparsity or fraction out of range, or nothing to do.
    """

    name: str
    experiments: str
    methods: Sequence[str] = ("dense", *_SPARSE)
    sparsities: Sequence[float] = ()
    seeds: Sequence[int] = (0,)
    zeroed_fractions: Sequence[float] = ()
    sparsity_parameter: str = "uniform.sparsity"
    bindings: Sequence[str] = ()
    bindings_of_sparsity: Mapping[float, Sequence[str]] = dataclasses.field(default_factory=dict)
    processes: int = 1

    def __post_init__(self) -> None:
        checks.text("Sweep.name", self.name)
        checks.text("Sweep.experiments", self.experiments)
        settings.check_lists(self, "methods", "sparsities", "seeds", "zeroed_fractions", "bindings")
        checks.each("Sweep.methods", self.methods, checks.choice, known=("dense", *_SPARSE))
        checks.each("Sweep.sparsities", self.sparsities, checks.number, above=0, below=1)
        checks.each("Sweep.zeroed_fractions", self.zeroed_fractions, checks.number, least=0, below=1)
        checks.each("Sweep.seeds", self.seeds, checks.whole_number)
        checks.whole_number("Sweep.processes", self.processes, least=1)
        checks.mapping("Sweep.bindings_of_sparsity", self.bindings_of_sparsity)
        for sparsity, bindings in self.bindings_of_sparsity.items():
            checks.listed(f"Sweep.bindings_of_sparsity[{sparsity!r}]", bindings)
        if unknown := set(self.bindings_of_sparsity) - set(self.sparsities):
            raise InputError(f"Sweep.bindings_of_sparsity names {min(unknown)}, which is none of Sweep.sparsities")
        if not self.runs():
            raise InputError("the sweep has no runs: give Sweep.sparsities or Sweep.zeroed_fractions, and Sweep.seeds")

    def runs(self) -> list[SweepRun]:
        """All runs, each after what it builds upon."""
        return [run for seed in self.seeds for run in self._runs_of_seed(seed)]

    def _runs_of_seed(self, seed: int) -> list[SweepRun]:
        runs = []
        if "dense" in self.methods or 0 in self.zeroed_fractions:
            runs.append(SweepRun(f"dense-seed{seed}", "dense", seed))
        for sparsity in self.sparsities:
            directory = f"sparsity-{sparsity}"
            pruned = f"{directory}/pruned-seed{seed}"
            more = tuple(self.bindings_of_sparsity.get(sparsity, ()))
            if set(self.methods) & set(_SPARSE):
                binding = (f"{self.sparsity_parameter} = {sparsity}", *more)
                runs.append(SweepRun(pruned, "pruned", seed, sparsity, bindings=binding))
            runs += [
                SweepRun(f"{directory}/{method}-seed{seed}", method, seed, sparsity, bindings=more, needs=(pruned,))
                for method in _FROM_PRUNED
                if method in self.methods
            ]
        for fraction in self.zeroed_fractions:
            if fraction:
                name = f"zeroed-{fraction}/zeroed_init-seed{seed}"
                binding = (f"{self.sparsity_parameter} = {fraction}",)
                runs.append(SweepRun(name, "zeroed_init", seed, zeroed_fraction=fraction, bindings=binding))
        return runs

    def gin_file(self, run: SweepRun) -> str:
        return f"{self.experiments}/{run.method}.gin"


def jobs_of(sweep: Sweep, sweep_files: files.SweepFiles, configuration: Configuration) -> list[Job]:
    """The call of ``train.py`` that makes every run.

    Args:
      sweep: which runs.
      sweep_files: where they lie.
      configuration: of a gin file and bindings; it refuses what is malformed.

    Raises:
      InputError: of ``configuration``, or what it amounts to has not the sparsity of a run.
    """

    def job(run: SweepRun) -> Job:
        gin_file, bindings = sweep.gin_file(run), (*run.bindings, *sweep.bindings)
        files_of_run = sweep_files.run(run.name)
        command = [*project.command("train"), f"--gin_file={gin_file}", *(f"--gin_param={b}" for b in bindings)]
        command += [f"--seed={run.seed}", f"--output_dir={files_of_run.directory}"]
        # Other software may give another result: train.py is then asked whether it recognises the run.
        own = configuration(gin_file, bindings)
        run.check_sparsity(gin_file, own, sweep.sparsity_parameter)
        everything = f"{own}\n{versions}"
        parts = files_of_run.small_parts()
        return Job(run.name, tuple(command), everything, files_of_run.summary, run.needs, run.method, parts)

    versions = software()
    return [job(run) for run in sweep.runs()]


def results(sweep: Sweep, sweep_files: files.SweepFiles, finished: Container[str]) -> list[dict[str, Any]]:
    """What came out, one row per finished run; written to ``runs.csv``.

    Args:
      sweep: which runs.
      sweep_files: where they lie.
      finished: the names of those that are finished, under this configuration.

    Returns:
      Rows of method, seed, sparsity asked for and met, zeroed fraction, training loss (cross-entropy
      on the augmented training images, in nats) with its standard error, test accuracy and of how many images it
      is, the kernel that started with the fewest weights, how many those are, the kernels that started without
      any, the units (output channels) that did, of how many, and the run.
    """
    rows = rows_of(sweep, sweep_files, finished)
    if rows:
        storage.write_csv(sweep_files.table, rows)
    return rows


def rows_of(sweep: Sweep, sweep_files: files.SweepFiles, finished: Container[str]) -> list[dict[str, Any]]:
    """The rows of ``results``, not written.

    Raises:
      InputError: the summary of a run is damaged.
    """
    rows = []
    for run in sweep.runs():
        if run.name not in finished:
            continue
        path = sweep_files.run(run.name).summary
        summary = storage.read_json(path, Summary)
        layers = summary["layers"]
        if not (layers and all(layer["shape"] for layer in layers)):
            raise InputError(f"{path} is damaged: it tells of no kernels, or of one without a shape")
        at_start = {layer["kernel"]: layer["nonzero_at_start"] for layer in layers}
        sparsest = min(at_start, key=lambda name: at_start[name])
        rows.append(
            {
                "method": run.method,
                "seed": run.seed,
                "sparsity": run.sparsity,
                "sparsity_of_all_kernels": summary["sparsity"],
                "zeroed_fraction": run.zeroed_fraction,
                "training_loss": summary["train_augmented"]["cross_entropy"],
                "training_loss_error": summary["train_augmented"]["cross_entropy_error"],
                "test_accuracy": summary["test"]["accuracy"],
                "test_images": summary["test"]["count"],
                "smallest_kernel_at_start": sparsest,
                "its_weights_at_start": at_start[sparsest],
                "kernels_empty_at_start": " ".join(name for name, count in at_start.items() if count == 0),
                "units": sum(layer["shape"][-1] for layer in layers),
                "units_empty_at_start": sum(layer["units_empty_at_start"] for layer in layers),
                "run": run.name,
            }
        )
    return rows
