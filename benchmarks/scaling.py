"""Scaling on paper: what the experiments of gin/ would take on machines that were not at hand.

    python -m benchmarks.input_pipeline    measures what a core reads
    python -m benchmarks.scaling           computes the tables; nothing is timed

Operations, images and the memory of a replica are those of the project's own plans (``--dry_run``). Assumed, and
nowhere measured, is the part of the published peak that is reached: rates are proportional to it, and hours inversely
so. It is the same for all machines, and likely too high for the fastest, where BatchNorm waits for the memory. At these
rates the table tells what the input must deliver, how many cores like those of this machine that takes for every host,
and how much is read by all. Left out are the exchange of gradients, compilation, checkpoints, and waiting for input.
"""

import dataclasses
import json
import pathlib
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import gin

from benchmarks import measure
from sparse_rigl_lands import distribution
from sparse_rigl_lands.paths import plan as paths
from sparse_rigl_lands.paths.preparation import prepare_path
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin
from sparse_rigl_lands.training import plan as training
from sparse_rigl_lands.training.run import prepare_run
from sparse_rigl_lands.training.stage import Stage

_UTILISATION = 0.4  # assumed: the part of the peak that convolutions, BatchNorm and all else reach together
_BYTES_OF_PHOTOGRAPH = 110e3  # data/imagenet.py: a file of 1251 photographs has 0.14 GB
_MEASURED = pathlib.Path("runs/benchmarks/input_pipeline.json")
_OF_GLOBAL_BATCH = ("activations kept for the backward pass", "images of a batch")  # the rest is on every replica


@dataclasses.dataclass(frozen=True)
class Machine:
    """What its maker publishes of a machine.

    Args:
      name: of it.
      peak: FLOP/s in bfloat16 of all of it, dense.
      replicas: the devices that TensorFlow divides a batch among.
      memory: bytes of one of these.
      hosts: among which the input is divided.
    """

    name: str
    peak: float
    replicas: int
    memory: float
    hosts: int


_MACHINES = (
    # 123 TFLOP/s and 32 GB per chip of two cores: https://cloud.google.com/tpu/docs/v3
    Machine("TPU v3-8", 4 * 123e12, 8, 16e9, 1),
    # 275 TFLOP/s and 32 GB per chip, whose two cores are one device: https://cloud.google.com/tpu/docs/v4
    Machine("TPU v4-32", 16 * 275e12, 16, 32e9, 4),
    # 989 TFLOP/s without sparsity and 80 GB, SXM: https://www.nvidia.com/en-us/data-center/h100/
    Machine("8 x H100", 8 * 989e12, 8, 80e9, 1),
)


@dataclasses.dataclass(frozen=True)
class Work:
    """A stage of an experiment.

    Args:
      experiment: what it is.
      stage: as planned for one replica that takes the whole batch.
      read: how many images are read and decoded for it.
      divided: whether the plan's batch is the global one; else every replica has as large a one.
    """

    experiment: str
    stage: Stage
    read: int
    divided: bool

    def memory(self, replicas: int) -> float:
        """Bytes of a replica."""
        share = 1 / replicas if self.divided else 1
        return sum(size * (share if what in _OF_GLOBAL_BATCH else 1) for what, size in self.stage.memory.items())


def _works() -> list[Work]:
    strategy = distribution.strategy("one_device")
    with tempfile.TemporaryDirectory() as directory:
        gin.parse_config_file("gin/pruned.gin")
        run = prepare_run(f"{directory}/run", strategy, needs_data=False)
        trained = training.plan_of(run).stages[0]
        network = run.workload.network
        ends = [initializations.dense(network, Origin("imagenet", "dense", seed, 0)) for seed in (0, 1)]
        stages = {}
        for name in ("line", "quadratic_dense"):
            gin.clear_config()
            gin.parse_config_files_and_bindings(
                ["gin/workload.gin", f"gin/{name}.gin"], ["interpolate.workload = @Workload()"]
            )
            path = prepare_path(f"{directory}/{name}", strategy, *ends)
            stages[name] = paths.plan_of(path).stages
            images = path.looks[-1]
    (line,), (fit, evaluation) = stages.values()
    return [
        Work("training, pruned.gin", trained, trained.forward, True),
        Work("line, line.gin", line, images, False),
        Work("fit, quadratic_dense.gin", fit, fit.forward, True),
        Work("its evaluation", evaluation, images, False),
    ]


def _images_per_core() -> float:
    """Of training, in a second of a core, as ``benchmarks.input_pipeline`` has measured it on this machine."""
    if not _MEASURED.exists():
        sys.exit(f"{_MEASURED} is missing: run python -m benchmarks.input_pipeline")
    rows = json.loads(_MEASURED.read_text(encoding="utf-8"))["rows"]
    return next(row["images_per_second"] for row in rows if row["seconds_of"] == "processor")


def _rows(works: Sequence[Work], images_per_core: float) -> list[dict[str, Any]]:
    rows = []
    for machine in _MACHINES:
        for work in works:
            seconds = work.stage.flops / (machine.peak * _UTILISATION)
            rate = work.read / seconds
            memory = work.memory(machine.replicas)
            rows.append(
                {
                    "machine": machine.name,
                    "stage": work.experiment,
                    "EFLOP": work.stage.flops / 1e18,
                    "hours": seconds / 3600,
                    "images/s": round(rate),
                    "cores/host": round(rate / images_per_core / machine.hosts, 1),
                    "MB/s": round(rate * _BYTES_OF_PHOTOGRAPH / 1e6),
                    "GB/replica": round(memory / 1e9, 1),
                    "of GB": round(machine.memory / 1e9),
                    "fits": "yes" if memory <= machine.memory else "no",
                }
            )
    return rows


def main() -> None:
    images_per_core = _images_per_core()
    print(f"assumed: {_UTILISATION:.0%} of the peak; measured here: {images_per_core:.0f} images per second of a core")
    measure.report("scaling", _rows(_works(), images_per_core))


if __name__ == "__main__":
    main()
