"""On what a study was run: the machine and the libraries."""

import importlib.metadata
import os
import pathlib
import platform

import sparse_rigl_lands

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


def environment() -> dict[str, str]:
    """What there is to say of this machine, its system and the libraries that compute, by name."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": platform.platform(),
        "Python": platform.python_version(),
        "sparse_rigl_lands": sparse_rigl_lands.__version__,
        **{name: importlib.metadata.version(name) for name in _LIBRARIES},
    }


def _processor() -> str:
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
