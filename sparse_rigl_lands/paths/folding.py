"""Which BatchNorms can be folded into the layers before them."""

import tf_keras


def foldable(network: tf_keras.Model) -> dict[str, str]:
    """Finds every BatchNorm that sees nothing but the linear output of one layer, which nobody else sees.

    Args:
      network: a plain functional model.

    Returns:
      The name of the BatchNorm by that of the convolution or dense layer that it can be folded into.
    """
    outputs = set(network.output_names)
    found = {}
    for norm in network.layers:
        if not isinstance(norm, tf_keras.layers.BatchNormalization) or len(norm.inbound_nodes) != 1:
            continue
        before = norm.inbound_nodes[0].inbound_layers
        linear = isinstance(before, tf_keras.layers.Conv2D | tf_keras.layers.Dense) and (
            before.activation is tf_keras.activations.linear
        )
        if linear and len(before.outbound_nodes) == len(before.inbound_nodes) == 1 and before.name not in outputs:
            found[before.name] = norm.name
    return found
