"""Variants of a network: the same layers under the same names, some of them of another class.

A variant is made by ``clone_model``; its variables travel to and from it by *name*, such as
``stem/conv/kernel``, whatever the class of the layer that holds them.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping

import tensorflow as tf
import tf_keras

from sparse_rigl_lands import checks, devices
from sparse_rigl_lands.errors import InputError

# The classes of layers with weights that every variant understands.
_KNOWN = (tf_keras.layers.Conv2D, tf_keras.layers.Dense, tf_keras.layers.BatchNormalization)
_STATISTICS = ("moving_mean", "moving_variance")


@dataclasses.dataclass(frozen=True)
class NamedVariables:
    """A model's variables by the names they have in every variant.

    Args:
      weights: what is trained: kernels, biases, gammas, betas.
      masks: 0/1 variables, named like the kernel that they mask.
      statistics: the moving statistics of BatchNorm.
    """

    weights: Mapping[str, tf.Variable]
    masks: Mapping[str, tf.Variable]
    statistics: Mapping[str, tf.Variable]


def plain_layers(model: tf_keras.Model) -> Iterator[tf_keras.layers.Layer]:
    """The layers of a model, those inside a wrapper in its place."""
    for layer in model.layers:
        yield layer.layer if isinstance(layer, tf_keras.layers.Wrapper) else layer


def named_variables(model: tf_keras.Model) -> NamedVariables:
    """Finds every variable that a point of weight space holds a value for."""
    weights, masks, statistics = {}, {}, {}
    for layer in plain_layers(model):
        for variable in layer.weights:
            attribute = variable.name.split(":")[0].split("/")[-1]
            if attribute == "mask":
                masks[f"{layer.name}/kernel"] = variable
            elif attribute in _STATISTICS:
                statistics[f"{layer.name}/{attribute}"] = variable
            else:
                weights[f"{layer.name}/{attribute}"] = variable
    return NamedVariables(weights, masks, statistics)


def kernel_shapes(model: tf_keras.Model) -> dict[str, tuple[int, ...]]:
    """The shapes of all convolution and dense kernels by name, in the order of the layers."""
    weights = named_variables(model).weights
    return {name: tuple(variable.shape) for name, variable in weights.items() if name.endswith("/kernel")}


def is_of_batch_norm(name: str) -> bool:
    """Whether a weight or a moving statistic is BatchNorm's, by its name: no other layer has any so called."""
    return name.rpartition("/")[2] in ("gamma", "beta", *_STATISTICS)


def clone(
    network: tf_keras.Model,
    replace: Callable[[tf_keras.layers.Layer], tf_keras.layers.Layer | None] = lambda layer: None,
) -> tf_keras.Model:
    """Clones a network, with some of its layers replaced.

    Args:
      network: a plain functional model.
      replace: returns the layer that takes the place of one, or None for a copy of the layer itself.

    Raises:
      InputError: the network has a layer with weights of a class that is not understood.
    """

    def clone_layer(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        if layer.weights and type(layer) not in _KNOWN:
            raise InputError(
                f"layer {layer.name} is a {type(layer).__name__}, which has weights that are not understood; "
                f"known are {', '.join(sorted(kind.__name__ for kind in _KNOWN))}"
            )
        if getattr(layer, "synchronized", False):  # its configuration does not say so, and a copy would not do it
            raise InputError(f"layer {layer.name} normalizes over all replicas; here each replica does so by itself")
        replacement = replace(layer)
        return type(layer).from_config(layer.get_config()) if replacement is None else replacement

    return tf_keras.models.clone_model(network, clone_function=clone_layer)


def with_precision(network: tf_keras.Model, precision: str) -> tf_keras.Model:
    """A copy of a network that computes in a precision.

    Layers that are given integers, such as one that standardises pixel values, compute in float32 in any case, and so
    do those that give the network's outputs, such as the final dense one: logits are not rounded, and neither are the
    sums over the examples that make the gradient of a bias. TensorFlow's CPU kernel adds those up in bfloat16, and is
    off by 3 % at 256 examples, by 13 % at 4096. The networks of this project have no other bias.

    Args:
      network: a plain functional model.
      precision: a Keras dtype policy: ``"float32"``, or ``"mixed_bfloat16"`` (bfloat16 layers,
        float32 weights, statistics and logits).

    Raises:
      InputError: an unknown policy, or a layer with weights that is not understood.
    """
    checks.choice("precision", precision, devices.PRECISIONS)

    def with_policy(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer | None:
        if isinstance(layer, tf_keras.layers.InputLayer):
            return None
        taken = [tensor for node in layer.inbound_nodes for tensor in tf.nest.flatten(node.keras_inputs)]
        in_float32 = layer.name in network.output_names or any(tensor.dtype.is_integer for tensor in taken)
        of_layer = "float32" if in_float32 else precision
        return type(layer).from_config({**layer.get_config(), "dtype": of_layer})

    return clone(network, with_policy)
