"""Protects: a run's files, its way back after a stop, and what it refuses."""

import csv
import dataclasses
import functools
import shutil

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.devices import processor
from sparse_rigl_lands.environment import versions
from sparse_rigl_lands.errors import DivergedError, InputError
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.points import checkpoint, initializations
from sparse_rigl_lands.points.point import Origin, assign
from sparse_rigl_lands.sparsity.distributions import kept_weights, uniform
from sparse_rigl_lands.sparsity.pruned import PruningSchedule
from sparse_rigl_lands.training import run as run_module
from sparse_rigl_lands.training.evaluation import evaluate
from sparse_rigl_lands.training.methods import Dense, Pruned
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.recipe import Recipe
from sparse_rigl_lands.training.run import prepare_run
from sparse_rigl_lands.training.run import train as train_run
from sparse_rigl_lands.training.schedules import WarmupStepDecay
from sparse_rigl_lands.training.summary import load_solution
from sparse_rigl_lands.training.trainer import Trainer
from sparse_rigl_lands.training.workload import Workload

_CAPS = {"stem/conv/kernel": 0.0, "head/dense/kernel": 0.5}


def _recipe(**settings):
    defaults = {"steps": 25, "batch_size": 64, "learning_rate": WarmupStepDecay(0.2), "log_every": 10}
    return Recipe(**{**defaults, "checkpoint_every": 7, **settings})


def _pruned(end_step=15):
    return Pruned(PruningSchedule(5, end_step, 5), lambda shapes: uniform(shapes, 0.9, _CAPS))


@pytest.fixture
def train(one_device):
    """``train`` of what is prepared, on one device."""
    return lambda output_dir, *given, **settings: train_run(prepare_run(output_dir, one_device, *given, **settings))


def test_what_a_pruned_run_leaves_behind(train, workload, tmp_path):
    rate = WarmupStepDecay(0.2, drops=(10,), factor=0.5)  # the tenth step, of index 9, is the last before the drop
    run = train(str(tmp_path), workload, _pruned(), _recipe(keep_steps=(12,), learning_rate=rate), seed=3)
    assert run.checkpoint_steps() == [0, 12, 25]
    first = checkpoint.load(run.checkpoint(0)).point
    dense = initializations.dense(workload.network, Origin("small", "pruned", 3, 0))
    assert not first.mask.arrays
    for name, weight in dense.weights.items():
        np.testing.assert_array_equal(first.weights[name], weight)

    last = checkpoint.load(run.checkpoint(25)).point
    assert "stem/conv/kernel" not in last.mask.arrays
    for name, live in last.mask.arrays.items():
        target = 0.5 if name == "head/dense/kernel" else 0.9
        assert np.count_nonzero(live) == kept_weights(live.size, target)
        assert not last.weights[name][~live].any()

    summary = storage.read_json(run.summary)
    assert summary["test"]["count"] == 360
    assert summary["train_augmented"]["count"] == 1437
    assert summary["environment"]["device"] == processor()
    assert versions().items() <= summary["environment"].items()
    assert {layer["kernel"] for layer in summary["layers"]} == {name for name in dense.weights if "kernel" in name}
    with run.metrics.open() as table:
        rows = list(csv.DictReader(table))
    assert [int(row["step"]) for row in rows] == [10, 20, 25]
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx([0.2, 0.1, 0.1])
    assert [float(row["sparsity"]) for row in rows] == sorted(float(row["sparsity"]) for row in rows)
    scalars = EventAccumulator(str(run.tensorboard)).Reload()
    for name in ("training/smoothed_cross_entropy", "training/images_per_second", "sparsity/block1/conv1/kernel"):
        assert name in scalars.Tags()["tensors"]
    for name in ("scheduled_sparsity/block1/conv1/kernel", "mask/block1/conv1/kernel"):
        assert name in scalars.Tags()["tensors"]
    assert not any(name.startswith("batch_norm/") for name in scalars.Tags()["tensors"])


@pytest.mark.parametrize("calls", [1, 4, 6])
@pytest.mark.parametrize("strategy", ["one_device", "mirrored"])
def test_a_stopped_run_goes_on_to_the_same_bits(workload, tmp_path, stopped_after, request, strategy, calls):
    strategy, rate = request.getfixturevalue(strategy), WarmupStepDecay(0.2, warmup_steps=5, drops=(12, 20))

    def train(directory):
        return train_run(
            prepare_run(str(tmp_path / directory), strategy, workload, _pruned(), _recipe(learning_rate=rate))
        )

    undisturbed = train("undisturbed")
    with stopped_after(calls):
        train("stopped")
    stopped = train("stopped")
    for file in (lambda run: files.data_file(run.checkpoint(25)), lambda run: run.metrics):
        assert file(stopped).read_bytes() == file(undisturbed).read_bytes()


def test_of_a_damaged_checkpoint_the_one_before_is_left(train, workload, tmp_path):
    """A kill between the two moments at which the later one is complete and the earlier one removed leaves both."""
    run = train(str(tmp_path), workload, Dense(), _recipe(steps=3))
    run.summary.unlink()
    for file in (files.index_file, files.data_file):
        shutil.copy(file(run.checkpoint(3)), file(run.checkpoint(2)))
    files.index_file(run.checkpoint(3)).write_bytes(b"")
    with pytest.raises(InputError, match="step_00000003 is damaged"):
        train(str(tmp_path), workload, Dense(), _recipe(steps=3))
    assert run.checkpoint_steps() == [0, 2, 3]
    checkpoint.load(run.checkpoint(2))


@pytest.mark.parametrize("content", [b"", b"step,l2\n3,0.5\n"])
def test_a_damaged_table_of_metrics_is_made_again(train, workload, tmp_path, content):
    """Though there is no step left to take, nor a row to add."""
    run = train(str(tmp_path), workload, Dense(), _recipe(steps=3, log_every=1))
    before = run.metrics.read_bytes()
    run.summary.unlink()
    run.metrics.write_bytes(content)
    train(str(tmp_path), workload, Dense(), _recipe(steps=3, log_every=1))
    assert run.metrics.read_bytes() == before


@pytest.mark.parametrize("damaged", ["metrics.csv", "summary.json", "checkpoints/step_00000000.index"])
def test_a_finished_run_that_was_damaged_is_not_told(train, workload, tmp_path, damaged):
    train(str(tmp_path), workload, Dense(), _recipe(steps=3))
    content = bytearray((tmp_path / damaged).read_bytes())
    content[-20] ^= 1
    (tmp_path / damaged).write_bytes(content)
    with pytest.raises(InputError, match=f"{damaged} is damaged"):
        train(str(tmp_path), workload, Dense(), _recipe(steps=3))


@pytest.mark.parametrize("file", [files.index_file, files.data_file])
def test_a_damaged_checkpoint_is_told_though_a_later_one_is_there(train, workload, tmp_path, file):
    run = train(str(tmp_path), workload, Dense(), _recipe(steps=3))
    run.summary.unlink()
    path = file(run.checkpoint(0))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="step_00000000 is damaged"):
        train(str(tmp_path), workload, Dense(), _recipe(steps=3))


def test_finished_work_is_recognised(train, workload, tmp_path, monkeypatch):
    run = train(str(tmp_path), workload, Dense(), _recipe(steps=3))
    before = run.summary.read_bytes()
    monkeypatch.setattr(Trainer, "take_steps", None)
    assert train(str(tmp_path), workload, Dense(), _recipe(steps=3)).summary.read_bytes() == before


def test_images_must_be_there_unless_the_run_is_finished(train, workload, tmp_path, monkeypatch):
    """Results that were brought from another machine are told without."""

    def missing(self):
        raise InputError("no images")

    with monkeypatch.context() as patch:
        patch.setattr(Digits, "check_there", missing)
        with pytest.raises(InputError, match="no images"):
            train(str(tmp_path / "run"), workload, Dense(), _recipe(steps=3))
    assert not (tmp_path / "run").exists()
    run = train(str(tmp_path / "run"), workload, Dense(), _recipe(steps=3))
    monkeypatch.setattr(Digits, "check_there", missing)
    assert train(str(tmp_path / "run"), workload, Dense(), _recipe(steps=3)).summary == run.summary


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 1}, "origin is .*seed=0.* there and .*seed=1.* here|initialization is"),
        ({"recipe": _recipe(steps=3, momentum=0.5)}, "momentum is 0.9 there and 0.5 here"),
        ({"recipe": _recipe(steps=3, learning_rate=WarmupStepDecay(0.3))}, "learning_rate is"),
        ({"method": _pruned(end_step=20)}, "pruning_schedule|origin|sparsities"),
    ],
)
def test_another_run_in_the_directory_is_refused_without_gin_too(train, workload, tmp_path, change, words):
    arguments = {"workload": workload, "method": Dense(), "recipe": _recipe(steps=3), "seed": 0}
    run = train(str(tmp_path), **arguments)
    before = run.summary.read_bytes()
    with pytest.raises(InputError, match=words):
        train(str(tmp_path), **{**arguments, **change, **({} if "method" not in change else {"recipe": _recipe()})})
    assert run.summary.read_bytes() == before


def test_one_process_at_a_time_trains_a_run(train, workload, tmp_path):
    with storage.alone(tmp_path), pytest.raises(InputError, match=f"another command is at work in {tmp_path}"):
        train(str(tmp_path), workload, Dense(), _recipe(steps=3))
    assert [path.name for path in tmp_path.iterdir()] == [storage.LOCK]


def test_what_lies_in_the_directory_without_a_configuration_is_left_alone(train, workload, tmp_path):
    (tmp_path / "metrics.csv").write_text("mine")
    with pytest.raises(InputError, match="holds metrics.csv but no config.gin"):
        train(str(tmp_path), workload, Dense(), _recipe(steps=3))
    assert (tmp_path / "metrics.csv").read_text() == "mine"


def test_the_summary_is_of_the_final_checkpoint(train, workload, tmp_path, one_device):
    """On the augmented training images and on the plain test images."""
    run = train(str(tmp_path), workload, _pruned(), _recipe(steps=25))
    assign(workload.network, checkpoint.load(run.checkpoint(25)).point)
    summary = storage.read_json(run.summary)
    for name, split, augmented in (("train_augmented", "train", True), ("test", "test", False)):
        batches = functools.partial(workload.dataset.evaluation_batches, split, 479, augmented, 0, None, 0)
        expected = evaluate(workload.network, workload.objective, batches, one_device)
        assert summary[name] == pytest.approx(dataclasses.asdict(expected), rel=1e-4)


def test_default_directory_names_workload_method_and_seed(train, workload, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = train(None, workload, Dense(), _recipe(steps=1), seed=4)
    assert run.summary == files.RunFiles("runs/small/dense-seed4").summary
    assert run.summary.exists()


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_step(train, workload, tmp_path):
    with pytest.raises(DivergedError, match=r"the loss is (nan|inf) at step \d+; the last checkpoint is of step 0"):
        train(str(tmp_path), workload, Dense(), _recipe(learning_rate=WarmupStepDecay(1e30)))
    run = files.RunFiles(tmp_path)
    assert not run.summary.exists()
    checkpoint.load(run.checkpoint(run.checkpoint_steps()[-1]))  # what is there is sound


def test_an_update_that_is_not_finite_stops_the_run_at_the_checkpoint(train, workload, tmp_path, monkeypatch):
    take_steps = Trainer.take_steps

    def poison(self, batches, count):
        metrics = take_steps(self, batches, count)
        self.model.get_layer("head/dense").bias.assign(np.full(10, np.inf))
        return metrics

    monkeypatch.setattr(Trainer, "take_steps", poison)
    with pytest.raises(DivergedError, match="after step 7, head/dense/bias holds a value that is not finite"):
        train(str(tmp_path), workload, Dense(), _recipe())


@pytest.mark.parametrize("bad_step", [3, 8])
def test_the_named_step_is_the_first_bad_one(train, workload, tmp_path, monkeypatch, bad_step):
    take_steps, done = Trainer.take_steps, [0]

    def poisoned(self, batches, count):
        metrics = take_steps(self, batches, count).copy()
        metrics[max(bad_step - 1 - done[0], 0) :] = np.nan
        done[0] += count
        return metrics

    monkeypatch.setattr(Trainer, "take_steps", poisoned)
    with pytest.raises(DivergedError, match=f"at step {bad_step};"):
        train(str(tmp_path), workload, Dense(), _recipe(log_every=100, checkpoint_every=100))


def test_impossible_schedule_is_refused_before_anything_is_written(train, workload, tmp_path):
    with pytest.raises(InputError, match="ends at step 30, but training at 25"):
        train(str(tmp_path / "run"), workload, _pruned(end_step=30), _recipe())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"seed": 2**63}, f"train.seed is {2**63}; it must be a whole number that 64 bits hold"),
        ({"seed": -(2**63) - 1}, "train.seed is -.*; it must be a whole number that 64 bits hold"),
        ({"seed": True}, "train.seed is True; it must be a whole number"),
        ({"workload": Workload}, "train.workload is <class .*, not a Workload: in a gin file, @Workload"),
        ({"method": Pruned}, "train.method is <class .*, not a Method: in a gin file, @Pruned"),
        ({"recipe": Recipe}, "train.recipe is <class .*, not a Recipe: in a gin file, @Recipe"),
        ({"recipe": _recipe(precision=None)}, "Recipe.precision is None; known are float32"),
        ({"recipe": _recipe(precision=16)}, "Recipe.precision is 16; known are float32"),
    ],
)
def test_settings_of_another_kind_are_refused_before_anything_is_written(train, workload, tmp_path, settings, words):
    with pytest.raises(InputError, match=words):
        train(str(tmp_path / "run"), **{"workload": workload, "method": Dense(), "recipe": _recipe(), **settings})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("seed", [2**63 - 1, -(2**63)])
def test_the_largest_seeds_are_read_again(train, workload, tmp_path, seed):
    run = train(str(tmp_path), workload, Dense(), _recipe(steps=1), seed=seed)
    assert storage.read_json(run.summary)["seed"] == load_solution(run).origin.seed == seed


def test_a_schedule_that_was_not_made_is_refused():
    with pytest.raises(InputError, match="Pruned.schedule is <class .*, not a PruningSchedule: in a gin file, @"):
        Pruned(PruningSchedule)


def test_a_checkpoint_that_misses_its_target_is_a_defect_and_says_so(train, workload, tmp_path):
    run = train(str(tmp_path), workload, _pruned(), _recipe())
    point = checkpoint.load(run.checkpoint(25)).point
    name = "block1/conv1/kernel"
    arrays = {**point.mask.arrays, name: point.mask.arrays[name].copy()}
    arrays[name].flat[np.flatnonzero(arrays[name])[0]] = False
    broken = dataclasses.replace(point, mask=type(point.mask)(arrays))
    with pytest.raises(RuntimeError, match=f"{name} kept"):
        run_module._check_sparsity(broken, point, {name: np.count_nonzero(point.mask.arrays[name])})


@pytest.mark.slow
def test_bfloat16_gives_the_results_of_float32_within_the_spread_of_seeds(one_device, tmp_path):
    """The pruned run of digits, a twentieth as long, at a low learning rate.

    There runs that begin alike do not part by themselves, and a bfloat16 weight loses many an update: the precisions
    differ by 0.02 or less, seeds by 0.1, and weights rounded after every step would cost 0.15. At the experiment's
    own rate any rounding makes another run, as another seed would.
    """
    digits = Workload("digits", Digits(), digits_resnet(), Objective(weight_decay=5e-4))
    method = Pruned(PruningSchedule(10, 50, 5), lambda shapes: uniform(shapes, 0.9, _CAPS))
    rate, precisions = WarmupStepDecay(0.02, warmup_steps=5, drops=(60, 80)), ("float32", "mixed_bfloat16")

    def result(precision, seed):
        """Two training losses, of the last 20 steps and of the solution, and how many weights every kernel kept."""
        recipe = _recipe(
            steps=100, batch_size=64, learning_rate=rate, log_every=20, checkpoint_every=100, precision=precision
        )
        directory = str(tmp_path / f"{precision}{seed}")
        run = train_run(prepare_run(directory, one_device, digits, method, recipe, seed=seed))
        summary = storage.read_json(run.summary)
        with run.metrics.open() as table:
            last = list(csv.DictReader(table))[-1]
        losses = float(last["smoothed_cross_entropy"]), summary["train_augmented"]["cross_entropy"]
        return losses, [layer["kept"] for layer in summary["layers"]]

    results = {precision: [result(precision, seed) for seed in range(3)] for precision in precisions}
    assert len({tuple(kept) for of_seeds in results.values() for _, kept in of_seeds}) == 1
    exact, mixed = (np.array([losses for losses, _ in results[precision]]) for precision in precisions)  # [seeds, 2]
    assert np.all(exact != mixed)
    assert np.max(exact) < 1.9  # chance is 2.3
    assert np.all(np.abs(np.mean(mixed - exact, axis=0)) < np.std(exact, axis=0, ddof=1) / 2), (exact, mixed)
