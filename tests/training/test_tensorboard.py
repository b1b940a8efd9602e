"""Protects: what TensorBoard shows of a run, and the pictures of masks."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sparse_rigl_lands import files
from sparse_rigl_lands.training.tensorboard import Observation, TensorBoard, mask_image


def _events(run):
    return EventAccumulator(str(run.tensorboard), {"tensors": 0}).Reload()


def _values(events, tag):
    return {event.step: tf.make_ndarray(event.tensor_proto) for event in events.Tensors(tag)}


@pytest.fixture
def run(tmp_path):
    return files.RunFiles(tmp_path)


def test_losses_sparsity_and_schedule_are_scalars(run):
    board = TensorBoard(run)
    board.write(10, {"l2": 0.5}, Observation({"all": 0.25, "a/kernel": 0.5}, {"a/kernel": 0.75}))
    board.write(20, {"l2": 0.25}, Observation({"all": 0.5, "a/kernel": 1.0}, {"a/kernel": 1.0}))
    events = _events(run)
    assert _values(events, "training/l2") == {10: 0.5, 20: 0.25}
    assert _values(events, "sparsity/all") == {10: 0.25, 20: 0.5}
    assert _values(events, "sparsity/a/kernel") == {10: 0.5, 20: 1.0}
    assert _values(events, "scheduled_sparsity/a/kernel") == {10: 0.75, 20: 1.0}


def test_masks_are_shown_where_they_have_changed(run):
    board, mask = TensorBoard(run), np.eye(4, dtype=bool)
    for step, sparsity in ((10, 0.75), (20, 0.75), (30, 0.875)):
        board.write(step, {}, Observation({"all": sparsity}, masks={"a/kernel": mask & (np.arange(4) >= step // 30)}))
    shown = _values(_events(run), "mask/a/kernel")
    assert list(shown) == [10, 30]
    width, height, first = shown[10]
    assert (int(width), int(height)) == (4, 4)
    assert tf.io.decode_png(first).numpy()[:, :, 0].tolist() == (255 * np.eye(4)).tolist()


def test_batch_norm_is_a_histogram_where_it_is_asked_for(run):
    values = np.array([1.0, 2.0, 4.0])
    TensorBoard(run).write(10, {}, Observation({"all": 0.0}, batch_norm={"a/moving_mean": values}))
    buckets = _values(_events(run), "batch_norm/a/moving_mean")[10]
    assert buckets[:, 2].sum() == 3
    assert (buckets[0, 0], buckets[-1, 1]) == (1.0, 4.0)


def test_units_are_columns(random):
    mask = random.random((3, 3, 5, 7)) < 0.5
    picture = mask_image(mask)
    assert picture.shape == (45, 7)
    assert picture[:, 2].tolist() == mask[..., 2].reshape(-1).astype(float).tolist()


@given(rows=st.integers(1, 700), columns=st.integers(1, 700), seed=st.integers(0, 3))
def test_a_large_mask_is_averaged(rows, columns, seed):
    """Over blocks: no pixel is of nothing, and each lies between none and all."""
    mask = np.random.default_rng(seed).random((rows, columns)) < 0.3
    picture = mask_image(mask)
    assert picture.shape == (min(rows, 256), min(columns, 256))
    assert np.all((picture >= 0) & (picture <= 1))
    assert picture[0, 0] == pytest.approx(mask[: max(rows // 256, 1), : max(columns // 256, 1)].mean())


def test_blocks_of_equal_size_keep_the_density(random):
    mask = random.random((512, 768)) < 0.2
    assert mask_image(mask).mean() == pytest.approx(mask.mean(), abs=1e-6)
    assert mask_image(mask)[3, 5] == pytest.approx(mask[6:8, 15:18].mean())
