"""Protects: what a report or a summary says of the machine is there, and names no place on it."""

import importlib.metadata
import os

from sparse_rigl_lands.devices import device_of_replicas
from sparse_rigl_lands.environment import environment, environment_of, versions


def test_machine_and_libraries_are_told():
    found = environment()
    assert found["processor"].endswith(f", {os.cpu_count()} cores")
    assert int(found["memory"].removesuffix(" GiB")) >= 1
    assert {"Python", "tensorflow", "tf_keras", "numpy"} <= set(found)
    assert all(found.values())
    assert os.getcwd() not in str(found)


def test_a_run_tells_its_device_and_the_same_software(one_device):
    found = environment_of(one_device)
    assert found.pop("device") == device_of_replicas(one_device)
    assert found.items() == environment().items() - {(name, environment()[name]) for name in ("processor", "memory")}
    assert versions().items() <= found.items()


def test_the_build_for_tpus_is_tensorflow_too(monkeypatch):
    """A TPU VM has tensorflow-tpu in its place."""
    real = importlib.metadata.version

    def version(name):
        if name == "tensorflow":
            raise importlib.metadata.PackageNotFoundError(name)
        return "2.20.0" if name == "tensorflow-tpu" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert versions()["tensorflow"] == "2.20.0"
