"""Protects: which strategy is chosen. The tests' process has two logical CPUs."""

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
