"""A workload: a dataset, a network for it, and the objective that joins them."""

import dataclasses

import gin
import tf_keras

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
      InputError: the network does not fit the dataset.
    """

    name: str
    dataset: Dataset
    network: tf_keras.Model
    objective: Objective

    def __post_init__(self) -> None:
        for field, kind in {"dataset": Dataset, "network": tf_keras.Model, "objective": Objective}.items():
            value = getattr(self, field)
            if not isinstance(value, kind):
                raise InputError(
                    f"Workload.{field} is {value!r}, not a {kind.__name__}; "
                    "in a gin file, a function is called where parentheses follow its name: @resnet50()"
                )
        found = tuple(self.network.input_shape[1:]), self.network.output_shape[-1]
        wanted = self.dataset.image_shape, self.dataset.num_classes
        if found != wanted:
            raise InputError(
                f"the network maps images of {found[0]} to {found[1]} classes, "
                f"but the dataset has images of {wanted[0]} and {wanted[1]} classes"
            )
