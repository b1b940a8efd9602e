"""Protects: BatchNorm is folded only where nobody else sees what goes into it."""

import tf_keras

from sparse_rigl_lands.networks.resnet50 import resnet50
from sparse_rigl_lands.paths.folding import foldable

LAYERS = tf_keras.layers


def _network(build):
    images = tf_keras.Input((8, 8, 3))
    return tf_keras.Model(images, build(images))


def _conv(name="conv", **settings):
    return LAYERS.Conv2D(4, 3, name=name, **settings)


def _norm(x, name="norm"):
    return LAYERS.BatchNormalization(name=name)(x)


def test_every_normalization_of_resnet50():
    network = resnet50()
    found = foldable(network)
    norms = {layer.name for layer in network.layers if isinstance(layer, LAYERS.BatchNormalization)}
    assert len(norms) == 53
    assert set(found.values()) == norms
    assert found["stem/conv"] == "stem/norm"
    assert found["stage1/block1/projection/conv"] == "stage1/block1/projection/norm"


def test_a_linear_layer_that_nobody_else_sees():
    assert foldable(_network(lambda x: _norm(_conv()(x)))) == {"conv": "norm"}
    assert foldable(_network(lambda x: _norm(LAYERS.Dense(2, name="dense")(LAYERS.Flatten()(x))))) == {"dense": "norm"}


def test_what_cannot_be_folded():
    def seen_by_another(x):
        x = _conv()(x)
        return LAYERS.Add()([_norm(x), x])

    def used_twice(x):
        shared = LAYERS.Conv2D(3, 3, padding="same", name="conv")
        return _norm(shared(shared(x)))

    def norm_used_twice(x):
        norm = LAYERS.BatchNormalization(name="norm")
        return LAYERS.Add()([norm(_conv("one")(x)), norm(_conv("two")(x))])

    def an_output(x):
        x = _conv()(x)
        return [_norm(x), x]

    for build in (
        seen_by_another,
        used_twice,
        norm_used_twice,
        an_output,
        lambda x: _norm(_conv(activation="relu")(x)),  # not linear
        lambda x: _norm(LAYERS.ReLU()(_conv()(x))),  # not directly behind
        _norm,  # of the images
        lambda x: _norm(LAYERS.Concatenate()([_conv("one")(x), _conv("two")(x)])),
    ):
        assert foldable(_network(build)) == {}
