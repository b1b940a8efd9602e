"""Initializations: where training starts."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from sparse_rigl_lands import seeds
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity import random_masks, variants
from sparse_rigl_lands.sparsity.mask import Mask


def dense(network: tf_keras.Model, origin: Origin) -> Point:
    """D-I: every weight drawn by its layer's own initializer.

    The draws of a weight are keyed by (seed, name of the weight): they do not depend on the order
    in which a network is built, on its other layers, on the variant that is trained, or on the
    method: dense, pruned and zeroed runs of one seed start from the same draws.

    Args:
      network: a plain functional model.
      origin: of the point.
    """
    return _drawn(network, origin, "initialization")


def scratch(network: tf_keras.Model, origin: Origin, mask: Mask, live_fan_in: bool = False) -> Point:
    """S-I: draws of its own, under a mask.

    They are keyed apart from those of ``dense``: a scratch run starts afresh, though the pruned run
    that its mask comes from has the same seed.

    Args:
      network: a plain functional model.
      origin: of the point.
      mask: of its kernels.
      live_fan_in: whether the variance of each unit's weights is raised to what its live fan-in
        asks for, see ``scaled_to_live_fan_in``.

    Raises:
      InputError: the mask is of another network.
    """
    point = _drawn(network, origin, "scratch initialization").under(mask)
    return scaled_to_live_fan_in(point) if live_fan_in else point


def lottery(ticket: Point, origin: Origin, mask: Mask) -> Point:
    """L-I: the weights that another run once had, under a mask.

    Args:
      ticket: a point of the pruned run: its step 0, or a later one to rewind to.
      origin: of the new run; the point has the ticket's global step, from which training goes on.
      mask: of the pruned run's solution.

    Raises:
      InputError: the mask is of another network.
    """
    origin = dataclasses.replace(origin, global_step=ticket.origin.global_step)
    return Point(ticket.weights, mask, ticket.statistics, origin)


def zeroed(point: Point, fractions: Mapping[str, float]) -> Point:
    """A random part of every kernel set to zero, exactly floor(fraction * N) weights; no mask remains.

    The choice is keyed by (seed, name of the kernel).

    Args:
      point: where the other weights come from.
      fractions: kernel name to the fraction that becomes zero.
    """
    shapes = {name: point.weights[name].shape for name in fractions}
    zeros = random_masks.random(shapes, fractions, point.origin.seed, "zeroed initialization")
    return Point(zeros.apply(point.weights), Mask({}), point.statistics, point.origin)


def scaled_to_live_fan_in(point: Point) -> Point:
    """The weights of every unit times sqrt(fan-in / live fan-in): its output keeps a dense unit's variance.

    Fan-in is the number of weights that lead to a unit, one output channel of a kernel; live are
    those that the mask leaves. A unit without any keeps its zeros. Source: Evci et al. 2022,
    Gradient Flow in Sparse Neural Networks and How Lottery Tickets Win (arXiv 2010.03533).
    """

    def scaled(name: str, weight: np.ndarray) -> np.ndarray:
        if name not in point.mask.arrays:
            return weight
        live = point.mask.arrays[name].reshape(-1, weight.shape[-1])
        factor = np.sqrt(live.shape[0] / np.maximum(live.sum(axis=0), 1))
        return weight * factor.astype(weight.dtype)

    weights = {name: scaled(name, weight) for name, weight in point.weights.items()}
    return Point(weights, point.mask, point.statistics, point.origin)


def _drawn(network: tf_keras.Model, origin: Origin, purpose: str) -> Point:
    layers = {layer.name: layer for layer in variants.plain_layers(network)}

    def draw(name: str, variable: tf.Variable) -> np.ndarray:
        layer, _, attribute = name.rpartition("/")
        initializer = getattr(layers[layer], f"{attribute}_initializer")
        config = initializer.get_config()
        if "seed" in config:
            config["seed"] = seeds.key(origin.seed, f"{purpose}/{name}")
        return np.asarray(type(initializer).from_config(config)(variable.shape))

    named = variants.named_variables(network)
    return Point(
        weights={name: draw(name, variable) for name, variable in named.weights.items()},
        mask=Mask({}),
        statistics={name: draw(name, variable) for name, variable in named.statistics.items()},
        origin=origin,
    )
