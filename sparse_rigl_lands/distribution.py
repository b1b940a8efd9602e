"""The ``tf.distribute`` strategy that a command runs under, asked for or detected."""

import gin
import tensorflow as tf

from sparse_rigl_lands.errors import InputError

_KINDS = ("auto", "one_device", "mirrored")


@gin.configurable(module="sparse_rigl_lands")
def strategy(kind: str = "auto", logical_cpus: int = 1) -> tf.distribute.Strategy:
    """Chooses the strategy.

    Call it before any other TensorFlow operation of the process: logical devices cannot be made
    after the first one has run. One ``MirroredStrategy`` per process: two clash on CPUs.

    Args:
      kind: ``"one_device"`` (the first GPU, or the CPU), ``"mirrored"`` (all GPUs, or all logical
        CPUs), or ``"auto"`` (mirrored where there are several GPUs or logical CPUs).
      logical_cpus: into how many logical devices the CPU is split: each is a replica under
        ``"mirrored"``, which is how runs over many devices are exercised without any.

    Raises:
      InputError: an unknown kind, or logical CPUs asked for too late.
    """
    if kind not in _KINDS:
        raise InputError(f"strategy.kind is {kind!r}; known are {', '.join(_KINDS)}")
    if logical_cpus < 1:
        raise InputError(f"strategy.logical_cpus is {logical_cpus}; it must be at least 1")
    if logical_cpus > 1:
        _split_cpu(logical_cpus)
    devices = tf.config.list_logical_devices("GPU")
    if devices:
        tf.config.experimental.enable_op_determinism()  # a run that is started again ends with the same bits
    devices = devices or tf.config.list_logical_devices("CPU")
    names = [device.name for device in devices]
    if kind == "mirrored" or (kind == "auto" and len(names) > 1):
        return tf.distribute.MirroredStrategy(names)
    return tf.distribute.OneDeviceStrategy(names[0])


def _split_cpu(count: int) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    except RuntimeError as error:
        raise InputError(f"strategy.logical_cpus = {count} comes after TensorFlow was started") from error


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
