"""A workload: a dataset, a network for it, and the objective that joins them."""

import dataclasses

import gin
import tf_keras

from sparse_rigl_lands import checks
from sparse_rigl_lands.data.dataset import Dataset
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.training.objective import Objective


@gin.configurable(module="sparse_rigl_lands")
@dataclasses.dataclass(frozen=True)
class Workload:
    """What is trained on what. Points of one workload can be joined by a path.

    Args:
      name: such as ``"digits"``; it is written into every checkpoint.
      dataset: the images.
      network: a plain functional model from images to logits.
      objective: the loss.

    Raises:
      InputError: a setting is of another kind, or the network does not fit the dataset.
    """

    name: str
    dataset: Dataset
    network: tf_keras.Model
    objective: Objective

    def __post_init__(self) -> None:
        checks.text("Workload.name", self.name)
        checks.kind("Workload.dataset", self.dataset, Dataset, "@ImageNet()")
        checks.kind("Workload.network", self.network, tf_keras.Model, "@resnet50()")
        checks.kind("Workload.objective", self.objective, Objective, "@Objective()")
        network, dataset = self.network, self.dataset
        found = tuple(network.input_shape[1:]), network.output_shape[-1]
        wanted = dataset.image_shape, dataset.num_classes
        if found != wanted:
            raise InputError(
                f"the network maps images of {found[0]} to {found[1]} classes, "
                f"but the dataset has images of {wanted[0]} and {wanted[1]} classes"
            )
        given, taken = dataset.image_dtype.name, network.inputs[0].dtype.name
        if given != taken:
            raise InputError(
                f"the dataset has images of {given}, but the network takes {taken}; pixel values are uint8, for a "
                "tf_keras.Input of dtype='uint8' with a Rescaling behind it, as standardise=True makes both; images "
                "that are standardised are float32"
            )
