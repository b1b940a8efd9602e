"""Protects: what a path's files say, and what is refused."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from sparse_rigl_lands import files
from sparse_rigl_lands.errors import DivergedError, InputError
from sparse_rigl_lands.paths import run as run_module
from sparse_rigl_lands.paths.run import interpolate as interpolate_run
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin, assign
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.training.evaluation import evaluate


@pytest.fixture
def interpolate(one_device):
    """``interpolate`` on one device."""
    return lambda output_dir, *arguments, **settings: interpolate_run(output_dir, one_device, *arguments, **settings)


@pytest.fixture
def ends(network, random):
    """A dense start, and an end of which half is masked."""
    start, end = (initializations.dense(network, Origin("small", "dense", seed, 0)) for seed in (0, 1))
    live = {name: random.random(shape) < 0.5 for name, shape in variants.kernel_shapes(network).items()}
    return start, dataclasses.replace(end, mask=Mask(live), origin=dataclasses.replace(end.origin, global_step=9))


def test_files_of_a_path(interpolate, workload, ends, tmp_path):
    path = interpolate(str(tmp_path), *ends, workload, num_points=5, batch_size=479)
    table, result = pd.read_csv(path.table), files.read_json(path.result)
    assert list(table) == ["t", "cross_entropy", "smoothed_cross_entropy", "l2", "top1", "count"]
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
    assert result["barrier"]["height"] == pytest.approx(
        table["cross_entropy"].max() - table["cross_entropy"].iloc[[0, -1]].max()
    )


def test_ends_are_also_reported_as_their_checkpoints_describe_them(interpolate, workload, ends, tmp_path, one_device):
    path = interpolate(str(tmp_path), *ends, workload, num_points=2, batch_size=479)
    own = files.read_json(path.result)["ends_under_their_own_statistics_and_mask"]
    batches = workload.dataset.evaluation_batches("train", 479, True, 0)
    for name, point in zip(("start", "end"), ends, strict=True):
        assign(workload.network, point)
        expected = evaluate(workload.network, workload.objective, batches, one_device)
        assert own[name] == pytest.approx(dataclasses.asdict(expected), rel=1e-5)


def test_a_finished_path_is_recognised_and_another_one_refused(interpolate, workload, ends, tmp_path, monkeypatch):
    path = interpolate(str(tmp_path), *ends, workload, num_points=3, batch_size=479)
    before = path.result.read_bytes()
    monkeypatch.setattr(run_module, "evaluate_path", None)
    interpolate(str(tmp_path), *ends, workload, num_points=3, batch_size=479)
    assert path.result.read_bytes() == before
    with pytest.raises(InputError, match="belongs to another configuration .num_points is 3 there and 4 here"):
        interpolate(str(tmp_path), *ends, workload, num_points=4, batch_size=479)
    with pytest.raises(InputError, match="belongs to another configuration .(start|mask) is"):
        interpolate(str(tmp_path), ends[1], ends[1], workload, num_points=3, batch_size=479)
    assert path.result.read_bytes() == before


def test_a_loss_that_is_not_finite_is_named_and_no_path_written(interpolate, workload, ends, tmp_path):
    huge = {name: np.full_like(value, 1e38) for name, value in ends[1].weights.items()}
    with pytest.raises(DivergedError, match="the loss is nan at t = 0.5; no path was written"):
        interpolate(str(tmp_path), ends[0], dataclasses.replace(ends[1], weights=huge), workload, 3, batch_size=479)
    assert [path.name for path in tmp_path.iterdir()] == ["config.gin"]


def test_default_directory_names_the_ends(interpolate, workload, ends, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = interpolate(None, *ends, workload, num_points=2, batch_size=479)
    assert str(path.directory) == "runs/paths/small-dense-seed0-step0_to_small-dense-seed1-step9"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_points": 1}, "num_points is 1; it must be a whole number of at least 2"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"num_points": 3.0}, "num_points is 3.0"),
        ({"augmented": "no"}, "augmented is 'no'"),
        ({"seed": "a"}, "seed is 'a'"),
        ({"batch_norm": "none"}, "batch_norm is 'none'"),
        ({"mask": "both"}, "mask is 'both'"),
        ({"precision": "float8"}, "precision is 'float8'"),
    ],
)
def test_settings_out_of_range_write_nothing(interpolate, workload, ends, tmp_path, settings, message):
    with pytest.raises(InputError, match=message):
        interpolate(str(tmp_path / "path"), *ends, workload, **settings)
    assert not (tmp_path / "path").exists()


def test_points_of_different_workloads(interpolate, workload, ends, tmp_path):
    other = dataclasses.replace(ends[0], origin=dataclasses.replace(ends[0].origin, workload="imagenet"))
    with pytest.raises(InputError, match="the start is of workload imagenet, the end of small"):
        interpolate(str(tmp_path / "path"), other, ends[1], workload)
