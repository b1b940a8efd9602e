"""Protects: what a path's files say, and what is refused."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import tf_keras

from sparse_rigl_lands import storage
from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.errors import DivergedError, InputError
from sparse_rigl_lands.paths import run as run_module
from sparse_rigl_lands.paths.curves import Bezier
from sparse_rigl_lands.paths.fitting import Fitting
from sparse_rigl_lands.paths.preparation import prepare_path
from sparse_rigl_lands.paths.run import interpolate as interpolate_run
from sparse_rigl_lands.paths.sample import Sample
from sparse_rigl_lands.paths.statistics import judge
from sparse_rigl_lands.points import checkpoint, initializations
from sparse_rigl_lands.points.point import Origin, assign
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.training.evaluation import evaluate
from sparse_rigl_lands.training.schedules import WarmupStepDecay


@pytest.fixture
def interpolate(one_device):
    """``interpolate`` on one device."""
    return lambda output_dir, *given, **settings: interpolate_run(
        prepare_path(output_dir, one_device, *given, **settings)
    )


@pytest.fixture
def ends(network, random):
    """A dense start, and an end of which half is masked."""
    start, end = (initializations.dense(network, Origin("small", "dense", seed, 0)) for seed in (0, 1))
    live = {name: random.random(shape) < 0.5 for name, shape in variants.kernel_shapes(network).items()}
    return start, dataclasses.replace(end, mask=Mask(live), origin=dataclasses.replace(end.origin, global_step=9))


def test_files_of_a_path(interpolate, workload, ends, tmp_path):
    path = interpolate(str(tmp_path), *ends, workload, num_points=5, batch_size=479)
    table, result = pd.read_csv(path.table), storage.read_json(path.result)
    names = "t cross_entropy error step step_error smoothed_cross_entropy l2 top1 top5 count"
    assert list(table) == names.split()
    assert list(table["t"]) == [0, 0.25, 0.5, 0.75, 1]
    assert set(table["count"]) == {1437}
    masked_start = ends[0].under(ends[1].mask)
    kernels = variants.kernel_shapes(workload.network)
    for k, point in ((0, masked_start), (4, ends[1])):
        squared = sum(np.sum(point.weights[name].astype("float64") ** 2) for name in kernels)
        assert table["l2"][k] == pytest.approx(1e-3 / 2 * squared)
    distance = sum(
        np.sum((masked_start.weights[name] - w).astype("float64") ** 2) for name, w in ends[1].weights.items()
    )
    assert result["length"] == pytest.approx(np.sqrt(distance), rel=1e-5)
    assert result["settings"]["mask"] == "end"
    losses = table["cross_entropy"]
    assert result["barrier"]["height"] == pytest.approx(losses.max() - losses.iloc[[0, -1]].max())
    assert result["images"] == 1437
    assert result["independent_units"] == {"unit": "batch", "count": 3}
    assert result["ends_on_the_path"] == pytest.approx({"start": losses.iloc[0], "end": losses.iloc[-1]})
    written = {"config.gin", "path.csv", "path.json", "path_covariance.csv", "sha256sums.txt"}
    assert {file.name for file in tmp_path.iterdir()} == {*written, storage.LOCK}


def test_the_judgement_is_that_of_the_written_numbers(interpolate, workload, ends, tmp_path):
    settings = {"batch_norm": "stored", "confidence": 0.9, "tolerance": 0.01}
    path = interpolate(str(tmp_path), *ends, workload, num_points=5, batch_size=100, **settings)
    table, result = pd.read_csv(path.table), storage.read_json(path.result)
    covariance = pd.read_csv(path.covariance).set_index("t").to_numpy()
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), table["error"])
    judgement = judge(table["t"].to_numpy(), table["cross_entropy"].to_numpy(), covariance, 1436, 0.9, 0.01)
    for name, expected in dataclasses.asdict(judgement).items():
        assert result[name] == (expected if isinstance(expected, str) else pytest.approx(expected))
    assert result["looks"] == [{"images": 1437, "verdict": judgement.verdict}]


def test_ends_are_also_reported_as_their_checkpoints_describe_them(interpolate, workload, ends, tmp_path, one_device):
    path = interpolate(str(tmp_path), *ends, workload, num_points=2, batch_size=479)
    own = storage.read_json(path.result)["ends_under_their_own_statistics_and_mask"]

    def batches(share):
        return workload.dataset.evaluation_batches("train", 479, True, 0, share=share)

    for name, point in zip(("start", "end"), ends, strict=True):
        assign(workload.network, point)
        expected = evaluate(workload.network, workload.objective, batches, one_device)
        assert own[name] == pytest.approx(dataclasses.asdict(expected), rel=1e-5)


def test_options_add_their_columns_and_tables(interpolate, workload, ends, tmp_path):
    settings = {"per_class": True, "gradient_batches": 2, "batch_norm": "recalibrated", "recalibration_images": 300}
    path = interpolate(str(tmp_path), *ends, workload, num_points=3, batch_size=100, **settings)
    table, classes = pd.read_csv(path.table), pd.read_csv(path.classes)
    assert (table["gradient_norm_dense"] > table["gradient_norm_sparse"]).all()
    assert len(classes) == 3 * 10
    sums = (classes["cross_entropy"] * classes["count"]).groupby(classes["t"]).sum()
    np.testing.assert_allclose(sums / 1437, table["cross_entropy"], rtol=1e-9)
    assert not list(tmp_path.glob("partial*"))


def test_as_many_images_as_it_takes(interpolate, workload, ends, tmp_path):
    """No path of a random network is steeper than this tolerance, which 64 examples show."""
    sample = Sample("until_decided", first=64, limit=500)
    path = interpolate(
        str(tmp_path), *ends, workload, num_points=3, batch_size=64, batch_norm="stored", sample=sample, tolerance=50.0
    )
    result = storage.read_json(path.result)
    assert result["settings"]["looks"] == [64, 128, 256, 500]
    assert result["looks"] == [{"images": 64, "verdict": "monotone"}]
    assert result["images"] == 64
    assert result["confidence_of_each_look"] == pytest.approx(1 - 0.05 / 4)


def test_a_first_look_has_enough_units(interpolate, workload, ends, tmp_path):
    """Eight batches, or eight examples in whole batches, whatever was asked for."""
    for batch_norm, looks in {"batch": [400, 800, 1200], "stored": [50, 100, 200, 400, 800, 1200]}.items():
        sample = Sample("until_decided", limit=1200, first=1)
        directory = str(tmp_path / batch_norm)
        path = interpolate(
            directory, *ends, workload, num_points=2, batch_size=50, batch_norm=batch_norm, sample=sample
        )
        assert storage.read_json(path.result)["settings"]["looks"] == looks


def test_a_part_of_the_line_and_beyond_it(interpolate, workload, ends, tmp_path):
    path = interpolate(
        str(tmp_path), *ends, workload, num_points=3, t_range=(-0.5, 1.5), extrapolate=True, batch_size=479
    )
    assert list(pd.read_csv(path.table)["t"]) == [-0.5, 0.5, 1.5]
    assert storage.read_json(path.result)["ends_on_the_path"] == {"start": None, "end": None}


def test_a_finished_path_is_recognised_and_another_one_refused(interpolate, workload, ends, tmp_path, monkeypatch):
    path = interpolate(str(tmp_path), *ends, workload, num_points=3, batch_size=479)
    before = path.result.read_bytes()
    monkeypatch.setattr(run_module, "ResumableEvaluation", None)
    interpolate(str(tmp_path), *ends, workload, num_points=3, batch_size=479)
    assert path.result.read_bytes() == before
    with pytest.raises(InputError, match="belongs to another configuration .num_points is 3 there and 4 here"):
        interpolate(str(tmp_path), *ends, workload, num_points=4, batch_size=479)
    with pytest.raises(InputError, match="belongs to another configuration .(start|mask) is"):
        interpolate(str(tmp_path), ends[1], ends[1], workload, num_points=3, batch_size=479)
    assert path.result.read_bytes() == before


def test_images_must_be_there_unless_the_path_is_finished(interpolate, workload, ends, tmp_path, monkeypatch):
    """Results that were brought from another machine are told without."""

    def missing(self):
        raise InputError("no images")

    with monkeypatch.context() as patch:
        patch.setattr(Digits, "check_there", missing)
        with pytest.raises(InputError, match="no images"):
            interpolate(str(tmp_path / "path"), *ends, workload, num_points=3, batch_size=479)
    assert not (tmp_path / "path").exists()
    path = interpolate(str(tmp_path / "path"), *ends, workload, num_points=3, batch_size=479)
    monkeypatch.setattr(Digits, "check_there", missing)
    assert interpolate(str(tmp_path / "path"), *ends, workload, num_points=3, batch_size=479).result == path.result


def test_one_process_at_a_time_evaluates_a_path(interpolate, workload, ends, tmp_path):
    with storage.alone(tmp_path), pytest.raises(InputError, match=f"another command is at work in {tmp_path}"):
        interpolate(str(tmp_path), *ends, workload, num_points=3, batch_size=479)
    assert [path.name for path in tmp_path.iterdir()] == [storage.LOCK]


@pytest.mark.parametrize("damaged", ["path.csv", "path_covariance.csv", "path.json"])
def test_a_finished_path_that_was_damaged_is_not_told(interpolate, workload, ends, tmp_path, damaged):
    interpolate(str(tmp_path), *ends, workload, num_points=3)
    content = bytearray((tmp_path / damaged).read_bytes())
    content[-20] ^= 1
    (tmp_path / damaged).write_bytes(content)
    with pytest.raises(InputError, match=f"{damaged} is damaged"):
        interpolate(str(tmp_path), *ends, workload, num_points=3)


def test_a_finished_path_that_lost_its_table_is_not_evaluated_anew(interpolate, workload, ends, tmp_path):
    path = interpolate(str(tmp_path), *ends, workload, num_points=3, batch_size=479)
    result = path.result.read_bytes()
    path.table.unlink()
    with pytest.raises(InputError, match=r"path.csv is damaged: .*; to have it made again, remove path.json$"):
        interpolate(str(tmp_path), *ends, workload, num_points=3, batch_size=479)
    assert not path.table.exists()
    assert path.result.read_bytes() == result


def test_a_loss_that_is_not_finite_is_named_and_no_path_written(interpolate, workload, ends, tmp_path):
    huge = {name: np.full_like(value, 1e38) for name, value in ends[1].weights.items()}
    with pytest.raises(DivergedError, match="the loss is nan at t = 0.5; no path was written"):
        interpolate(
            str(tmp_path), ends[0], dataclasses.replace(ends[1], weights=huge), workload, num_points=3, batch_size=479
        )
    assert {path.name for path in tmp_path.iterdir()} == {"config.gin", storage.LOCK}


def test_default_directory_names_the_ends(interpolate, workload, ends, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = interpolate(None, *ends, workload, num_points=2, batch_size=479)
    assert str(path.directory) == "runs/paths/small-dense-seed0-step0_to_small-dense-seed1-step9"


@pytest.fixture
def fitting():
    """A short one in the sparse manifold."""
    return Fitting(steps=6, batch_size=32, learning_rate=WarmupStepDecay(0.1), log_every=3, manifold="sparse")


def test_a_fitted_curve_is_saved_as_points_and_evaluated_anew(interpolate, workload, ends, tmp_path, fitting):
    settings = {"curve": Bezier(3), "num_points": 5, "batch_size": 479, "batch_norm": "recalibrated"}
    path = interpolate(str(tmp_path / "fitted"), *ends, workload, fitting=fitting, **settings)
    result = storage.read_json(path.result)
    assert result["settings"]["curve"] == "cubic Bezier curve"
    assert result["settings"]["fitting"]["steps"] == 6
    assert pd.read_csv(path.fit.metrics)["step"].tolist() == [3, 6]
    points = [checkpoint.load(path.control_point(i)).point for i in (1, 2)]
    assert [point.digest() for point in points] == [told["digest"] for told in result["fitted_control_points"]]
    assert all(point.mask == ends[1].mask for point in points)
    assert result["lowest"]["cross_entropy"] == pd.read_csv(path.table)["cross_entropy"].min()

    by_directory = [str(path.directory)]
    again = interpolate(str(tmp_path / "again"), *ends, workload, control_points=by_directory, **settings)
    by_prefix = [str(path.control_point(i)) for i in (1, 2)]
    raised = {**settings, "curve": Bezier(4)}
    same = interpolate(str(tmp_path / "raised"), *ends, workload, control_points=by_prefix, **raised)
    assert again.table.read_bytes() == path.table.read_bytes()
    np.testing.assert_allclose(pd.read_csv(same.table), pd.read_csv(path.table), rtol=1e-4, atol=1e-6)
    assert storage.read_json(again.result)["settings"]["fitting"] is None

    stored = {**settings, "batch_norm": "stored"}
    with pytest.raises(InputError, match="control points that are fitted have no moving statistics"):
        interpolate(str(tmp_path / "stored"), *ends, workload, control_points=by_directory, **stored)
    to_point = ends[0], points[0]
    with pytest.raises(InputError, match="control points that are fitted have no moving statistics"):
        interpolate(str(tmp_path / "stored"), *to_point, workload, num_points=2, batch_norm="stored")
    line = interpolate(str(tmp_path / "line"), *to_point, workload, num_points=2, batch_size=479)
    assert storage.read_json(line.result)["ends_under_their_own_statistics_and_mask"]["end"] is None


def test_a_fitted_curve_is_refined_from_where_it_is(interpolate, workload, ends, tmp_path, fitting):
    settings = {"num_points": 2, "batch_size": 479}
    first = interpolate(str(tmp_path / "first"), *ends, workload, curve=Bezier(2), fitting=fitting, **settings)
    more = {"control_points": [str(first.directory)], "curve": Bezier(3)}
    second = interpolate(str(tmp_path / "second"), *ends, workload, fitting=fitting, **more, **settings)
    start = checkpoint.load(second.fit.checkpoint(0)).point
    fitted = checkpoint.load(first.control_point(1)).point.weights["stem/conv/kernel"]
    expected = 2 / 3 * fitted + 1 / 3 * ends[0].under(ends[1].mask).weights["stem/conv/kernel"]
    np.testing.assert_allclose(start.weights["1/stem/conv/kernel"], expected, atol=1e-6)


def test_an_unfinished_path_has_no_control_points_to_give(interpolate, workload, ends, tmp_path, fitting):
    path = interpolate(str(tmp_path), *ends, workload, num_points=2, curve=Bezier(2), fitting=fitting, batch_size=479)
    path.result.unlink()
    given = {"curve": Bezier(2), "control_points": [str(tmp_path)]}
    with pytest.raises(InputError, match="is not finished: it has no path.json"):
        interpolate(str(tmp_path / "other"), *ends, workload, **given)


def test_default_directory_names_the_curve(interpolate, workload, ends, tmp_path, monkeypatch, fitting):
    monkeypatch.chdir(tmp_path)
    settings = {"num_points": 2, "batch_size": 479, "curve": Bezier(2)}
    for kind, more in {"quadratic_sparse": {"fitting": fitting}, "quadratic": {}}.items():
        path = interpolate(None, *ends, workload, **settings, **more)
        assert str(path.directory) == f"runs/paths/small-dense-seed0-step0_to_small-dense-seed1-step9_{kind}"


def test_stored_statistics_of_a_fit(interpolate, workload, ends, tmp_path, fitting, one_device):
    """There are none; but a network without BatchNorm has no use for any."""
    settings = {"curve": Bezier(2), "fitting": fitting, "batch_norm": "stored"}
    with pytest.raises(InputError, match="batch_norm is 'stored', but control points that are fitted have no moving"):
        interpolate(str(tmp_path / "path"), *ends, workload, **settings)
    assert not (tmp_path / "path").exists()
    images = tf_keras.Input((8, 8, 1))
    logits = tf_keras.layers.Dense(10, name="head")(tf_keras.layers.Flatten()(images))
    plain = dataclasses.replace(workload, network=tf_keras.Model(images, logits))
    ends = [initializations.dense(plain.network, Origin("small", "dense", seed, 0)) for seed in (0, 1)]
    settings["fitting"] = dataclasses.replace(fitting, manifold="dense")
    path = interpolate(str(tmp_path / "path"), *ends, plain, num_points=2, **settings)
    assert storage.read_json(path.result)["independent_units"]["unit"] == "example"
