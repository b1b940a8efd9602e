"""What is attacked: the five commands, each made short on digits."""

import dataclasses
import pathlib

from tests.commands import SHORT_RUNS, SMALL_TRAINING

_RUNS = [*SHORT_RUNS, "Recipe.checkpoint_every = 10"]
_ONE_THREAD = "strategy.cpu_threads = 1"


@dataclasses.dataclass(frozen=True)
class Subject:
    """A command under attack.

    Args:
      name: as it is called on the command line of the attack.
      command: the script and all of its flags but ``--output_dir``.
      halfway: a pattern of files within its directory: once one is there, about half of its work is done.
      starts_others: whether it has commands of its own, whose files are not all gone on with at once.
    """

    name: str
    command: tuple[str, ...]
    halfway: str
    starts_others: bool = False

    def arguments(self, directory: pathlib.Path) -> list[str]:
        return [*self.command, f"--output_dir={directory}"]


def subjects(run: pathlib.Path) -> dict[str, Subject]:
    """The commands by name.

    Args:
      run: the directory of a finished run of ``SMALL_TRAINING``; paths lead from its start to its end.
    """
    ends = (f"--start={run}/checkpoints/step_00000000", f"--end={run}")
    line = {
        "interpolate.batch_norm": "'recalibrated'",
        "interpolate.num_points": 5,
        "interpolate.batch_size": 8,
        "interpolate.save_every": 0.05,
        "interpolate.gradient_batches": 2,
        "interpolate.per_class": True,
    }
    fit = {"BUDGET": 60, "Fitting.checkpoint_every": 5, "Fitting.log_every": 3, "interpolate.num_points": 3}
    sweep = {"methods": ("scratch",), "sparsities": (0.9,), "zeroed_fractions": (), "seeds": (0,), "bindings": _RUNS}
    study = {
        "methods": ("pruned", "scratch"),
        "lines": ("S-S to P-S",),
        "sparse_curves": (),
        "dense_curves": (),
        "bindings": [*_RUNS, _ONE_THREAD],
        "path_bindings": ["Sample.images = 256", "interpolate.num_points = 3", _ONE_THREAD],
    }
    fitted = "--gin_file=gin/digits/cubic_sparse.gin"
    sweep_flags = _flags({f"Sweep.{name}": value for name, value in sweep.items()})
    sweeping = ("scripts/sweep.py", "--gin_file=gin/digits/sweep.gin", *sweep_flags)
    study_flags = _flags({f"Study.{name}": value for name, value in study.items()})
    reproducing = ("scripts/reproduce.py", "--gin_file=gin/digits/demo.gin", *study_flags)
    all_subjects = (
        Subject("train", ("train.py", *SMALL_TRAINING), "checkpoints/step_00000030.index"),
        Subject("interpolate", ("interpolate.py", *ends, *_flags(line)), "partial_losses.npz"),
        Subject("fit", ("interpolate.py", *ends, fitted, *_flags(fit)), "fit/checkpoints/step_0000003?.index"),
        Subject("sweep", sweeping, "logs/**/*.json", starts_others=True),
        Subject("reproduce", reproducing, "paths/**/*.gin", starts_others=True),
    )
    return {subject.name: subject for subject in all_subjects}


def _flags(settings: dict[str, object]) -> tuple[str, ...]:
    return tuple(f"--gin_param={name}={value}" for name, value in settings.items())
