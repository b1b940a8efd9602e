"""What a result depends on besides its configuration: the machine, or its devices, and the libraries."""

import importlib.metadata
import os
import platform

import tensorflow as tf

import sparse_rigl_lands
from sparse_rigl_lands.devices import device_of_replicas, processor

# What computes results, or decides what they are computed from.
_LIBRARIES = (
    "tensorflow",
    "tf_keras",
    "tensorflow-model-optimization",
    "tensorflow-datasets",
    "gin-config",
    "numpy",
    "scipy",
    "scikit-learn",
)
_ALSO_CALLED = {"tensorflow": "tensorflow-tpu"}  # the build for TPUs has another name


def versions() -> dict[str, str]:
    """The versions of the libraries that decide the results."""
    return {name: _version(name) for name in _LIBRARIES}


def environment() -> dict[str, str]:
    """What there is to say of this machine, its system and the libraries, by name."""
    return {
        "processor": f"{processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        **_software(),
    }


def environment_of(strategy: tf.distribute.Strategy) -> dict[str, str]:
    """What there is to say of the device of its replicas, the system and the libraries, by name."""
    return {"device": device_of_replicas(strategy), **_software()}


def _software() -> dict[str, str]:
    return {
        "system": platform.platform(),
        "Python": platform.python_version(),
        "sparse_rigl_lands": sparse_rigl_lands.__version__,
        **versions(),
    }


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return importlib.metadata.version(_ALSO_CALLED.get(name, name))
