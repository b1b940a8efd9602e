"""What a study is going to compute, told before it is begun."""

import collections
import inspect
from collections.abc import Callable, Container, Sequence
from typing import Any

import gin

from sparse_rigl_lands.paths.fitting import Fitting
from sparse_rigl_lands.paths.plan import ENDS
from sparse_rigl_lands.paths.preparation import prepare_path
from sparse_rigl_lands.paths.sample import Sample
from sparse_rigl_lands.studies import settings
from sparse_rigl_lands.studies.study import Study, StudyPath
from sparse_rigl_lands.studies.sweep import Sweep, SweepRun
from sparse_rigl_lands.training.recipe import Recipe
from sparse_rigl_lands.training.stage import Stage, stage_flops
from sparse_rigl_lands.training.workload import Workload

_DEFAULT_PLACES: int = inspect.signature(prepare_path).parameters["num_points"].default
# (gin file, bindings, what is made) -> what was made under them
Configured = Callable[[str, Sequence[str], Callable[..., Any]], Any]


def plan_of(study: Study, names: Container[str], configured: Configured) -> list[Stage]:
    """The work of a study by kind: training of every method, evaluated lines, curves by the steps of their fits.

    The table of solutions, whose gradients take little, is left out. A lottery that rewinds takes fewer steps
    than is told.

    Args:
      study: which one.
      names: of the steps that are asked for.
      configured: see above.

    Returns:
      A stage per kind, in the order in which they are begun; ``name`` says of how many commands.
    """
    trainings = [(each, run) for each in study.sweeps() for run in each.runs() if run.name in names]
    paths = [path for path in study.paths() if path.name in names]
    first = study.sweeps()[0]
    workload = configured(first.gin_file(first.runs()[0]), study.bindings, Workload)
    images, test_images = (workload.dataset.num_examples(split) for split in ("train", "test"))

    def of_training(sweep: Sweep, run: SweepRun) -> tuple[str, int, int]:
        recipe = configured(sweep.gin_file(run), (*run.bindings, *sweep.bindings), Recipe)
        trained = recipe.steps * recipe.batch_size
        return f"training, {run.method}", trained + images + test_images, trained

    def of_path(path: StudyPath) -> tuple[str, int, int]:
        gin_file, bindings = path.run.gin_file, path.run.bindings
        configuration = configured(gin_file, bindings, gin.config_str)
        places = settings.whole_number(configuration, "interpolate.num_points", _DEFAULT_PLACES)
        sample = configured(gin_file, bindings, Sample)
        fitted = 0
        if path.run.steps:
            fitting = configured(gin_file, bindings, Fitting)
            fitted = fitting.steps * fitting.batch_size
        kind = f"curves, {path.run.steps:,} steps" if path.run.steps else "lines"
        return kind, fitted + (places + ENDS) * sample.looks(images, 1, 1)[-1], fitted

    counts: collections.Counter[str] = collections.Counter()
    forward: collections.Counter[str] = collections.Counter()
    backward: collections.Counter[str] = collections.Counter()
    for kind, forwards, backwards in [*(of_training(*each) for each in trainings), *map(of_path, paths)]:
        counts[kind] += 1
        forward[kind] += forwards
        backward[kind] += backwards
    network = workload.network
    return [
        Stage(
            f"{kind} ({count})", forward[kind], backward[kind], stage_flops(network, forward[kind], backward[kind]), {}
        )
        for kind, count in counts.items()
    ]
