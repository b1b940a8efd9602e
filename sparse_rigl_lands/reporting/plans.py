"""Plans for the terminal: what a command is going to do, and what it takes."""

import dataclasses
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from sparse_rigl_lands.paths.plan import PathPlan
from sparse_rigl_lands.reporting.tables import sparsity_table
from sparse_rigl_lands.training.plan import TrainingPlan
from sparse_rigl_lands.training.stage import Stage

_PREFIXES = ("", "k", "M", "G", "T", "P", "E", "Z")
_NOT_COUNTED = (
    "Memory is estimated from shapes: variables, gradients, the tensors named, one batch of images. Not counted are "
    "workspaces, copies, batches that are being read, and TensorFlow itself."
)


def training_table(plan: TrainingPlan) -> Group:
    """The plan of a training run."""
    layers = [dataclasses.asdict(kernel) | {"sparsity": kernel.sparsity} for kernel in plan.kernels]
    schedule, *settings = plan.learning_rate.items()
    what = {
        "workload": f"{plan.workload}: {plan.dataset}, {plan.images['train']:,} training and "
        f"{plan.images['test']:,} test images of {_shape(plan.image_shape)}",
        "network": f"{plan.network}, {plan.weights:,} weights, {len(plan.kernels)} kernels",
        "method": f"{plan.method}, to a sparsity of {plan.sparsity:.4f} of all kernels",
        "mask updates": _updates(plan.mask_updates),
        "training": f"from step {plan.first_step:,} to {plan.last_step:,}, {plan.epochs:.1f} epochs; "
        f"{_batches(plan.batch_size, plan.replicas)}; {plan.precision}",
        "learning rate": f"{schedule[1]}: {', '.join(f'{name} {_value(value)}' for name, value in settings)}",
        "forward pass": f"{_si(plan.forward_flops)}FLOPs an image, 2 for every multiply-add of a kernel; "
        f"{_si(plan.sparse_forward_flops)}FLOPs if the zeros of the final masks were skipped, which they are not",
        "checkpoints": f"{_si(plan.checkpoint_bytes)}B each with their momentum and masks; kept are those of the steps "
        f"{_value(plan.kept_checkpoints)}, and while training the latest",
        "directory": f"{plan.directory}; nothing was written",
    }
    layers_table = sparsity_table({"global_step": plan.last_step, "sparsity": plan.sparsity, "layers": layers})
    return Group(layers_table, Text(), _settings(what), Text(), *_costs(plan.stages, plan.replica_memory))


def path_table(plan: PathPlan) -> Group:
    """The plan of a path."""
    fitting, *fewer, images = plan.fitting, *plan.looks
    looks = f"{images:,} of {plan.images:,} images, each read once for all places"
    if fewer:
        looks = f"at most {looks}; looks at {_value(plan.looks)}"
    what = {
        "path": f"{plan.curve} from {plan.start} to {plan.end}, mask: {plan.mask}",
        "workload": f"{plan.workload}: {plan.dataset}, network {plan.network}",
        "fit": "none"
        if fitting is None
        else f"{plan.control_points - 2} control points, {fitting.manifold}; {fitting.steps:,} steps, "
        f"{_batches(fitting.batch_size, plan.replicas)}; {fitting.precision}",
        "places": f"{plan.places} values of t, and the two ends by their own statistics and mask",
        "images": looks,
        "batches": f"{_batches(plan.batch_size * plan.replicas, plan.replicas)}; {plan.precision}; "
        f"BatchNorm: {plan.batch_norm}",
        "forward pass": f"{_si(plan.forward_flops)}FLOPs an image, 2 for every multiply-add of a kernel",
        "directory": f"{plan.directory}; nothing was written",
    }
    return Group(_settings(what), Text(), *_costs(plan.stages, plan.replica_memory))


def study_table(stages: Sequence[Stage]) -> Table:
    """The plan of a study: what its commands compute, by kind."""
    return _work("commands", stages)


def _settings(what: Mapping[str, str]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, words in what.items():
        table.add_row(Text(name), Text(words))
    return table


def _costs(stages: Sequence[Stage], replica_memory: int | None) -> list[Table | Text]:
    """What every stage computes, and what a replica holds in it, of what it has."""
    memory = [part for stage in stages if stage.memory for part in (_memory(stage, replica_memory), Text())]
    too_large = [s.name for s in stages if replica_memory is not None and sum(s.memory.values()) > replica_memory]
    warning = f"By this estimate there is too little memory for: {', '.join(too_large)}. " if too_large else ""
    return [_work("stage", stages), Text(), *memory, Text(warning + _NOT_COUNTED)]


def _work(of: str, stages: Sequence[Stage]) -> Table:
    """What every stage computes."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0, 0, 1))
    table.add_column(of)
    for column in ("images forwards", "backwards", "FLOPs"):
        table.add_column(column, justify="right")
    for stage in stages:
        table.add_row(stage.name, f"{stage.forward:,}", f"{stage.backward:,}", _si(stage.flops))
    if len(stages) > 1:
        forward, backward, flops = (sum(getattr(s, of) for s in stages) for of in ("forward", "backward", "flops"))
        table.add_section()
        table.add_row("all", f"{forward:,}", f"{backward:,}", _si(flops))
    return table


def _memory(stage: Stage, replica_memory: int | None) -> Table:
    table = Table(
        title=f"Memory of a replica, {stage.name}",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        show_header=False,
        padding=(0, 0, 0, 1),
    )
    table.add_column()
    table.add_column(justify="right")
    for name, size in stage.memory.items():
        if size:
            table.add_row(name, f"{_si(size)}B")
    table.add_section()
    table.add_row("all", f"{_si(sum(stage.memory.values()))}B")
    if replica_memory is not None:
        table.add_row("its device has", f"{_si(replica_memory)}B")
    return table


def _updates(steps: Sequence[int]) -> str:
    if not steps:
        return "none"
    return f"{len(steps):,}, the first before step {steps[0]:,}, the last before step {steps[-1]:,}"


def _batches(batch_size: int, replicas: int) -> str:
    if replicas == 1:
        return f"batches of {batch_size:,} images on 1 replica"
    return f"batches of {batch_size:,} images on {replicas} replicas, {batch_size // replicas:,} on each"


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _value(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(_value, value)) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _si(number: int) -> str:
    """Three digits with a decimal prefix: 8178368512 is ``8.18 G``."""
    scaled, power = float(number), 0
    while scaled >= 999.5 and power < len(_PREFIXES) - 1:
        scaled, power = scaled / 1000, power + 1
    return f"{scaled:.3g} {_PREFIXES[power]}"
