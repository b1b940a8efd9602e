"""What the tests share: two logical CPUs, small networks, and the commands as a person runs them."""

import contextlib
import itertools
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import gin
import hypothesis
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.networks import residual
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.replicas import Share
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.trainer import Trainer
from sparse_rigl_lands.training.workload import Workload
from tests.commands import SMALL_TRAINING, Commands
from tests.random_points import random_mask

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Compiling a graph can take a second, however small the example is.
hypothesis.settings.register_profile("tensorflow", deadline=None, max_examples=25, derandomize=True)
hypothesis.settings.load_profile("tensorflow")

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every process begins with its share of the slow tests, the slowest first: none is left at the end by itself.

    Under ``--dist=worksteal`` a process begins with a run of the list, and takes from others what they would do last.
    """

    def minutes(item: pytest.Item) -> float:
        mark = item.get_closest_marker("slow")
        return mark.kwargs.get("minutes", 1) if mark else 0

    slow = sorted(filter(minutes, items), key=minutes, reverse=True)
    fast = iter([item for item in items if not minutes(item)])
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    remaining, runs = len(items), []
    for process in range(processes):
        of_process, size = slow[process::processes], remaining // (processes - process)
        runs += [*of_process, *itertools.islice(fast, max(size - len(of_process), 0))]
        remaining -= size
    items[:] = [*runs, *fast]


@pytest.fixture(autouse=True)
def _no_gin_configuration():
    """What one test binds is not bound in the next."""
    gin.clear_config()


@pytest.fixture(scope="session")
def one_device() -> tf.distribute.Strategy:
    return tf.distribute.OneDeviceStrategy("CPU:0")


@pytest.fixture(scope="session")
def mirrored() -> tf.distribute.Strategy:
    """Two replicas; one object for the whole process, since two clash on CPUs."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture
def network() -> tf_keras.Model:
    """A residual network of the real blocks, small enough to train in a moment."""
    images = tf_keras.Input((8, 8, 1), name="images")
    x = residual.stem(images, filters=4, size=3, stride=1)
    x = residual.residual_block(x, [(8, 3, 2), (8, 3, 1)], "block1", zero_gamma=False)
    return tf_keras.Model(images, residual.head(x, 10), name="small")


@pytest.fixture
def sparse_point(network: tf_keras.Model) -> Point:
    """A scratch initialization of the small network under a random mask of sparsity 0.7."""
    return initializations.scratch(network, Origin("small", "scratch", 0, 0), random_mask(network, 0.7))


@pytest.fixture
def workload(network: tf_keras.Model) -> Workload:
    return Workload("small", Digits(), network, Objective(weight_decay=1e-3, label_smoothing=0.1))


@pytest.fixture
def stopped_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], contextlib.AbstractContextManager]:
    """What trains or fits within it is stopped where it would take steps once more than so many times."""
    take_steps = Trainer.take_steps

    @contextlib.contextmanager
    def stopped_after(calls: int) -> Iterator[None]:
        counts: list[int] = []

        def take_some(self: Trainer, batches: Iterator, count: int) -> np.ndarray:
            if len(counts) == calls:
                raise KeyboardInterrupt
            counts.append(count)
            return take_steps(self, batches, count)

        with monkeypatch.context() as patch:
            patch.setattr(Trainer, "take_steps", take_some)
            with pytest.raises(KeyboardInterrupt):
                yield

    return stopped_after


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The seed and the first step of every stream of digits' training batches, as they are asked for."""
    training_batches, asked = Digits.training_batches, []

    def spy(self: Digits, batch_size: int, seed: int, first_step: int, *share: Share) -> tf.data.Dataset:
        asked.append((seed, first_step))
        return training_batches(self, batch_size, seed, first_step, *share)

    monkeypatch.setattr(Digits, "training_batches", spy)
    return asked


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    commands = Commands(tmp_path_factory.mktemp("commands"))
    yield commands
    commands.end()


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """A real one, without a window."""
    from tests.browser import started  # few tests need it

    with started() as browser:
        yield browser


@pytest.fixture(scope="session")
def small_run(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The directory of a short, finished run, made by the command. Copy it before changing it."""
    directory = tmp_path_factory.mktemp("runs") / "undisturbed"
    commands.run("train.py", *SMALL_TRAINING, f"--output_dir={directory}", afresh=True)
    return directory


@pytest.fixture(scope="session")
def prepared_imagenet(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The data_dir of a small ImageNet."""
    from tests.prepared_imagenet import prepare  # it takes seconds to import what few tests need

    return prepare(tmp_path_factory.mktemp("imagenet") / "data", num_shards=5)
