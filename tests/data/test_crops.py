"""Protects: the crops of photographs, against an independent decoder; that they are pure functions of a seed."""

import io

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from sparse_rigl_lands.data import crops
from tests.data import tree


def _encoded(pixels):
    stream = io.BytesIO()
    PIL.Image.fromarray(pixels).save(stream, "JPEG", quality=95)
    return tf.constant(stream.getvalue())


def _decoded(encoded):
    return np.array(PIL.Image.open(io.BytesIO(encoded.numpy())).convert("RGB")).astype("float32")


def _seeds(n):
    return [tf.constant([5, i], tf.int64) for i in range(n)]


@pytest.fixture
def photograph(random):
    """Clouds of colour, 150 high and 201 wide."""
    coarse = random.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return _encoded(np.array(PIL.Image.fromarray(coarse).resize((201, 150), PIL.Image.Resampling.BICUBIC)))


def test_random_crop_is_the_box_of_the_whole_image(photograph):
    whole = _decoded(photograph)
    for seed in _seeds(12):
        found = crops.random_resized_crop(photograph, seed, 48).numpy()
        box_seed = tf.random.experimental.stateless_split(seed, 2)[0]
        top, left, height, width = crops.random_box(tf.constant(whole.shape), box_seed).numpy()
        part = whole[top : top + height, left : left + width]
        expected = np.clip(tf.image.resize(part, (48, 48), "bicubic"), 0, 255)
        errors = [np.abs(found - candidate) for candidate in (expected, expected[:, ::-1])]
        closest = min(errors, key=np.mean)
        assert closest.mean() < 0.5  # pixel values; of rounding alone 0.25
        assert closest[2:-2, 2:-2].max() < 0.6  # colours, stored by twos, lack a neighbour at an edge of the box


def test_random_crops_are_mirrored_half_of_the_time():
    pixels = np.zeros((40, 50, 3), np.uint8)
    pixels[...] = np.linspace(0, 255, 50)[:, None]
    images = np.stack([crops.random_resized_crop(_encoded(pixels), seed, 8) for seed in _seeds(200)]).astype(int)
    falling = images[:, 4, 0, 0] > images[:, 4, -1, 0]
    assert 0.4 < falling.mean() < 0.6


def test_random_boxes_have_the_areas_and_the_aspects_of_the_field():
    boxes = np.stack([crops.random_box(tf.constant([300, 400, 3]), seed) for seed in _seeds(300)])
    top, left, height, width = boxes.T
    assert (boxes[:, :2] >= 0).all()
    assert (top + height <= 300).all()
    assert (left + width <= 400).all()
    areas, aspects = height * width / (300 * 400), width / height
    assert areas.min() > 0.079  # whole pixels
    assert areas.min() < 0.15
    assert areas.max() > 0.8
    assert aspects.min() > 0.73
    assert aspects.max() < 1.36
    assert np.ptp(aspects) > 0.5


def test_random_crop_is_a_pure_function_of_the_seed(photograph):
    first, again, other = (
        crops.random_resized_crop(photograph, tf.constant(seed), 32).numpy().astype(int)
        for seed in ((1, 2), (1, 2), (1, 3))
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 1


@pytest.mark.parametrize(("height", "width", "top", "left"), [(64, 81, 16, 25), (91, 64, 30, 16), (65, 65, 17, 17)])
def test_central_crop_without_scaling_is_a_slice(random, height, width, top, left):
    """Images of 32 come from 32 / (32 + 32) of the shorter side, here 64 or 65: another 32 pixels."""
    coarse = PIL.Image.fromarray(random.integers(0, 256, (5, 7, 3), dtype=np.uint8))
    encoded = _encoded(np.array(coarse.resize((width, height), PIL.Image.Resampling.BICUBIC)))
    error = np.abs(crops.central_crop(encoded, 32).numpy() - _decoded(encoded)[top : top + 32, left : left + 32])
    assert error.mean() < 0.3  # pixel values
    assert error[1:-1, 1:-1].max() == 0  # colours, stored by twos, lack a neighbour at an edge of the box


def test_central_crop_of_a_usual_photograph(random):
    """224 of 256 pixels of the shorter side: 328 of 375."""
    coarse = PIL.Image.fromarray(random.integers(0, 256, (5, 7, 3), dtype=np.uint8))
    encoded = _encoded(np.array(coarse.resize((500, 375), PIL.Image.Resampling.BICUBIC)))
    expected = tf.image.resize(_decoded(encoded)[24 : 24 + 328, 86 : 86 + 328], (224, 224), "bicubic")
    assert np.abs(crops.central_crop(encoded, 224).numpy() - np.clip(expected, 0, 255)).mean() < 0.3


def test_crops_of_a_grey_photograph_have_three_channels():
    encoded = _encoded(np.full((30, 40), 100, np.uint8))
    for image in (crops.central_crop(encoded, 16), crops.random_resized_crop(encoded, tf.constant([1, 2]), 16)):
        assert image.dtype == tf.uint8
        np.testing.assert_allclose(image, np.full((16, 16, 3), 100.0), atol=1)


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_photographs_of_other_colours_are_decoded_as_pillow_does(mode):
    encoded = tree.encoded(3, "JPEG", mode)
    whole = _decoded(tf.constant(encoded))
    found = crops.central_crop(tf.constant(encoded), 16)  # a third of the shorter side, 13 of 40
    np.testing.assert_allclose(found, tf.image.resize(whole[14:27, 19:32], (16, 16), "bicubic"), atol=3)
    assert whole.std() > 20


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_other_kinds_of_files_are_cropped_alike(kind):
    whole = _decoded(tf.constant(tree.encoded(3, kind)))
    found = crops.central_crop(tf.constant(tree.encoded(3, kind)), 16)
    np.testing.assert_allclose(found, tf.image.resize(whole[14:27, 19:32], (16, 16), "bicubic"), atol=0.501)
    of_jpeg, of_other = (
        crops.random_resized_crop(tf.constant(tree.encoded(3, k)), tf.constant([1, 2]), 16) for k in ("JPEG", kind)
    )
    np.testing.assert_allclose(of_jpeg, of_other, atol=3)


def test_what_overshoots_is_clipped_and_the_rest_rounded(random):
    """Bicubic interpolation leaves the range of its values beside an edge, here 0 to 255."""
    edges = np.where(random.random((9, 11, 3)) < 0.5, 0, 255).astype("uint8")
    interpolated = tf.image.resize(edges, (24, 24), "bicubic").numpy()
    assert interpolated.min() < -5
    assert interpolated.max() > 260
    np.testing.assert_array_equal(crops.resized(tf.constant(edges), 24), np.clip(np.rint(interpolated), 0, 255))
