"""The commands of a study, each after what it needs."""

from collections.abc import Collection

from sparse_rigl_lands import files, project
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.fitting import Fitting
from sparse_rigl_lands.studies import settings, sweep
from sparse_rigl_lands.studies.jobs import Job
from sparse_rigl_lands.studies.path_runs import LINE
from sparse_rigl_lands.studies.software import software
from sparse_rigl_lands.studies.study import BAD, GOOD, POINTS, Study, StudyPath
from sparse_rigl_lands.studies.sweep import Configuration

TABLE_OF_SOLUTIONS = "solutions"  # the job


def jobs_of(study: Study, written: files.StudyFiles, configuration: Configuration) -> list[Job]:
    """All commands of a study: the runs, the table of their solutions, and the paths, each after what it needs.

    Args:
      study: which ones.
      written: where their results lie.
      configuration: of a gin file and bindings; it refuses what is malformed.

    Raises:
      InputError: of ``configuration``; or a curve does not heed the budget, or is fitted in another manifold.
    """
    trainings = [job for each in study.sweeps() for job in sweep.jobs_of(each, written, configuration)]
    by_name = {job.name: job for job in trainings}

    def checkpoint(point: str, seed: int) -> object:
        """As a person names it: a run's directory is its last one."""
        run = written.run(study.run_of(point, seed).name)
        if POINTS[point][1]:
            return run.directory
        configuration = by_name[study.run_of(point, seed).name].configuration
        return run.checkpoint(settings.whole_number(configuration, "Lottery.rewind_step", 0))

    def path_job(path: StudyPath) -> Job:
        run, where = path.run, written.path(path.name)
        own = configuration(run.gin_file, run.bindings)
        run.check_budget(own)
        _check_manifold(path, study, own)
        needs = {point: study.run_of(point, path.seed).name for point in (path.start, path.end)}
        everything = "\n".join([own, *(by_name[name].configuration for name in needs.values())])
        command = run.command(checkpoint(path.start, path.seed), checkpoint(path.end, path.seed), path.seed, where)
        unique = tuple(dict.fromkeys(needs.values()))
        kind = f"path of {run.steps} steps"
        return Job(path.name, command, everything, where.result, unique, kind, where.small_parts())

    solutions = [run.name for run in study.sweeps()[0].runs() if not run.zeroed_fraction]
    table = written.solutions
    command = (*project.command("solutions"), *(str(written.run(name).directory) for name in solutions))
    table_job = Job(
        TABLE_OF_SOLUTIONS,
        (*command, f"--output_dir={table.directory}"),
        "\n".join([software("studies/solutions.py"), *(by_name[name].configuration for name in solutions)]),
        table.table,
        tuple(solutions),
        kind=TABLE_OF_SOLUTIONS,
    )
    return [*trainings, table_job, *map(path_job, study.paths())]


def _check_manifold(path: StudyPath, study: Study, configuration: str) -> None:
    for manifold in ("sparse", "dense"):
        found = settings.values_of(configuration, "Fitting.manifold") or [repr(Fitting.manifold)]
        if path.run.curve in getattr(study, f"{manifold}_curves") and found != [repr(manifold)]:
            raise InputError(
                f"Study.{manifold}_curves names {path.run.curve!r}, which is fitted with Fitting.manifold = {found[0]}"
            )


def needs_of(study: Study, wanted: Collection[str]) -> list[str]:
    """The names of the steps that results are made from.

    Args:
      study: which one.
      wanted: any of ``"figure1"`` to ``"figure5"``, and ``"solutions"``.
    """
    main, *others = study.sweeps()
    sparse = [run.name for each in (main, *others) for run in each.runs() if not run.zeroed_fraction]
    paths = study.paths()
    needs = {
        "figure1": sparse,
        "figure2": [run.name for run in main.runs() if run.seed == study.seeds[0] and run.sparsity],
        "figure3": [path.name for path in paths if path.run.curve == LINE],
        "figure4": [path.name for path in paths if (path.start, path.end) == (BAD, GOOD)],
        "figure5": [run.name for run in main.runs() if not run.sparsity],
        "solutions": [TABLE_OF_SOLUTIONS],
    }
    return [name for each in wanted for name in needs[each]]
