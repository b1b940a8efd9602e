"""Protects: what a report says of the machine is there, and names no place on it."""

import importlib.metadata
import os

from sparse_rigl_lands.studies.environment import environment, versions


def test_machine_and_libraries_are_told():
    found = environment()
    assert found["processor"].endswith(f", {os.cpu_count()} cores")
    assert int(found["memory"].removesuffix(" GiB")) >= 1
    assert {"Python", "tensorflow", "tf_keras", "numpy"} <= set(found)
    assert all(found.values())
    assert os.getcwd() not in str(found)


def test_the_build_for_tpus_is_tensorflow_too(monkeypatch):
    """A TPU VM has tensorflow-tpu in its place."""
    real = importlib.metadata.version

    def version(name):
        if name == "tensorflow":
            raise importlib.metadata.PackageNotFoundError(name)
        return "2.20.0" if name == "tensorflow-tpu" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert versions()["tensorflow"] == "2.20.0"
