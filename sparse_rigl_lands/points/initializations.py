"""Initializations: where training starts."""

import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands import seeds
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask


def dense(network: tf_keras.Model, workload: str, method: str, seed: int) -> Point:
    """D-I: every weight drawn by its layer's own initializer.

    The draws of a weight are keyed by (seed, name of the weight): they do not depend on the order
    in which a network is built, on its other layers, or on the variant that is trained.

    Args:
      network: a plain functional model.
      workload, method, seed: the origin of the point.
    """
    layers = {layer.name: layer for layer in variants.plain_layers(network)}

    def draw(name: str, variable: tf.Variable) -> np.ndarray:
        layer, _, attribute = name.rpartition("/")
        initializer = getattr(layers[layer], f"{attribute}_initializer")
        config = initializer.get_config()
        if "seed" in config:
            config["seed"] = seeds.key(seed, f"initialization/{name}")
        return np.asarray(type(initializer).from_config(config)(variable.shape))

    named = variants.named_variables(network)
    return Point(
        weights={name: draw(name, variable) for name, variable in named.weights.items()},
        mask=Mask({}),
        statistics={name: draw(name, variable) for name, variable in named.statistics.items()},
        origin=Origin(workload, method, seed, 0),
    )
