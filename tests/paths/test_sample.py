"""Protects: which images are asked for, and what cannot be had."""

import pytest

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.sample import Sample


@pytest.mark.parametrize(
    ("settings", "looks"),
    [
        ({}, (5000,)),
        ({"images": 700}, (700,)),
        ({"images": "until_decided"}, (1024, 2048, 4096, 5000)),
        ({"images": "until_decided", "limit": 3000}, (1024, 2048, 3000)),
        ({"images": "until_decided", "limit": 9000, "first": 300, "growth": 10}, (320, 3200, 5000)),  # ends of batches
        ({"images": "until_decided", "first": 10, "growth": 10}, (64, 640, 5000)),  # the fewest that a look needs
    ],
)
def test_looks(settings, looks):
    assert Sample(**settings).looks(available=5000, fewest=64, global_batch=32) == looks


def test_looks_within_one_global_batch_are_one():
    """Many replicas see thousands of images at once: the same sums are not judged, and paid for, twice."""
    assert Sample("until_decided").looks(available=20_000, fewest=8, global_batch=4096) == (4096, 8192, 16384, 20_000)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"images": 0}, "Sample.images is 0; it must be 'all', 'until_decided' or a whole number of at least 1"),
        ({"images": "some"}, "Sample.images is 'some'"),
        ({"images": True}, "Sample.images is True"),
        ({"images": 5001}, "Sample.images is 5001; there are 5000"),
        ({"limit": -1}, "Sample.limit is -1"),
        ({"first": 1.5}, "Sample.first is 1.5"),
        ({"images": "until_decided", "growth": 1.0}, "growth"),
        ({"growth": "2"}, "Sample.growth is '2'; it must be a finite number above 1"),
    ],
)
def test_what_cannot_be_had(settings, message):
    with pytest.raises(InputError, match=message):
        Sample(**settings).looks(available=5000, fewest=64, global_batch=32)
