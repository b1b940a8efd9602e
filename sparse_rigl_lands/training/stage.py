"""A part of the work that a plan tells of, and what the parts of all plans are made up of: operations and bytes."""

import dataclasses
import math
from collections.abc import Iterable, Mapping

import tensorflow as tf
import tf_keras

from sparse_rigl_lands.data.dataset import Dataset
from sparse_rigl_lands.networks import cost


@dataclasses.dataclass(frozen=True)
class Stage:
    """A part of the work.

    Args:
      name: of the part.
      forward: images that pass forwards through the network, one at several places counted so many times.
      backward: images that pass backwards.
      flops: floating-point operations, see ``stage_flops``.
      memory: what a replica holds, in bytes, by what it is; empty where another stage holds more. An
        estimate: see ``plan.plan_of`` for what it counts.
    """

    name: str
    forward: int
    backward: int
    flops: int
    memory: Mapping[str, int]


def stage_flops(network: tf_keras.Model, forward: int, backward: int) -> int:
    """The operations of so many images: those of ``cost.forward_flops``, and twice as many backwards.

    The backward pass of a layer finds the gradient of its inputs and that of its weights, each of which
    takes as many multiply-adds as its forward pass.
    """
    return sum(cost.forward_flops(network).values()) * (forward + 2 * backward)


def bytes_of(variables: Iterable[tf.Variable]) -> int:
    """Of all of them, on one replica."""
    return sum(math.prod(variable.shape) * variable.dtype.size for variable in variables)


def kept_bytes(network: tf_keras.Model, precision: str, images: int) -> int:
    """Of the activations that the backward pass of so many images needs, in the dtype that is computed in."""
    return sum(cost.activations_kept(network).values()) * images * bytes_per_activation(precision)


def image_bytes(dataset: Dataset, images: int) -> int:
    """Of so many images."""
    return math.prod(dataset.image_shape) * images * dataset.image_dtype.size


def bytes_per_activation(precision: str) -> int:
    """Of the dtype in which a Keras dtype policy computes."""
    return tf.as_dtype(tf_keras.mixed_precision.Policy(precision).compute_dtype).size
