"""Real files, made by the package: what the fuzzer begins with, and what lies around the file that it changes."""

import pathlib
import shutil
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
import tf_keras

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.data.skipped import write_skipped
from sparse_rigl_lands.networks import residual
from sparse_rigl_lands.paths.partial_sums import PartialSums, Saving
from sparse_rigl_lands.paths.preparation import prepare_path
from sparse_rigl_lands.paths.run import interpolate
from sparse_rigl_lands.points import checkpoint
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity.distributions import uniform
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.sparsity.pruned import PruningSchedule
from sparse_rigl_lands.studies import jobs, path_runs, study_results
from sparse_rigl_lands.training.methods import Pruned
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.recipe import Recipe
from sparse_rigl_lands.training.run import prepare_run, train
from sparse_rigl_lands.training.schedules import WarmupStepDecay
from sparse_rigl_lands.training.workload import Workload
from tests.data.tree import encoded
from tests.studies import finished_study

STEPS = 4  # of the run
CONFIG, SETTINGS = "Recipe.steps = 4\ntrain.seed = 0\n", {"dataset": "Digits"}  # of a directory
# With a little of everything that a study has.
STUDY = finished_study.study(
    seeds=(0,),
    other_sparsities=(),
    zeroed_fractions=(0.9,),
    path_seeds=(0,),
    lines=("S-S to P-S",),
    sparse_curves=("cubic_sparse",),
    dense_curves=("cubic_dense",),
)


class Corpus:
    """The files by what they are.

    Args:
      directory: where they lie.
    """

    def __init__(self, directory: pathlib.Path):
        self.directory = directory
        self.run = files.RunFiles(directory / "run")
        self.path = files.PathFiles(directory / "path")
        self.study = files.StudyFiles(directory / "study")
        self.curves = files.CurveStudyFiles(directory / "curves")
        self.logs = directory / "logs"
        self.images = directory / "images"
        self.sums = directory / "sums.npz"
        self.skipped = directory / "skip.json"
        self.claimed = files.RunFiles(directory / "claimed")
        self.gin_file = directory / "given.gin"
        self.checkpoint = directory / "small"
        self.left: list[pathlib.Path] = []  # what an input has added, to be taken away again

    @property
    def job(self) -> jobs.Job:
        """A command that has left a result."""
        return jobs.Job("job", ("true",), "what decides its result", self.skipped)

    @property
    def done(self) -> frozenset[str]:
        """The steps of the study."""
        runs = [run.name for sweep in STUDY.sweeps() for run in sweep.runs()]
        return frozenset([*runs, *(path.name for path in STUDY.paths()), study_results.TABLE_OF_SOLUTIONS])


def make(directory: pathlib.Path) -> None:
    """Writes all files into a new directory."""
    made = Corpus(directory)
    strategy = tf.distribute.OneDeviceStrategy("CPU:0")
    images = tf_keras.Input((8, 8, 1), name="images")
    network = tf_keras.Model(images, residual.head(residual.stem(images, filters=4, size=3, stride=1), 10))
    workload = Workload("small", Digits(), network, Objective())
    method = Pruned(PruningSchedule(1, 3, 1), lambda shapes: uniform(shapes, 0.5))
    recipe = Recipe(STEPS, 64, WarmupStepDecay(0.1), log_every=2)
    train(prepare_run(str(made.run.directory), strategy, workload, method, recipe))
    ends = [checkpoint.load(made.run.checkpoint(step)).point for step in (0, STEPS)]
    interpolate(prepare_path(str(made.path.directory), strategy, *ends, workload, num_points=3, batch_size=128))
    checkpoint.save(made.checkpoint, _small_checkpoint())
    PartialSums(made.sums, Saving(every=0.0)).add_until(2, increments)
    write_skipped(made.skipped, {"train": {"part-0": ["a.JPEG", "b.JPEG"]}, "test": {}})
    jobs.run_jobs([made.job], made.logs, processes=1, title="corpus")
    finished_study.write(STUDY, made.study)
    study_results.collect(STUDY, made.study, [], made.done)
    made.curves.create()
    curves = {path.run: path.name for path in STUDY.paths() if (path.start, path.end) == ("S-S", "P-S")}
    for run, name in curves.items():
        shutil.copytree(made.study.path(name).directory, made.curves.path(run.name).directory)
    storage.write_csv(made.curves.table, [path_runs.path_row(run, made.curves.path(run.name)) for run in curves])
    with made.claimed.claimed(CONFIG, SETTINGS):
        pass
    _store_images(made.images)
    made.gin_file.write_text("include 'gin/digits/pruned.gin'\n\nRecipe.steps = 100\nRecipe.keep_steps = (10, 20)\n")


def increments(first: int) -> Iterator[dict[str, np.ndarray]]:
    """What is added to partial sums, as an evaluation of two places does."""
    while True:
        yield {"count": np.array(1.0), "sums": np.ones((2, 3)), "products": np.ones((2, 2))}


def _small_checkpoint() -> Checkpoint:
    """With all that a checkpoint may hold, in few bytes: then most changes meet something."""
    live = np.arange(12).reshape(3, 4) % 3 > 0
    weights = {"conv/kernel": np.float32(live), "norm/gamma": np.ones(4, "float32")}
    origin = Origin("small", "pruned", 0, 7)
    point = Point(weights, Mask({"conv/kernel": live}), {"norm/moving_mean": np.zeros(4, "float32")}, origin)
    return Checkpoint(point, {"interval/sums": np.zeros(3), "interval/steps": np.array(5)})


def _store_images(directory: pathlib.Path) -> None:
    features = {"image": tfds.features.Image(), "label": tfds.features.ClassLabel(num_classes=2)}
    tfds.dataset_builders.store_as_tfds_dataset(
        name="small",
        version="1.0.0",
        features=tfds.features.FeaturesDict(features),
        split_datasets={split: [(0, {"image": encoded(0, size=(4, 4)), "label": 0})] for split in ("train", "test")},
        data_dir=directory,
    )
