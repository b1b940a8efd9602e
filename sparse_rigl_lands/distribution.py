"""The ``tf.distribute`` strategy that a command runs under, asked for or detected."""

import json
import os
import signal
import socket
import sys
import threading
from typing import Any

import gin
import tensorflow as tf

from sparse_rigl_lands import checks
from sparse_rigl_lands.errors import InputError

_KINDS = ("auto", "one_device", "mirrored", "multi_worker", "tpu")
_SECONDS_TO_ANSWER = 20.0


@gin.configurable(module="sparse_rigl_lands")
def strategy(
    kind: str = "auto", logical_cpus: int = 1, tpu: str | None = None, cpu_threads: int | None = None
) -> tf.distribute.Strategy:
    """Chooses the strategy.

    Call it before any other TensorFlow operation of the process: logical devices cannot be made
    after the first one has run, and workers find each other before it. One strategy over several devices
    per process: two clash.

    Args:
      kind: ``"one_device"`` (the first GPU, or the CPU); ``"mirrored"`` (all GPUs, or all logical CPUs);
        ``"multi_worker"`` (the GPUs or the CPU of every worker that the environment variable TF_CONFIG
        names, each of which runs the same command); ``"tpu"`` (all cores of a TPU, or of a pod); or
        ``"auto"``: multi_worker where TF_CONFIG names several, else tpu where there is one, else
        mirrored where there are several GPUs or logical CPUs.
      logical_cpus: into how many logical devices the CPU is split: each is a replica under
        ``"mirrored"``, which is how runs over many devices are exercised without any.
      tpu: the name or the address (``"grpc://..."``) of the TPU; None is that of the environment variable
        TPU_NAME, or else ``"local"``, the one of this machine.
      cpu_threads: among how many threads the CPU's work is divided; None is one for every core. Give
        commands that run side by side their share: two that trained digits on two cores took 1.7 times as
        long with two threads each as with one. Sums are added up in another order then, so that this
        number belongs to the result.

    Raises:
      InputError: an unknown kind, a setting out of range, logical CPUs or threads asked for too late, a TF_CONFIG
        that is none, or a TPU that does not answer.
    """
    checks.choice("strategy.kind", kind, _KINDS)
    checks.whole_number("strategy.logical_cpus", logical_cpus, least=1)
    checks.text("strategy.tpu", tpu, others=(None,))
    checks.whole_number("strategy.cpu_threads", cpu_threads, least=1, others=(None,))
    if cpu_threads is not None:
        _limit_threads(cpu_threads)
    workers = _workers()
    if kind == "multi_worker" or (kind == "auto" and workers > 1):
        return _multi_worker_strategy(workers)
    if kind == "tpu" or (kind == "auto" and (tpu or os.environ.get("TPU_NAME") or _has_tpu())):
        return _tpu_strategy(tpu or os.environ.get("TPU_NAME") or "local")
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


def _limit_threads(count: int) -> None:
    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(count)
    except RuntimeError as error:
        raise InputError(f"strategy.cpu_threads = {count} comes after TensorFlow was started") from error


def _split_cpu(count: int) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    except RuntimeError as error:
        raise InputError(f"strategy.logical_cpus = {count} comes after TensorFlow was started") from error


def _workers() -> int:
    """How many workers TF_CONFIG names; 0 where there is none.

    Raises:
      InputError: it cannot be understood, or this process is no worker of it.
    """
    text = os.environ.get("TF_CONFIG")
    if not text:
        return 0
    example = '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
    try:
        config: Any = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        tasks = {kind: list(addresses) for kind, addresses in cluster.items()}
        index = task["index"]
        if type(index) is not int or index < 0:
            raise ValueError(f"the index of a task is {index!r}")
        place = tasks[task["type"]][index]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise InputError(f"TF_CONFIG cannot be understood ({reason}); it looks like {example}") from error
    if unknown := set(tasks) - {"worker", "chief"}:
        raise InputError(f"TF_CONFIG names a {min(unknown)}; every task must be a worker, the first perhaps a chief")
    if not isinstance(place, str) or ":" not in place:
        raise InputError(f"TF_CONFIG gives {place!r} as an address; it looks like {example}")
    return sum(map(len, tasks.values()))


def _multi_worker_strategy(workers: int) -> tf.distribute.Strategy:
    if not workers:
        raise InputError("strategy.kind is 'multi_worker', but the environment variable TF_CONFIG names no workers")
    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    print(f"{resolver.task_type} {resolver.task_id} of {workers}: waiting for the others", file=sys.stderr, flush=True)
    strategy = tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # TensorFlow has made it be noted, and not obeyed
    return strategy


def _has_tpu() -> bool:
    return bool(tf.config.list_physical_devices("TPU"))


def _tpu_strategy(name: str) -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(name)
        _check_answers(resolver.master())
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    except (OSError, ValueError, RuntimeError, ImportError, tf.errors.OpError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"the TPU {name!r} cannot be used: {reason} (strategy.tpu or TPU_NAME names another; "
            "strategy.kind='one_device' runs without one)"
        ) from error


def _check_answers(address: str) -> None:
    """Refuses an address where nobody listens: TensorFlow would wait for it without an end."""
    if not address.startswith("grpc://"):
        return
    host, _, port = address.removeprefix("grpc://").rpartition(":")
    socket.create_connection((host, int(port)), timeout=_SECONDS_TO_ANSWER).close()


def check_batch(name: str, batch_size: int, strategy: tf.distribute.Strategy) -> None:
    """Refuses a global batch that cannot be divided evenly.

    Args:
      name: of the setting.
      batch_size: examples per global batch.
      strategy: among whose replicas.

    Raises:
      InputError: some replica would have more than another.
    """
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise InputError(f"{name} {batch_size} does not divide among {replicas} replicas")
