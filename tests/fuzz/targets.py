"""The readers of the package, each as a function of bytes: these are put where it reads them, and it is called.

Whatever a reader says in one line to the person who has started a command (``errors.CommandError``, ``OSError``) is
raised as it is: the input was refused. Every other exception is a defect.
"""

import dataclasses
import os
import pathlib
import re
from collections.abc import Callable

from sparse_rigl_lands import distribution, files, gin_files, storage
from sparse_rigl_lands.data.faults import fault_of
from sparse_rigl_lands.data.skipped import read_skipped
from sparse_rigl_lands.data.tfds_images import TfdsImages
from sparse_rigl_lands.errors import CommandError
from sparse_rigl_lands.paths.finished_path import FinishedPath
from sparse_rigl_lands.paths.fitting import Fitting
from sparse_rigl_lands.paths.partial_sums import PartialSums, Saving
from sparse_rigl_lands.paths.sample import Sample
from sparse_rigl_lands.points import checkpoint
from sparse_rigl_lands.points.point import Origin
from sparse_rigl_lands.reporting import curve_figures, path_words, tables
from sparse_rigl_lands.reporting.study_figures import figures_of
from sparse_rigl_lands.studies import jobs, path_runs, study_results, sweep
from sparse_rigl_lands.studies.curve_study import CurveStudy
from sparse_rigl_lands.studies.study import Study
from sparse_rigl_lands.studies.sweep import Sweep
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.pruned_run import PrunedRun
from sparse_rigl_lands.training.recipe import Recipe
from sparse_rigl_lands.training.schedules import WarmupCosine, WarmupStepDecay
from sparse_rigl_lands.training.summary import Summary, load_initialization, load_solution
from tests.data.tree import encoded
from tests.fuzz import corpus, mutations
from tests.fuzz.corpus import Corpus
from tests.fuzz.mutations import Mutation
from tests.fuzz.tables import with_right_checksums

REFUSED = (CommandError, OSError)
Read = Callable[[Corpus], object]


@dataclasses.dataclass(frozen=True)
class Target:
    """A reader.

    Args:
      seed: a real input.
      put: writes an input where the reader looks for it.
      read: calls the reader.
      mutation: of its inputs.
      share: of all inputs, in proportion to the others': fast readers get more.
    """

    seed: Callable[[Corpus], bytes]
    put: Callable[[Corpus, bytes], object]
    read: Read
    mutation: Mutation
    share: int

    def __call__(self, made: Corpus, content: bytes) -> None:
        """Gives an input to the reader, among the other files of the corpus.

        Raises:
          CommandError, OSError: it is refused.
        """
        self.put(made, content)
        self.read(made)


def _of_file(file: Callable[[Corpus], pathlib.Path], read: Read, mutation: Mutation, share: int) -> Target:
    return Target(
        lambda made: file(made).read_bytes(),
        lambda made, content: file(made).write_bytes(content),
        read,
        mutation,
        share,
    )


def _checkpoint(made: Corpus) -> bytes:
    prefix = made.checkpoint
    return mutations.joined(files.index_file(prefix).read_bytes(), files.data_file(prefix).read_bytes())


def _put_checkpoint(made: Corpus, content: bytes) -> None:
    index, data = mutations.parted(content)
    files.index_file(made.checkpoint).write_bytes(index)
    files.data_file(made.checkpoint).write_bytes(data)


def _put_right_checkpoint(made: Corpus, content: bytes) -> None:
    index, data = mutations.parted(content)
    _put_checkpoint(made, mutations.joined(with_right_checksums(index, data), data))


def _put_name(made: Corpus, content: bytes) -> None:
    """Names that a person types hold no zero byte, and those of files no slash either."""
    typed = content.replace(b"\0", b"")[:200]
    (made.directory / "typed").write_bytes(typed)
    of_file = made.run.checkpoints / os.fsdecode(typed.replace(b"/", b"") or b"x")
    if not of_file.exists():
        of_file.write_bytes(b"")
        made.left.append(of_file)


def _read_name(made: Corpus) -> None:
    """As what a person types, and as that of a file beside the checkpoints."""
    run, name = made.run, os.fsdecode((made.directory / "typed").read_bytes())
    try:
        checkpoint.load_step(run, corpus.STEPS)
        files.control_point_prefixes(f"{made.directory}/{name}")
        files.finished_run(f"{made.directory}/{name}")
    finally:
        while made.left:
            made.left.pop().unlink(missing_ok=True)


def _without_harm(text: str) -> str:
    """A gin file may import and include what it likes: not here."""
    harmless = re.compile(r"\s*(import\s+sparse_rigl_lands\.[\w.]*|include\s+'gin/[\w/]*\.gin')\s*")
    lines = re.split(r"[\r\n\f\v\x1c-\x1e\x85\u2028\u2029]", text)
    return "\n".join(line for line in lines if harmless.fullmatch(line) or not re.search("import|include", line))


def _put_gin_file(made: Corpus, content: bytes) -> None:
    made.gin_file.write_text(_without_harm(content.decode(errors="surrogateescape")), errors="surrogateescape")


def _read_gin_file(made: Corpus) -> None:
    gin_files.configuration(str(made.gin_file), [])


def _read_bindings(made: Corpus) -> None:
    lines = made.gin_file.read_text(errors="surrogateescape").splitlines()
    gin_files.configuration("gin/digits/study.gin", lines[-3:])


def _read_settings(made: Corpus) -> None:
    """What they bind is made, too: a study, a sweep, a recipe."""
    lines = made.gin_file.read_text(errors="surrogateescape").splitlines()
    refused = None
    for file, made_of_it in _OF_GIN_FILES.items():
        bindings = [line for line in lines if line.startswith(tuple(f"{each.__name__}." for each in made_of_it))]
        try:
            gin_files.configured(f"gin/digits/{file}.gin", bindings, made_of_it[0])
        except REFUSED as error:
            refused = error  # the others are made all the same
        except TypeError as error:
            if not gin_files.lacks_a_binding(error):  # which commands tell in one line
                raise
    if refused:
        raise refused


def _read_summary(made: Corpus) -> None:
    tables.sparsity_table(storage.read_json(made.run.summary, Summary))
    load_initialization(made.run)
    load_solution(made.run)
    PrunedRun(str(made.run.directory)).solution(made.run, Origin("small", "scratch", 0, 0))


def _read_summary_of_study(made: Corpus) -> None:
    for each in corpus.STUDY.sweeps():
        tables.sweep_cells(sweep.rows_of(each, made.study, made.done))


def _read_path(made: Corpus) -> None:
    finished = FinishedPath.read(made.path)
    _ = finished.judge(0.95), finished.margin, finished.manifold
    path_words.describe_path(finished.result)
    path_words.describe_ends(finished.result)
    path_words.barrier_in_words(finished.result)
    path_words.grounds([finished.result])
    path_words.name_of_end(finished.result["settings"]["start"])
    line = next(path.run for path in corpus.STUDY.paths() if not path.run.steps)
    tables.curves_cells([path_runs.path_row(line, made.path)])


def _read_records(made: Corpus) -> None:
    jobs.recognised([made.job], made.logs)
    jobs.seconds_taken(["job"], made.logs)


def _read_figures(made: Corpus) -> None:
    figures_of(corpus.STUDY, made.study)


def _read_curves(made: Corpus) -> None:
    curve_figures.draw_curves(made.curves, corpus.STUDY.budget)


def _read_solutions(made: Corpus) -> None:
    found = study_results.collect(corpus.STUDY, made.study, [], {study_results.TABLE_OF_SOLUTIONS})
    tables.solutions_cells(found.solutions)


def _read_config(made: Corpus) -> None:
    made.claimed.check(corpus.CONFIG, corpus.SETTINGS)


def _read_sums(made: Corpus) -> None:
    sums = PartialSums(made.sums, Saving(every=1e9))
    sums.add_until(min(sums.items, 100) + 1, corpus.increments)


def _of_images(file: str) -> Target:
    return _of_file(
        lambda made: made.images / "small" / "1.0.0" / file,
        lambda made: TfdsImages("small", str(made.images), 16),
        mutations.of_json,
        4,
    )


def _put_tf_config(made: Corpus, content: bytes) -> None:
    (made.directory / "TF_CONFIG").write_bytes(content.replace(b"\0", b""))


def _read_tf_config(made: Corpus) -> None:
    os.environ["TF_CONFIG"] = os.fsdecode((made.directory / "TF_CONFIG").read_bytes())
    try:
        distribution.strategy("one_device")
    finally:
        del os.environ["TF_CONFIG"]


# What is made of a gin file, and whatever else its settings are of.
_OF_GIN_FILES = {
    "study": (Study,),
    "sweep": (Sweep,),
    "curves": (CurveStudy,),
    "pruned": (Recipe, WarmupStepDecay),
    "cubic_dense": (Fitting, WarmupCosine),
    "line": (Sample,),
    "workload": (Objective,),
}
_SETTINGS = b"""Study.seeds = (0, 1)
Study.path_seeds = (0,)
Study.bindings_of_sparsity = {0.99: ('Recipe.steps = 100',)}
Sweep.sparsities = (0.9, 0.99)
CurveStudy.curves = ('line', 'cubic_dense')
Recipe.steps = 100
Recipe.momentum = 0.9
WarmupStepDecay.drops = (60, 80)
Fitting.manifold = 'sparse'
WarmupCosine.peak = 0.1
Sample.images = 'all'
Objective.weight_decay = 1e-4"""
_TF_CONFIG = b'{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 0}}'
_RUN_OF_STUDY = corpus.STUDY.sweeps()[0].runs()[1].name
_PATH_OF_STUDY = next(path.name for path in corpus.STUDY.paths() if path.run.steps)


def _load(made: Corpus) -> None:
    checkpoint.load(made.checkpoint)


TARGETS = {
    "checkpoint": Target(_checkpoint, _put_checkpoint, _load, mutations.of_checkpoint, 20),
    "checkpoint, right checksums": Target(_checkpoint, _put_right_checkpoint, _load, mutations.of_checkpoint, 20),
    "names of checkpoints": Target(lambda made: b"run", _put_name, _read_name, mutations.of_text, 8),
    "gin file": Target(lambda made: made.gin_file.read_bytes(), _put_gin_file, _read_gin_file, mutations.of_gin, 8),
    "gin bindings": Target(lambda made: b"Study.seeds = (0, 1)", _put_gin_file, _read_bindings, mutations.of_gin, 8),
    "gin settings": Target(lambda made: _SETTINGS, _put_gin_file, _read_settings, mutations.of_gin, 4),
    "TF_CONFIG": Target(lambda made: _TF_CONFIG, _put_tf_config, _read_tf_config, mutations.of_json, 12),
    "skip.json": _of_file(
        lambda made: made.skipped, lambda made: read_skipped(str(made.skipped)), mutations.of_json, 12
    ),
    "summary.json": _of_file(lambda made: made.run.summary, _read_summary, mutations.of_json, 8),
    "summary.json of a study": _of_file(
        lambda made: made.study.run(_RUN_OF_STUDY).summary, _read_summary_of_study, mutations.of_json, 8
    ),
    "metrics.csv": _of_file(lambda made: made.study.run(_RUN_OF_STUDY).metrics, _read_figures, mutations.of_csv, 2),
    "path.json": _of_file(lambda made: made.path.result, _read_path, mutations.of_json, 6),
    "path.csv": _of_file(lambda made: made.path.table, _read_path, mutations.of_csv, 6),
    "path_covariance.csv": _of_file(lambda made: made.path.covariance, _read_path, mutations.of_csv, 6),
    "path.json of a study": _of_file(
        lambda made: made.study.path(_PATH_OF_STUDY).result, _read_figures, mutations.of_json, 2
    ),
    "path.csv of a study": _of_file(
        lambda made: made.study.path(_PATH_OF_STUDY).table, _read_figures, mutations.of_csv, 2
    ),
    "runs.csv": _of_file(lambda made: made.study.table, _read_figures, mutations.of_csv, 2),
    "paths.csv": _of_file(lambda made: made.study.paths_table, _read_figures, mutations.of_csv, 2),
    "solutions.csv": _of_file(lambda made: made.study.solutions.table, _read_solutions, mutations.of_csv, 8),
    "curves.csv": _of_file(lambda made: made.curves.table, _read_curves, mutations.of_csv, 1),
    "records of jobs": _of_file(lambda made: made.logs / "job.json", _read_records, mutations.of_json, 12),
    "partial sums": _of_file(lambda made: made.sums, _read_sums, mutations.of_npz, 16),
    "config.gin": _of_file(lambda made: made.claimed.config, _read_config, mutations.of_gin, 12),
    "dataset_info.json": _of_images("dataset_info.json"),
    "features.json": _of_images("features.json"),
    "image": Target(
        lambda made: encoded(0, size=(8, 8)),
        lambda made, content: (made.directory / "image").write_bytes(content),
        lambda made: fault_of((made.directory / "image").read_bytes()),
        mutations.of_bytes,
        8,
    ),
}
