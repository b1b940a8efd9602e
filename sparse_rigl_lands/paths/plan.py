"""What the evaluation of a path is going to do and what it takes, told before it is begun."""

import dataclasses
from collections.abc import Mapping, Sequence

from sparse_rigl_lands.devices import replica_memory
from sparse_rigl_lands.networks import cost
from sparse_rigl_lands.paths.fitting import Fitting
from sparse_rigl_lands.paths.preparation import PreparedPath
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.training.stage import (
    Stage,
    bytes_of,
    bytes_per_activation,
    image_bytes,
    kept_bytes,
    stage_flops,
)

ENDS = 2  # also evaluated under their own statistics and mask


@dataclasses.dataclass(frozen=True)
class PathPlan:
    """The evaluation of a path before it is begun.

    Args:
      directory: where it will be written.
      curve: its title.
      start, end: where the two points came from.
      mask: how that of the path was chosen.
      control_points: how many the curve has, its ends included.
      fitting: how those between the ends are fitted, if they are.
      workload, dataset, network: their names.
      images: there are so many of the training split.
      looks: the numbers of images at which the verdict is looked at.
      places: K, at how many t each of them is evaluated.
      batch_norm: what it does along the path.
      batch_size: images per replica and batch.
      replicas: how many.
      replica_memory: of the device of one, in bytes; None where it is not known.
      precision: a Keras dtype policy, of the evaluation.
      forward_flops: of a forward pass of one image, see ``cost.forward_flops``.
      stages: one after the other; the evaluation is that of all images, up to the last look.
    """

    directory: str
    curve: str
    start: str
    end: str
    mask: str
    control_points: int
    fitting: Fitting | None
    workload: str
    dataset: str
    network: str
    images: int
    looks: Sequence[int]
    places: int
    batch_norm: str
    batch_size: int
    replicas: int
    replica_memory: int | None
    precision: str
    forward_flops: int
    stages: Sequence[Stage]


def plan_of(prepared: PreparedPath) -> PathPlan:
    """The plan of a path that was prepared; the fit or the evaluator is built, and with it checked.

    Memory is counted as in a plan of training. A forward pass by itself keeps nothing: told is what one
    layer takes and returns, see ``cost.largest_call``.

    Raises:
      InputError: the network, the curve or the fitting cannot work, or the directory holds another path.
    """
    prepared.fit_or_evaluator()
    prepared.written.check(prepared.config, prepared.settings)
    workload, path = prepared.workload, prepared.path
    return PathPlan(
        directory=str(prepared.written.directory),
        curve=path.curve.title,
        start=str(path.start.origin),
        end=str(path.end.origin),
        mask=path.rule,
        control_points=path.curve.num_control_points,
        fitting=prepared.fitting,
        workload=workload.name,
        dataset=type(workload.dataset).__name__,
        network=workload.network.name,
        images=workload.dataset.num_examples("train"),
        looks=prepared.looks,
        places=len(prepared.t),
        batch_norm=prepared.batch_norm,
        batch_size=prepared.batch_size,
        replicas=prepared.strategy.num_replicas_in_sync,
        replica_memory=replica_memory(prepared.strategy),
        precision=prepared.precision,
        forward_flops=sum(cost.forward_flops(workload.network).values()),
        stages=[*_fit(prepared), *_evaluation(prepared)],
    )


def _stage(prepared: PreparedPath, name: str, forward: int, backward: int, memory: Mapping[str, int]) -> Stage:
    flops = stage_flops(prepared.workload.network, forward, backward)
    return Stage(name, forward, backward, flops, memory)


def _fit(prepared: PreparedPath) -> list[Stage]:
    fitting, path, network = prepared.fitting, prepared.path, prepared.workload.network
    if fitting is None:
        return []
    weights, point = _sizes(prepared)
    images, of_replica = (
        fitting.steps * fitting.batch_size,
        fitting.batch_size // prepared.strategy.num_replicas_in_sync,
    )
    masked = sum(live.size for live in path.mask.arrays.values()) if fitting.manifold == "sparse" else 0
    memory = {
        "control points": path.curve.num_control_points * point,
        "momentum of those between the ends": len(path.inner) * weights,
        "mask": masked,
        "weights at t": weights,
        "their gradient": weights,
        "activations kept for the backward pass": kept_bytes(network, fitting.precision, of_replica),
        "images of a batch": image_bytes(prepared.workload.dataset, of_replica),
    }
    return [_stage(prepared, "fit", images, images, memory)]


def _evaluation(prepared: PreparedPath) -> list[Stage]:
    network, dataset, batch = prepared.workload.network, prepared.workload.dataset, prepared.batch_size
    precision, places = prepared.precision, len(prepared.t)
    weights, point = _sizes(prepared)
    held = {
        "control points": prepared.path.curve.num_control_points * point,
        "ends under their own mask": ENDS * point,
        "weights at t": weights,
    }
    one_layer = cost.largest_call(network) * batch * bytes_per_activation(precision)
    forward = {
        **held,
        "activations of one layer": one_layer,
        "images of a batch": image_bytes(dataset, batch),
    }
    stages = []
    if prepared.batch_norm == "recalibrated":
        stages.append(_stage(prepared, "statistics", places * prepared.recalibration_images, 0, {}))
    stages.append(_stage(prepared, "evaluation", (places + ENDS) * prepared.looks[-1], 0, forward))
    if prepared.gradient_batches:
        images = places * prepared.gradient_batches * prepared.global_batch
        memory = {
            **held,
            "gradient": weights,
            "activations kept for the backward pass": kept_bytes(network, precision, batch),
            "images of all batches": image_bytes(dataset, prepared.gradient_batches * batch),
        }
        stages.append(_stage(prepared, "gradients", images, images, memory))
    return stages


def _sizes(prepared: PreparedPath) -> tuple[int, int]:
    """Bytes of the weights of one point, and of these with the moving statistics."""
    named = variants.named_variables(prepared.workload.network)
    weights = bytes_of(named.weights.values())
    return weights, weights + bytes_of(named.statistics.values())
