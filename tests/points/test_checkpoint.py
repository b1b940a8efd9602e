"""Protects: a checkpoint holds what was saved, whole or not at all, and says what is wrong with it."""

import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.points import bundle, checkpoint
from sparse_rigl_lands.points.checkpoint import Checkpoint
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity.mask import Mask
from tests.fuzz import tables

ORIGIN = Origin("digits", "pruned", 3, 7)
NAMES = st.text(alphabet="ab./S_1", min_size=1, max_size=12)


def _checkpoint(random, names=("stem/conv/kernel", "stem/norm/gamma")):
    weights = {name: random.normal(size=(3, 4)).astype("float32") for name in names}
    mask = Mask({names[0]: random.random((3, 4)) < 0.5})
    statistics = {"stem/norm/moving_mean": random.normal(size=4).astype("float32")}
    training = {
        "momentum/stem/conv/kernel": random.normal(size=(3, 4)).astype("float32"),
        "interval/steps": np.array(5),
    }
    return Checkpoint(Point(weights, mask, statistics, ORIGIN), training)


@pytest.fixture
def saved(tmp_path, random):
    prefix = files.RunFiles(tmp_path).checkpoint(7)
    checkpoint.save(prefix, _checkpoint(random))
    return prefix


@given(st.lists(NAMES, min_size=1, max_size=4, unique=True))
def test_any_names_come_back(tmp_path_factory, names):
    original = _checkpoint(np.random.default_rng(0), names)
    prefix = tmp_path_factory.mktemp("checkpoint") / "step_00000007"
    checkpoint.save(prefix, original)
    found = checkpoint.load(prefix)
    assert found.point.origin == ORIGIN
    assert found.point.digest() == original.point.digest()
    assert found.training.keys() == original.training.keys()
    for name, value in original.training.items():
        np.testing.assert_array_equal(found.training[name], value)


def test_it_is_a_plain_tensorflow_bundle_with_stable_names(saved):
    names = {name for name, _ in tf.train.list_variables(str(saved))}
    assert "weights/stem.Sconv.Skernel/.ATTRIBUTES/VARIABLE_VALUE" in names
    assert "masks/stem.Sconv.Skernel/.ATTRIBUTES/VARIABLE_VALUE" in names
    kernel = tf.train.load_variable(str(saved), "weights/stem.Sconv.Skernel/.ATTRIBUTES/VARIABLE_VALUE")
    live = tf.train.load_variable(str(saved), "masks/stem.Sconv.Skernel/.ATTRIBUTES/VARIABLE_VALUE")
    assert live.dtype == np.bool_
    np.testing.assert_array_equal(kernel != 0, live)


def test_nothing_else_is_left_in_the_directory(saved):
    assert sorted(path.name for path in saved.parent.iterdir()) == [
        "step_00000007.data-00000-of-00001",
        "step_00000007.index",
    ]


def test_a_kill_while_it_is_saved_leaves_no_checkpoint(tmp_path, random, monkeypatch):
    """Stopped before each of the renames in turn, the last of which completes it."""
    run = files.RunFiles(tmp_path)
    put_in_place, renames = storage.put_in_place, []
    for stop_at in (0, 1, 2):

        def stop(temporary, path, stop_at=stop_at):
            if len(renames) == stop_at:
                raise KeyboardInterrupt
            put_in_place(temporary, path)
            renames.append(path)

        renames.clear()
        monkeypatch.setattr(storage, "put_in_place", stop)
        if stop_at < 2:
            with pytest.raises(KeyboardInterrupt):
                checkpoint.save(run.checkpoint(7), _checkpoint(random))
            assert run.checkpoint_steps() == []
        else:
            checkpoint.save(run.checkpoint(7), _checkpoint(random))
    assert checkpoint.load(run.checkpoint(7)).point.origin == ORIGIN


def test_that_it_cannot_be_written_is_told_in_a_line(tmp_path, random):
    prefix = files.RunFiles(tmp_path).checkpoint(7)
    prefix.parent.mkdir()
    storage.partial(prefix).with_name(f".{prefix.name}.partial_temp").write_text("where TensorFlow makes a directory")
    with pytest.raises(OSError, match=r"^cannot write checkpoint .*/step_00000007: [A-Z][\w ]+$"):
        checkpoint.save(prefix, _checkpoint(random))


def test_without_its_index_it_is_no_checkpoint(saved):
    """The index is put in place last, so this is what a kill leaves behind."""
    files.index_file(saved).unlink()
    run = files.run_of_checkpoint(saved)
    assert run.checkpoint_steps() == []
    with pytest.raises(InputError, match="no such checkpoint"):
        files.checkpoint_prefix(str(saved))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("file", [files.index_file, files.data_file])
def test_a_truncated_checkpoint_is_refused(saved, file, share):
    path = file(saved)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=f"checkpoint .*{saved.name} is damaged: "):
        checkpoint.load(saved)


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 7))
def test_no_flipped_bit_of_the_data_goes_unnoticed(tmp_path_factory, place, bit):
    prefix = tmp_path_factory.mktemp("checkpoint") / "step_00000007"
    checkpoint.save(prefix, _checkpoint(np.random.default_rng(0)))
    path = files.data_file(prefix)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    path.write_bytes(content)
    with pytest.raises(InputError, match="is damaged"):
        checkpoint.load(prefix)


_ORIGIN = {"workload": "digits", "method": "pruned", "seed": 0, "global_step": 0}


def _write_raw(prefix, **groups):
    values = {group: {name: tf.Variable(x) for name, x in arrays.items()} for group, arrays in groups.items()}
    tf.train.Checkpoint(origin=tf.Variable(json.dumps(_ORIGIN)), **values).write(str(prefix))


def test_nan_in_a_checkpoint_is_named(tmp_path):
    _write_raw(tmp_path / "raw", weights={"stem/conv/kernel": np.array([1.0, np.nan], "float32")})
    with pytest.raises(InputError, match="raw: stem/conv/kernel holds a value that is not finite"):
        checkpoint.load(tmp_path / "raw")


@pytest.mark.parametrize(
    ("live", "words"),
    [
        ([False, True, False], "mask and its weights disagree: 1 masked weights of stem/conv/kernel are not zero"),
        ([False, True], r"the mask is of another network: stem/conv/kernel has shape \(2,\)"),
    ],
)
def test_a_mask_that_disagrees_with_the_weights_is_refused(tmp_path, live, words):
    weights = {"stem/conv/kernel": np.array([1.0, 2.0, 0.0], "float32")}
    _write_raw(tmp_path / "raw", weights=weights, masks={"stem/conv/kernel": np.array(live)})
    with pytest.raises(InputError, match=f"raw: .*{words}"):
        checkpoint.load(tmp_path / "raw")


def test_a_damaged_index_with_right_checksums_is_refused(saved):
    """TensorFlow would end the process."""
    index = files.index_file(saved)
    name, value = list(bundle.entries(index.read_bytes()))[-1]
    entry = BundleEntryProto.FromString(value)
    entry.shape.dim[0].size = -1
    index.write_bytes(tables.index_of([(name, entry.SerializeToString())]))
    with pytest.raises(InputError, match=f"checkpoint .*{saved.name} is damaged: the values of weights/"):
        checkpoint.load(saved)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({"weights": {"kernel": np.array("text")}}, "weights/kernel.* is text"),
        ({"weights": {"kernel": np.array([1.0])}}, "weights/kernel.* has dtype float64"),
        ({"weights": {"kernel": np.array([True])}}, "weights/kernel.* has dtype bool"),
        (
            {"weights": {"k": np.float32([1])}, "training": {"steps": np.array("text")}},
            "training/steps.* is text",
        ),
        ({"weights": {"k": np.float32([1])}, "masks": {"k": np.array("text")}}, "masks/k.* is text"),
    ],
)
def test_values_of_another_type_are_refused(tmp_path, groups, words):
    _write_raw(tmp_path / "raw", **groups)
    with pytest.raises(InputError, match=words):
        checkpoint.load(tmp_path / "raw")


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ("[]", "it holds no JSON object"),
        (json.dumps({"workload": "digits", "method": "pruned", "seed": 0}), "it lacks global_step"),
        (json.dumps({**_ORIGIN, "global_step": "1"}), "global_step is '1': Input should be a valid integer"),
        (json.dumps({**_ORIGIN, "workload": []}), "workload is"),
        (json.dumps({**_ORIGIN, "more": 1}), ".*unexpected keyword argument 'more'"),
        ("[" * 100_000, "maximum recursion depth"),
    ],
)
def test_an_origin_that_is_none_is_refused(tmp_path, origin, words):
    weights = {"kernel": tf.Variable(np.ones(1, "float32"))}
    tf.train.Checkpoint(origin=tf.Variable(origin), weights=weights).write(str(tmp_path / "raw"))
    with pytest.raises(InputError, match=f"raw is damaged: {words}"):
        checkpoint.load(tmp_path / "raw")


def test_somebody_elses_checkpoint_is_refused(tmp_path):
    tf.train.Checkpoint(step=tf.Variable(1)).write(str(tmp_path / "other"))
    with pytest.raises(InputError, match="it holds no point"):
        checkpoint.load(tmp_path / "other")
