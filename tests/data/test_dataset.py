"""Protects: hosts and replicas together are given the very batches that one device is given, padding included."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from sparse_rigl_lands.data.dataset import padded_batches
from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.data.imagenet import ImageNet
from sparse_rigl_lands.replicas import WHOLE, Share


@pytest.fixture(params=["digits", "imagenet"])
def dataset(request, prepared_imagenet):
    return Digits() if request.param == "digits" else ImageNet(prepared_imagenet, 16)


def _together(batches_of, batch_size, hosts, replicas, count=None):
    """The global batches of all hosts, as arrays [batches, batch size, ...]."""
    parts = []
    for host in range(hosts):
        batches = list(itertools.islice(batches_of(Share(host, hosts, replicas)), count and count * replicas // hosts))
        assert {len(batch[0]) for batch in batches} == {batch_size // replicas}
        stacked = [np.concatenate(part) for part in zip(*batches, strict=True)]
        parts.append([part.reshape(-1, batch_size // hosts, *part.shape[1:]) for part in stacked])
    return [np.concatenate(part, axis=1) for part in zip(*parts, strict=True)]


@pytest.mark.parametrize(("hosts", "replicas"), [(1, 2), (2, 2), (2, 4)])
def test_shares_of_training_batches(dataset, hosts, replicas):
    def batches(share):
        return dataset.training_batches(8, 0, 3, share)

    found, expected = (_together(batches, 8, *split, count=4) for split in ((hosts, replicas), (1, 1)))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("limit", [21, 17, 16])
@pytest.mark.parametrize(("hosts", "replicas"), [(1, 2), (2, 2), (2, 4)])
def test_shares_of_evaluation_batches(dataset, hosts, replicas, limit):
    """The last of 8 is full, or padded for some replicas, or all padding for them."""

    def batches(share):
        return dataset.evaluation_batches("train", 8, True, 1, limit, 1, share)

    found, expected = (_together(batches, 8, *split) for split in ((hosts, replicas), (1, 1)))
    assert expected[2].sum() == limit - 8
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("hosts", "replicas"), [(1, 2), (2, 2), (2, 4)])
def test_shares_of_any_examples(hosts, replicas):
    examples = tf.data.Dataset.range(13, output_type=tf.int32).map(lambda i: (tf.fill([2], i), i))
    found = _together(lambda share: padded_batches(examples, 8, share), 8, hosts, replicas)
    for ours, theirs in zip(found, zip(*padded_batches(examples, 8, WHOLE), strict=True), strict=True):
        np.testing.assert_array_equal(ours, np.stack(theirs))
