"""Evaluates the loss along a path between two checkpoints of one network: a straight line, or a curve that is fitted.

    python interpolate.py --start=runs/a/checkpoints/step_00000000 --end=runs/a
    python interpolate.py --start=runs/b --end=runs/a --gin_file=gin/digits/cubic_dense.gin

A checkpoint is named by its prefix, or by its run's directory for the latest in it. The workload is the one of the
end's run, whose gin configuration lies beside it; --gin_file and --gin_param override. Of a fitted curve whose control
point is the end, no settings are taken over. --dry_run checks everything, tells the plan and its cost, writes nothing.
"""

import inspect
import pathlib
from collections.abc import Callable

from absl import flags

from sparse_rigl_lands import commandline

flags.adopt_module_key_flags(commandline)  # so that --help lists them
_START = flags.DEFINE_string("start", None, "Checkpoint at t = 0: a prefix or a run's directory.")
_END = flags.DEFINE_string("end", None, "Checkpoint at t = 1: a prefix or a run's directory.")
_DRY_RUN = flags.DEFINE_boolean("dry_run", False, "Check everything and print the plan and its cost; write nothing.")


def _defaults(name: str, configurable: Callable) -> list[str]:
    """The gin bindings that give every optional argument its default."""
    arguments = inspect.signature(configurable).parameters.values()
    return [f"{name}.{each.name} = {each.default!r}" for each in arguments if each.default is not each.empty]


def main() -> None:
    import rich

    from sparse_rigl_lands import digests, distribution, files, storage
    from sparse_rigl_lands.errors import InputError
    from sparse_rigl_lands.paths.plan import plan_of
    from sparse_rigl_lands.paths.preparation import prepare_path
    from sparse_rigl_lands.paths.run import interpolate
    from sparse_rigl_lands.paths.sample import Sample
    from sparse_rigl_lands.points import checkpoint
    from sparse_rigl_lands.points.point import Point
    from sparse_rigl_lands.reporting import path_figure, path_words, plans
    from sparse_rigl_lands.workers import Workers

    def load(name: str, prefix: pathlib.Path) -> Point:
        try:
            return checkpoint.load(prefix).point
        except InputError as error:
            raise InputError(f"the {name}: {error}") from error

    prefixes = [files.checkpoint_prefix(name) for name in (_START.value, _END.value)]
    run = files.run_of_checkpoint(prefixes[-1])
    if not run.config.exists() and not commandline.GIN_FILE.value:
        raise InputError(f"{run.config} is missing; say with --gin_file what workload the checkpoints are of")
    configs = [run.config] if run.config.exists() else []
    digests.check(run.digests, configs, are_all=False)
    defaults = [*_defaults("interpolate", prepare_path), *_defaults("Sample", Sample)]
    commandline.parse_gin("interpolate", configs, ["interpolate.workload = @Workload()", *defaults])
    strategy = distribution.strategy()  # before anything else of TensorFlow
    start, end = (load(name, prefix) for name, prefix in zip(("start", "end"), prefixes, strict=True))
    prepared = prepare_path(commandline.OUTPUT_DIR.value, strategy, start, end)
    if _DRY_RUN.value:
        rich.print(plans.path_table(plan_of(prepared)))
        prepared.workload.dataset.check_there()  # it would not begin without
        return
    path = interpolate(prepared)
    if not Workers(strategy).is_chief:
        return
    with path.alone():
        pictures = path_figure.draw_path(path)
    result = storage.read_json(path.result)
    print(f"{result['settings']['curve']} from {start.origin} to {end.origin}, mask: {result['settings']['mask']}")
    print(path_words.describe_path(result))
    if result["verdict"] != "undecided" and len(result["settings"]["looks"]) > 1:
        print(f"decided on {result['images']:,} of {result['settings']['looks'][-1]:,} images")
    print(*path_words.describe_ends(result), path.table, path.result, *pictures, sep="\n")


if __name__ == "__main__":
    commandline.run(main, required=["start", "end"])
