"""Protects: which strategy is chosen, and what devices lack. The tests' process has two logical CPUs."""

import pytest
import tensorflow as tf

from sparse_rigl_lands import distribution
from sparse_rigl_lands.errors import InputError


def test_one_device():
    assert isinstance(distribution.strategy("one_device"), tf.distribute.OneDeviceStrategy)


@pytest.mark.parametrize("kind", ["auto", "mirrored"])
def test_two_devices_are_mirrored(kind, monkeypatch):
    made = []
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", made.append)  # one per process: not a second
    distribution.strategy(kind)
    assert made == [[device.name for device in tf.config.list_logical_devices("CPU")]]
    assert len(made[0]) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "cluster"}, "strategy.kind is 'cluster'; known are auto, one_device, mirrored"),
        ({"logical_cpus": 0}, "logical_cpus is 0"),
        ({"logical_cpus": 3}, "comes after TensorFlow was started"),
    ],
)
def test_what_cannot_be_had(settings, message):
    tf.config.list_logical_devices()
    with pytest.raises(InputError, match=message):
        distribution.strategy(**settings)


def _with_gpu(monkeypatch, capability):
    gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
    details = {"device_name": "Some GPU", "compute_capability": capability}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [gpu])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: details)


def test_a_precision_that_the_gpu_lacks(monkeypatch):
    distribution.check_precision("mixed_bfloat16")  # a CPU computes it
    _with_gpu(monkeypatch, (7, 5))
    distribution.check_precision("float32")
    with pytest.raises(InputError, match="precision is 'mixed_bfloat16', which the Some GPU lacks"):
        distribution.check_precision("mixed_bfloat16")
    _with_gpu(monkeypatch, (8, 0))
    distribution.check_precision("mixed_bfloat16")
