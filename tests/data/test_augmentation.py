"""Protects: what a shift does to an image, and that its draws are a function of their key alone."""

import numpy as np
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.data import augmentation


@given(st.integers(-2, 2), st.integers(-2, 2), st.integers(0, 100))
def test_shift_is_scipys(down, right, seed):
    images = np.random.default_rng(seed).normal(size=(3, 5, 6, 2)).astype("float32")
    offsets = np.array([[down, right], [0, 0], [right, down]], "int32")
    shifted = augmentation.shift(images, offsets).numpy()
    for image, offset, result in zip(images, offsets, shifted, strict=True):
        expected = scipy.ndimage.shift(image, (*offset, 0), order=0, cval=0.0)
        np.testing.assert_array_equal(result, expected)


def test_draws_cover_all_shifts_evenly_and_differ_by_epoch():
    draws = augmentation.draw_shifts(key=7, epoch=0, num_examples=9000, pixels=1).numpy()
    values, counts = np.unique(draws, axis=0, return_counts=True)
    assert len(values) == 9
    # 1000 expected of each of the 9; five standard deviations are 149
    assert np.all(np.abs(counts - 1000) < 149)
    again = augmentation.draw_shifts(key=7, epoch=0, num_examples=9000, pixels=1).numpy()
    np.testing.assert_array_equal(draws, again)
    assert np.mean(draws == augmentation.draw_shifts(7, 1, 9000, 1).numpy()) < 0.4
    assert np.mean(draws == augmentation.draw_shifts(8, 0, 9000, 1).numpy()) < 0.4
