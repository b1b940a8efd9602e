"""What the devices of the replicas are, what they hold, and what they lack."""

import os
import pathlib
import platform

import gin
import tensorflow as tf
from tensorflow.python.client import device_lib  # the public interface tells what is in use, not what there is

from sparse_rigl_lands import checks
from sparse_rigl_lands.errors import InputError

PRECISIONS = ("float32", "mixed_bfloat16")  # of Keras' dtype policies

# Of Linux's flags of a processor, the widest first.
_VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX", "sve": "SVE", "asimd": "NEON"}


@gin.configurable(module="sparse_rigl_lands")
def replica_memory(strategy: tf.distribute.Strategy, gib: float | None = None) -> int | None:
    """The bytes of the device that a replica runs on, for plans.

    Args:
      strategy: of the replicas.
      gib: so many GiB, such as 16 for a core of a TPU v3; None asks the device. The replicas on a CPU share what the
        machine has, whatever a container may take of it; of a GPU it is what TensorFlow may take.

    Returns:
      None where it is not known: a TPU does not tell, and TensorFlow's default strategy names no device.

    Raises:
      InputError: ``gib`` is not positive.
    """
    checks.number("replica_memory.gib", gib, above=0, others=(None,))
    if gib is not None:
        return int(gib * 2**30)
    if _names_no_device(strategy):
        return None
    devices = strategy.extended.worker_devices
    first = tf.DeviceSpec.from_string(devices[0])
    if first.device_type == "CPU":
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // len(devices)
    limits = {device.name: device.memory_limit for device in device_lib.list_local_devices()}
    return limits.get(f"/device:{first.device_type}:{first.device_index}")


def check_precision(setting: str, precision: str) -> None:
    """Refuses a precision that is unknown, or that the devices lack.

    CPUs without instructions for bfloat16 compute it all the same, slowly.

    Args:
      setting: its name.
      precision: a Keras dtype policy.

    Raises:
      InputError: none of ``PRECISIONS``, or bfloat16 on a GPU older than compute capability 8.0.
    """
    checks.choice(setting, precision, PRECISIONS)
    if precision == "float32":
        return
    for gpu in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpu)
        if details.get("compute_capability", (8, 0)) < (8, 0):
            name = details.get("device_name", gpu.name)
            raise InputError(f"{setting} is {precision!r}, which the {name} lacks; float32 works everywhere")


def device_of_replicas(strategy: tf.distribute.Strategy) -> str:
    """The device that a replica runs on, for people.

    Args:
      strategy: of the replicas.

    Returns:
      ``"TPU"``, the name of the GPU as far as TensorFlow knows it, or ``processor()``, which is also what TensorFlow's
      default strategy is taken to run on: it names no device.
    """
    if _names_no_device(strategy):
        return processor()
    first = tf.DeviceSpec.from_string(strategy.extended.worker_devices[0])
    if first.device_type == "CPU":
        return processor()
    if first.device_type == "GPU":
        gpu = tf.config.get_visible_devices("GPU")[first.device_index]
        return tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
    return first.device_type


def processor() -> str:
    """The name of this machine's processor and its widest vectors, on which the last bits of results depend."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    about = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = about.get("flags", about.get("Features", "")).split()
    vectors = next((f" with {name}" for flag, name in _VECTORS.items() if flag in flags), "")
    return f"{about.get('model name') or platform.processor() or platform.machine()}{vectors}"


def _names_no_device(strategy: tf.distribute.Strategy) -> bool:
    """Whether it is TensorFlow's default strategy."""
    return strategy is tf.distribute.get_strategy() and not tf.distribute.has_strategy()
