"""Protects: what is told of devices, here and not here. The tests' process has two logical CPUs."""

import types

import pytest
import tensorflow as tf

from sparse_rigl_lands import devices
from sparse_rigl_lands.errors import InputError


def _with_gpu(monkeypatch, capability):
    gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
    details = {"device_name": "Some GPU", "compute_capability": capability}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [gpu])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: details)


def test_a_precision_that_the_gpu_lacks(monkeypatch):
    devices.check_precision("Recipe.precision", "mixed_bfloat16")  # a CPU computes it
    _with_gpu(monkeypatch, (7, 5))
    devices.check_precision("Recipe.precision", "float32")
    with pytest.raises(InputError, match="Recipe.precision is 'mixed_bfloat16', which the Some GPU lacks"):
        devices.check_precision("Recipe.precision", "mixed_bfloat16")
    _with_gpu(monkeypatch, (8, 0))
    devices.check_precision("Recipe.precision", "mixed_bfloat16")


@pytest.mark.parametrize("precision", [None, 16, "float16", ["float32"]])
def test_a_precision_that_is_unknown(precision):
    with pytest.raises(InputError, match="Recipe.precision is .*; known are float32, mixed_bfloat16"):
        devices.check_precision("Recipe.precision", precision)


def test_replicas_on_a_cpu_share_the_memory_of_the_machine(one_device, mirrored):
    with open("/proc/meminfo", encoding="utf-8") as lines:
        total = 1024 * int(next(line.split()[1] for line in lines if line.startswith("MemTotal:")))
    assert devices.replica_memory(one_device) == total
    assert devices.replica_memory(mirrored) == total // 2


def _on(device):
    """A strategy over a device that is not here."""
    return types.SimpleNamespace(extended=types.SimpleNamespace(worker_devices=(device,)))


def test_memory_can_be_told_and_is_not_known_of_every_device(one_device):
    assert devices.replica_memory(one_device, gib=16) == 16 * 2**30
    assert devices.replica_memory(tf.distribute.get_strategy()) is None
    assert devices.replica_memory(_on("/job:worker/replica:0/task:0/device:TPU:0")) is None
    for gib in (0, -1.5, "16"):
        with pytest.raises(InputError, match="replica_memory.gib is"):
            devices.replica_memory(one_device, gib)


def test_memory_of_a_gpu_is_what_tensorflow_may_take(monkeypatch):
    of_gpus = [types.SimpleNamespace(name=f"/device:GPU:{i}", memory_limit=10**10 + i) for i in range(2)]
    monkeypatch.setattr(devices.device_lib, "list_local_devices", lambda: of_gpus)
    assert devices.replica_memory(_on("/job:localhost/replica:0/task:0/device:GPU:1")) == 10**10 + 1
    assert devices.replica_memory(_on("/device:GPU:7")) is None


def test_the_device_of_the_replicas_is_named(monkeypatch, one_device, mirrored):
    for strategy in (one_device, mirrored, tf.distribute.get_strategy()):
        assert devices.device_of_replicas(strategy) == devices.processor()
    _with_gpu(monkeypatch, (8, 0))
    monkeypatch.setattr(tf.config, "get_visible_devices", tf.config.list_physical_devices)
    assert devices.device_of_replicas(_on("/device:GPU:0")) == "Some GPU"
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: {})
    assert devices.device_of_replicas(_on("/device:GPU:0")) == "GPU"
    assert devices.device_of_replicas(_on("/job:worker/replica:0/task:0/device:TPU:0")) == "TPU"


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ("model name\t: Some CPU\nflags\t\t: fpu avx avx2 avx512f\n", "Some CPU with AVX-512"),
        ("model name\t: Some CPU\nflags\t\t: fpu avx avx2\n", "Some CPU with AVX2"),
        ("model name\t: Some CPU\n", "Some CPU"),
        ("processor\t: 0\nFeatures\t: fp asimd sve\n", "of some kind with SVE"),
    ],
)
def test_a_processor_is_named_with_its_widest_vectors(monkeypatch, about, words):
    monkeypatch.setattr(devices.pathlib.Path, "read_text", lambda path, encoding: about)
    monkeypatch.setattr(devices.platform, "processor", lambda: "")
    monkeypatch.setattr(devices.platform, "machine", lambda: "of some kind")
    assert devices.processor() == words


def test_where_nothing_tells_of_the_processor_its_kind_is_named(monkeypatch):
    def missing(path, encoding):
        raise FileNotFoundError(path)

    monkeypatch.setattr(devices.pathlib.Path, "read_text", missing)
    assert devices.processor()
