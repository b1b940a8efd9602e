"""Protects: what a report says of the machine is there, and names no place on it."""

import os

from sparse_rigl_lands.studies.environment import environment


def test_machine_and_libraries_are_told():
    found = environment()
    assert found["processor"].endswith(f", {os.cpu_count()} cores")
    assert int(found["memory"].removesuffix(" GiB")) >= 1
    assert {"Python", "tensorflow", "tf_keras", "numpy"} <= set(found)
    assert all(found.values())
    assert os.getcwd() not in str(found)
