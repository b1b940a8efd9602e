"""What a pass through a network takes: floating-point operations and activations, by the shapes of its layers."""

import math
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
import tf_keras

_LINEAR = tf_keras.activations.linear
_RESHAPING = (tf_keras.layers.Flatten, tf_keras.layers.Reshape)
# Whether the gradient of a layer needs its inputs, and its outputs; of a layer that is not here, both.
_KEPT_FOR_GRADIENT = {
    tf_keras.layers.Conv2D: (True, False),
    tf_keras.layers.Dense: (True, False),
    tf_keras.layers.BatchNormalization: (True, False),
    tf_keras.layers.MaxPooling2D: (True, True),
    tf_keras.layers.ReLU: (False, True),
    tf_keras.layers.Add: (False, False),
    tf_keras.layers.AveragePooling2D: (False, False),
    tf_keras.layers.Concatenate: (False, False),
    tf_keras.layers.Flatten: (False, False),
    tf_keras.layers.GlobalAveragePooling2D: (False, False),
    tf_keras.layers.Rescaling: (False, False),
    tf_keras.layers.Reshape: (False, False),
    tf_keras.layers.ZeroPadding2D: (False, False),
}


def forward_flops(network: tf_keras.Model) -> dict[str, int]:
    """Floating-point operations of a forward pass of one image, by the name of the kernel that takes part in them.

    2 for every multiply-add of a convolution or dense layer, padding included. Biases, BatchNorm,
    rectifiers, sums and pooling are left out: of ResNet-50's operations they are less than one per cent.

    Args:
      network: a plain functional model of static shapes.
    """
    flops: dict[str, int] = {}
    for layer, _, outputs in _calls(network):
        if isinstance(layer, tf_keras.layers.Conv2D | tf_keras.layers.Dense):
            kernel, name = layer.kernel.shape, f"{layer.name}/kernel"
            places = _elements(outputs) // kernel[-1]
            flops[name] = flops.get(name, 0) + 2 * math.prod(kernel) * places
    return flops


def activations_kept(network: tf_keras.Model) -> dict[str, int]:
    """What a training step keeps of the forward pass of one image: elements, by the layer whose outputs they are.

    The inputs of convolutions, dense layers and BatchNorm, the outputs of rectifiers, both of max
    pooling and of every layer that is not known here; each tensor once. The images themselves do not
    count. It is what TensorFlow's own gradients ask for; a compiler may keep less and compute it again.

    Args:
      network: a plain functional model of static shapes.
    """
    made_by: dict[int, str] = {}  # the layer, by the tensor's identity
    same: dict[int, int] = {}  # a tensor in another shape is no tensor of its own
    kept: dict[int, int] = {}
    for layer, inputs, outputs in _calls(network):
        if isinstance(layer, _RESHAPING):
            same[id(outputs[0])] = same.get(id(inputs[0]), id(inputs[0]))
        made_by.update({id(tensor): layer.name for tensor in outputs})
        needs_inputs, needs_outputs = _KEPT_FOR_GRADIENT.get(type(layer), (True, True))
        needs_outputs |= getattr(layer, "activation", _LINEAR) is not _LINEAR
        for tensor in [*(inputs if needs_inputs else []), *(outputs if needs_outputs else [])]:
            kept[same.get(id(tensor), id(tensor))] = _elements([tensor])
    elements: dict[str, int] = {}
    for tensor_id, count in kept.items():
        if tensor_id in made_by:  # by a layer: it is not the images
            elements[made_by[tensor_id]] = elements.get(made_by[tensor_id], 0) + count
    return elements


def largest_call(network: tf_keras.Model) -> int:
    """The elements of the inputs and outputs of one layer, of the layer that has most, for one image.

    So much must be there at once in a forward pass that keeps nothing; what waits for a later layer,
    such as the input of a residual branch, is not counted while others run.

    Args:
      network: a plain functional model of static shapes.
    """
    return max(_elements(inputs) + _elements(outputs) for _, inputs, outputs in _calls(network))


def _calls(network: tf_keras.Model) -> Iterator[tuple[tf_keras.layers.Layer, list[Any], list[Any]]]:
    """Every call of a layer in the network, its inputs before it: the layer, the tensors it takes and returns."""
    nodes = network._nodes_by_depth  # Keras lists the calls of one network nowhere public
    for depth in sorted(nodes, reverse=True):
        for node in nodes[depth]:
            if not node.is_input:
                yield node.layer, list(node.keras_inputs), tf.nest.flatten(node.outputs)


def _elements(tensors: list[Any]) -> int:
    return sum(math.prod(tensor.shape[1:]) for tensor in tensors)
