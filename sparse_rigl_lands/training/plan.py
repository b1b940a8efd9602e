"""What a training run is going to do and what it takes, told before it is begun."""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from sparse_rigl_lands.devices import replica_memory
from sparse_rigl_lands.networks import cost
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.training.methods import Method
from sparse_rigl_lands.training.run import PreparedRun
from sparse_rigl_lands.training.stage import Stage, bytes_of, image_bytes, kept_bytes, stage_flops


@dataclasses.dataclass(frozen=True)
class KernelPlan:
    """A kernel, and what is to become of it.

    Args:
      kernel: its name.
      shape: its shape.
      weights: how many it has.
      nonzero_at_start: how many of them are not zero in the initialization.
      kept: how many it has in the end.
      flops: of a forward pass of one image.
    """

    kernel: str
    shape: tuple[int, ...]
    weights: int
    nonzero_at_start: int
    kept: int
    flops: int

    @property
    def sparsity(self) -> float:
        """The fraction of zeros in the end."""
        return 1 - self.kept / self.weights


@dataclasses.dataclass(frozen=True)
class TrainingPlan:
    """A training run before it is begun.

    Args:
      directory: where it will be written.
      workload, dataset, network, method: their names.
      image_shape: height, width, channels.
      images: of the training split and of the test split, by name.
      weights: how many are trained, zeros included.
      kernels: the weights that masks may cover.
      mask_updates: the steps, counted from 1, that an update of the masks precedes.
      first_step, last_step: training goes from the one to the other.
      batch_size: images per step.
      replicas: among how many it is divided.
      replica_memory: of the device of one, in bytes; None where it is not known.
      precision: a Keras dtype policy.
      learning_rate: the settings of the schedule by name, that of its class first.
      stages: training, and the evaluation after it.
      checkpoint_bytes: of a checkpoint that can be gone on from, its masks included.
      kept_checkpoints: the steps whose checkpoints are left in the end.
    """

    directory: str
    workload: str
    dataset: str
    network: str
    method: str
    image_shape: tuple[int, int, int]
    images: Mapping[str, int]
    weights: int
    kernels: Sequence[KernelPlan]
    mask_updates: Sequence[int]
    first_step: int
    last_step: int
    batch_size: int
    replicas: int
    replica_memory: int | None
    precision: str
    learning_rate: Mapping[str, object]
    stages: Sequence[Stage]
    checkpoint_bytes: int
    kept_checkpoints: Sequence[int]

    @property
    def epochs(self) -> float:
        """How often training sees the training images."""
        return (self.last_step - self.first_step) * self.batch_size / self.images["train"]

    @property
    def sparsity(self) -> float:
        """The fraction of zeros in all kernels together in the end."""
        return 1 - sum(each.kept for each in self.kernels) / sum(each.weights for each in self.kernels)

    @property
    def forward_flops(self) -> int:
        """Of a forward pass of one image, see ``cost.forward_flops``."""
        return sum(each.flops for each in self.kernels)

    @property
    def sparse_forward_flops(self) -> int:
        """What would remain of these in the end, if the zeros of the masks were skipped; they are not.

        A weight takes part in equally many multiply-adds as any other of its kernel.
        """
        return sum(each.flops * each.kept // each.weights for each in self.kernels)


def plan_of(prepared: PreparedRun) -> TrainingPlan:
    """The plan of a run that was prepared.

    A replica's memory is that of its variables and gradients, of what the backward pass needs of the
    forward pass (see ``cost.activations_kept``) in the dtype computed in, and of the images of one
    batch. Not counted: workspaces, the casts and products of single kernels, batches that are being
    read, copies on the host, and TensorFlow itself. Measured on a CPU, the peak of ResNet-50 at 224
    grew by 97 MB for every image of a batch in float32, where 88 are estimated, and by 69 MB in
    bfloat16, where 44 are.

    Raises:
      InputError: the directory belongs to another run.
    """
    prepared.run.check(prepared.config, prepared.settings)
    workload, recipe, trainer = prepared.workload, prepared.recipe, prepared.trainer
    dataset, network = workload.dataset, workload.network
    named = variants.named_variables(trainer.model)
    shapes, flops = variants.kernel_shapes(network), cost.forward_flops(network)
    first, replicas = prepared.initialization.origin.global_step, trainer.strategy.num_replicas_in_sync
    kernels = [
        KernelPlan(
            kernel=name,
            shape=shapes[name],
            weights=math.prod(shapes[name]),
            nonzero_at_start=int(np.count_nonzero(prepared.initialization.weights[name])),
            kept=kept,
            flops=flops[name],
        )
        for name, kept in prepared.kept_weights.items()
    ]
    weights, statistics = bytes_of(named.weights.values()), bytes_of(named.statistics.values())
    memory = {
        "weights and moving statistics": weights + statistics,
        "masks": bytes_of(named.masks.values()),
        "gradients": weights,
        "momentum": weights,
        "activations kept for the backward pass": kept_bytes(network, recipe.precision, recipe.batch_size // replicas),
        "images of a batch": image_bytes(dataset, recipe.batch_size // replicas),
    }
    images = {"train": dataset.num_examples("train"), "test": dataset.num_examples("test")}
    trained, evaluated = (recipe.steps - first) * recipe.batch_size, sum(images.values())
    return TrainingPlan(
        directory=str(prepared.run.directory),
        workload=workload.name,
        dataset=type(dataset).__name__,
        network=network.name,
        method=prepared.method.name,
        image_shape=dataset.image_shape,
        images=images,
        weights=sum(math.prod(variable.shape) for variable in named.weights.values()),
        kernels=kernels,
        mask_updates=list(_interventions(prepared.method, first, recipe.steps)),
        first_step=first,
        last_step=recipe.steps,
        batch_size=recipe.batch_size,
        replicas=replicas,
        replica_memory=replica_memory(prepared.trainer.strategy),
        precision=recipe.precision,
        learning_rate={"schedule": type(recipe.learning_rate).__name__, **recipe.learning_rate.get_config()},
        stages=[
            Stage("training", trained, trained, stage_flops(network, trained, trained), memory),
            Stage("evaluation at the end", evaluated, 0, stage_flops(network, evaluated, 0), {}),
        ],
        checkpoint_bytes=2 * weights + statistics + sum(each.weights for each in kernels if each.kept < each.weights),
        kept_checkpoints=[first, *(step for step in range(first + 1, recipe.steps + 1) if recipe.keeps(step))],
    )


def _interventions(method: Method, first: int, last: int) -> Iterator[int]:
    """The steps, counted from 1, that an intervention precedes."""
    step = method.next_intervention(first + 1)
    while step is not None and step <= last:
        yield step
        step = method.next_intervention(step + 1)
