"""Protects: how the results of replicas come together."""

from unittest import mock

import numpy as np
import tensorflow as tf

from sparse_rigl_lands.data.dataset import divided
from sparse_rigl_lands.replicas import ReplicaFunction, distributed, hosts_of


def _batches(share):
    """Three global batches of four, of which each replica of two sees half."""
    numbers = tf.data.Dataset.range(12, output_type=tf.int32).map(lambda x: (x, x * x))
    return divided(numbers.batch(4, drop_remainder=True), 4, share)


def test_results_of_replicas_are_stacked_or_summed(one_device, mirrored):
    def function(x, y):
        return {"sum": tf.reduce_sum(y), "all": x}

    for strategy, replicas in ((one_device, 1), (mirrored, 2)):
        stacked = list(ReplicaFunction(function, strategy, "stack").over(_batches))
        summed = list(ReplicaFunction(function, strategy, "sum").over(_batches))
        for i, (stack, total) in enumerate(zip(stacked, summed, strict=True)):
            x = np.arange(4 * i, 4 * i + 4).reshape(replicas, -1)
            np.testing.assert_array_equal(stack["all"], x)
            np.testing.assert_array_equal(stack["sum"], (x**2).sum(axis=1))
            np.testing.assert_array_equal(total["all"], x.sum(axis=0))
            assert total["sum"] == np.sum(x**2)


def test_what_is_in_the_memory_of_the_only_device_is_not_passed_on(one_device, mirrored):
    assert isinstance(distributed(one_device, _batches), tf.data.Dataset)
    assert isinstance(distributed(mirrored, _batches), tf.distribute.DistributedDataset)


def test_hosts_are_counted_as_they_share_a_batch(one_device, mirrored):
    """Two workers: test_workers.py."""
    seen = []
    for strategy in (one_device, mirrored):
        distributed(strategy, lambda share: seen.append(share.hosts) or _batches(share))
        assert hosts_of(strategy) == seen[-1]
    pod = mock.Mock(spec=tf.distribute.TPUStrategy)
    pod.extended.num_hosts = 4
    assert hosts_of(pod) == 4


def test_a_function_is_traced_once(one_device):
    traces = []

    def function(x, y):
        traces.append(0)
        return x + y

    compiled = ReplicaFunction(function, one_device, "stack")
    for _ in range(2):
        assert len(list(compiled.over(_batches))) == 3
    assert len(traces) == 1
