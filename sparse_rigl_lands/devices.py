"""What the devices of the replicas hold, and what they lack."""

import os

import gin
import tensorflow as tf
from tensorflow.python.client import device_lib  # the public interface tells what is in use, not what there is

from sparse_rigl_lands.errors import InputError


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
    if gib is not None:
        if not isinstance(gib, int | float) or not gib > 0:
            raise InputError(f"replica_memory.gib is {gib!r}; it must be positive")
        return int(gib * 2**30)
    if strategy is tf.distribute.get_strategy() and not tf.distribute.has_strategy():
        return None
    devices = strategy.extended.worker_devices
    first = tf.DeviceSpec.from_string(devices[0])
    if first.device_type == "CPU":
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // len(devices)
    limits = {device.name: device.memory_limit for device in device_lib.list_local_devices()}
    return limits.get(f"/device:{first.device_type}:{first.device_index}")


def check_precision(precision: str) -> None:
    """Refuses a precision that the devices lack.

    CPUs without instructions for bfloat16 compute it all the same, slowly.

    Args:
      precision: a Keras dtype policy.

    Raises:
      InputError: bfloat16 on a GPU older than compute capability 8.0.
    """
    if "bfloat16" not in precision:
        return
    for gpu in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpu)
        if details.get("compute_capability", (8, 0)) < (8, 0):
            name = details.get("device_name", gpu.name)
            raise InputError(f"precision is {precision!r}, which the {name} lacks; float32 works everywhere")


def device_of_replicas(strategy: tf.distribute.Strategy) -> str:
    """The device that every replica runs on, for people: its kind, and its name where TensorFlow knows it.

    Args:
      strategy: of the replicas.

    Returns:
      Such as ``"CPU"``, ``"TPU"`` or ``"GPU, NVIDIA A100"``.
    """
    first = tf.DeviceSpec.from_string(strategy.extended.worker_devices[0])
    names = {
        tf.config.experimental.get_device_details(gpu).get("device_name", "")
        for gpu in tf.config.list_physical_devices("GPU")
        if first.device_type == "GPU"
    }
    return ", ".join([first.device_type, *sorted(names - {""})])
