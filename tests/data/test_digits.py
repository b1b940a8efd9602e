"""Protects: the split, exact counts, and that both streams are pure functions of seed and step."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.errors import InputError


def _examples(batches):
    """All images, labels and weights of finitely many batches."""
    return [np.concatenate(parts) for parts in zip(*((x.numpy() for x in batch) for batch in batches), strict=True)]


def _as_set(images):
    """The images without their order."""
    return sorted(image.tobytes() for image in images)


@pytest.fixture(scope="module")
def digits():
    return Digits()


@pytest.mark.parametrize("pixels", [-1, 8, "1", 0.5, 1.0, True])
def test_impossible_shifts_are_refused(pixels):
    with pytest.raises(InputError, match=f"Digits.max_shift is {pixels!r}; it must be a whole number of at least 0"):
        Digits(max_shift=pixels)


def test_split_is_stratified_and_standardised(digits):
    assert (digits.num_examples("train"), digits.num_examples("test")) == (1437, 360)
    shares = []
    for split in ("train", "test"):
        images, labels, weights = _examples(digits.evaluation_batches(split, 100))
        live = weights == 1
        shares.append(np.bincount(labels[live], minlength=10) / live.sum())
        if split == "train":
            assert abs(images[live].mean()) < 1e-5
            assert abs(images[live].std() - 1) < 1e-5
    assert np.max(np.abs(shares[0] - shares[1])) < 2 / 360


@pytest.mark.parametrize("batch_size", [128, 100, 1437, 2000])
def test_evaluation_counts_are_exact_and_do_not_depend_on_the_batch_size(digits, batch_size):
    images, labels, weights = _examples(digits.evaluation_batches("train", batch_size, augmented=True, seed=3))
    reference = _examples(digits.evaluation_batches("train", 479, augmented=True, seed=3))  # 1437 = 3 * 479
    assert weights.sum() == 1437
    assert len(weights) % batch_size == 0
    assert not images[1437:].any()
    np.testing.assert_array_equal(images[:1437], reference[0])
    np.testing.assert_array_equal(labels[:1437], reference[1])


def test_evaluation_can_stop_early_and_be_entered_at_any_batch(digits):
    everything = _examples(digits.evaluation_batches("train", 479, True, 3))
    images, labels, weights = _examples(digits.evaluation_batches("train", 100, True, 3, limit=730, first_batch=2))
    np.testing.assert_array_equal(weights, np.arange(600) < 530)
    np.testing.assert_array_equal(images[:530], everything[0][200:730])
    np.testing.assert_array_equal(labels[:530], everything[1][200:730])
    assert not images[530:].any()


def test_augmentation_is_keyed_by_the_seed(digits):
    plain, first, second = (
        _examples(digits.evaluation_batches("train", 479, augmented, seed))[0]
        for augmented, seed in ((False, 0), (True, 0), (True, 1))
    )
    moved = np.any(first != plain, axis=(1, 2, 3)).mean()
    assert 0.8 < moved < 0.95  # 8 of 9 shifts move an image
    assert np.any(first != second, axis=(1, 2, 3)).mean() > 0.8


@settings(max_examples=8)
@given(st.integers(0, 40), st.integers(1, 400))
def test_training_stream_can_be_entered_at_any_step(step, batch_size):
    digits = Digits()
    from_start = itertools.islice(digits.training_batches(batch_size, 5, 0), step, step + 2)
    from_step = itertools.islice(digits.training_batches(batch_size, 5, step), 2)
    for expected, found in zip(from_start, from_step, strict=True):
        np.testing.assert_array_equal(expected[0], found[0])
        np.testing.assert_array_equal(expected[1], found[1])


def test_every_epoch_holds_every_example_once_in_another_order():
    digits = Digits(max_shift=0)
    stream = itertools.islice(digits.training_batches(479, 0, 0), 6)
    images, _ = _examples(stream)
    everything = _as_set(_examples(digits.evaluation_batches("train", 479))[0])
    first, second = images[:1437], images[1437:]
    assert _as_set(first) == _as_set(second) == everything
    assert np.mean(np.all(first == second, axis=(1, 2, 3))) < 0.05


def test_augmentation_of_an_example_changes_with_the_epoch():
    stream = itertools.islice(Digits().training_batches(479, 0, 0), 6)
    images, _ = _examples(stream)
    assert _as_set(images[:1437]) != _as_set(images[1437:])


def test_nothing_is_tuned(digits):
    """Whoever lets go of an iterator would wait for the tuner."""
    for batches in (digits.training_batches(32, 0, 0), digits.evaluation_batches("train", 32, augmented=True)):
        assert batches.options().autotune.enabled is False
