"""Protects: which strategy is chosen. The tests' process has two logical CPUs."""

import json
import re
import subprocess
import sys
import time

import pytest
import tensorflow as tf

from sparse_rigl_lands import distribution
from sparse_rigl_lands.errors import InputError
from tests.commands import ROOT


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
        ({"kind": "cluster"}, "strategy.kind is 'cluster'; known are auto, one_device, mirrored, multi_worker, tpu"),
        ({"logical_cpus": 0}, "logical_cpus is 0"),
        ({"logical_cpus": "2"}, "logical_cpus is '2'; it must be a whole number"),
        ({"logical_cpus": 3}, "comes after TensorFlow was started"),
        ({"cpu_threads": 0}, "cpu_threads is 0; it must be None or a whole number of at least 1"),
        ({"cpu_threads": 1}, "cpu_threads = 1 comes after TensorFlow was started"),
    ],
)
def test_what_cannot_be_had(settings, message):
    tf.config.list_logical_devices()
    with pytest.raises(InputError, match=message):
        distribution.strategy(**settings)


def test_threads_are_as_many_as_asked_for():
    """In a process of its own: it must be asked for before TensorFlow starts."""
    program = """
import tensorflow as tf
from sparse_rigl_lands import distribution
distribution.strategy(cpu_threads=1)
threading = tf.config.threading
print(threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads())
"""
    process = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert process.stdout == "1 1\n"


_CLUSTER = {"worker": ["127.0.0.1:1111", "127.0.0.1:2222"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "TF_CONFIG cannot be understood (JSONDecodeError"),
        ("[1]", "TF_CONFIG cannot be understood (TypeError"),
        ("[" * 100_000, "TF_CONFIG cannot be understood (RecursionError"),
        ('{"cluster": {}}', "TF_CONFIG cannot be understood (KeyError: 'task')"),
        (json.dumps({"cluster": _CLUSTER, "task": {"type": "worker", "index": 2}}), "(IndexError: list index"),
        (json.dumps({"cluster": _CLUSTER, "task": {"type": "worker", "index": -1}}), "the index of a task is -1"),
        (json.dumps({"cluster": _CLUSTER, "task": {"type": "worker", "index": 0.5}}), "the index of a task is 0.5"),
        (json.dumps({"cluster": _CLUSTER, "task": {"type": "chief", "index": 0}}), "(KeyError: 'chief')"),
        (json.dumps({"cluster": {"worker": ["here"]}, "task": {"type": "worker", "index": 0}}), "gives 'here' as an"),
        (
            json.dumps({"cluster": {**_CLUSTER, "ps": ["a:1"]}, "task": {"type": "worker", "index": 0}}),
            "TF_CONFIG names a ps; every task must be a worker",
        ),
    ],
)
def test_a_cluster_that_cannot_be_understood(monkeypatch, content, message):
    monkeypatch.setenv("TF_CONFIG", content)
    with pytest.raises(InputError, match=re.escape(message)) as refused:
        distribution.strategy()
    assert "\n" not in str(refused.value).partition("\n  In call")[0]


def test_several_workers_are_found_and_one_is_none(monkeypatch, capsys):
    made = []
    monkeypatch.setattr(
        tf.distribute, "MultiWorkerMirroredStrategy", lambda cluster_resolver: made.append(cluster_resolver)
    )
    task = {"type": "worker", "index": 1}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": _CLUSTER, "task": task}))
    distribution.strategy()
    assert made[0].cluster_spec().as_dict() == _CLUSTER
    assert capsys.readouterr().err == "worker 1 of 2: waiting for the others\n"
    one = {"cluster": {"worker": ["127.0.0.1:1111"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(one))
    assert isinstance(distribution.strategy("one_device"), tf.distribute.OneDeviceStrategy)
    monkeypatch.delenv("TF_CONFIG")
    with pytest.raises(InputError, match="TF_CONFIG names no workers"):
        distribution.strategy("multi_worker")


class _FakeTPU:
    """What of TensorFlow reaches a TPU, by which calls it is reached; there is none here."""

    def __init__(self, monkeypatch, address=""):
        self.calls = []
        cluster_resolver = tf.distribute.cluster_resolver
        monkeypatch.setattr(cluster_resolver, "TPUClusterResolver", lambda name: self._note("resolve", name, self))
        monkeypatch.setattr(tf.config, "experimental_connect_to_cluster", lambda r: self._note("connect", r))
        monkeypatch.setattr(tf.tpu.experimental, "initialize_tpu_system", lambda r: self._note("initialize", r))
        monkeypatch.setattr(tf.distribute, "TPUStrategy", lambda r: self._note("strategy", r, "the strategy"))
        self.master = lambda: address

    def _note(self, name, argument, result=None):
        self.calls.append((name, argument if isinstance(argument, str) else "resolver"))
        return result


@pytest.mark.parametrize(
    ("settings", "environment", "name"),
    [
        ({"kind": "tpu"}, {}, "local"),
        ({"kind": "tpu", "tpu": "pod-1"}, {"TPU_NAME": "other"}, "pod-1"),
        ({"tpu": "pod-1"}, {}, "pod-1"),
        ({}, {"TPU_NAME": "named"}, "named"),
    ],
)
def test_a_tpu_is_asked_for_or_found(monkeypatch, settings, environment, name):
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    fake = _FakeTPU(monkeypatch)
    assert distribution.strategy(**settings) == "the strategy"
    after = [("connect", "resolver"), ("initialize", "resolver"), ("strategy", "resolver")]
    assert fake.calls == [("resolve", name), *after]


def test_the_tpu_of_this_machine_is_found(monkeypatch):
    fake, devices = _FakeTPU(monkeypatch), {"TPU": ["a core"]}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: devices.get(kind, []))
    assert distribution.strategy() == "the strategy"
    assert fake.calls[0] == ("resolve", "local")


@pytest.mark.parametrize("name", ["local", "no-such-tpu", "grpc://127.0.0.1:1", "grpc://nowhere"])
def test_a_tpu_that_cannot_be_reached_is_told_in_one_line_and_soon(name):
    """By TensorFlow's own resolver: none is here, none has such a name, nobody listens there."""
    started = time.monotonic()
    with pytest.raises(InputError, match=re.escape(f"the TPU {name!r} cannot be used: ")) as refused:
        distribution.strategy("tpu", tpu=name)
    assert time.monotonic() - started < 20
    message = str(refused.value).partition("\n  In call")[0]
    assert "\n" not in message
    assert "strategy.kind='one_device' runs without one" in message


def test_a_batch_must_divide(mirrored):
    distribution.check_batch("Recipe.batch_size", 8, mirrored)
    with pytest.raises(InputError, match="Recipe.batch_size 9 does not divide among 2 replicas"):
        distribution.check_batch("Recipe.batch_size", 9, mirrored)
