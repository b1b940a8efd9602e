"""Protects: a point is the same whatever variant it is read from or given to."""

import dataclasses

import numpy as np
import pytest
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin, Point, assign, point_of
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.sparsity.pruned import PruningSchedule, pruned_variant

ORIGIN = Origin("small", "pruned", 0, 3)


def _point(network, random):
    """A point with half of every kernel masked and statistics of its own."""
    dense = initializations.dense(network, Origin("small", "pruned", 0, 0))
    mask = Mask({name: random.random(shape) < 0.5 for name, shape in variants.kernel_shapes(network).items()})
    statistics = {name: random.random(value.shape).astype("float32") for name, value in dense.statistics.items()}
    return dataclasses.replace(dense, mask=mask, statistics=statistics, origin=ORIGIN)


def test_a_point_survives_every_variant(network, random):
    point = _point(network, random)
    plain = tf_keras.models.clone_model(network)
    pruned = pruned_variant(network, dict.fromkeys(variants.kernel_shapes(network), 0.5), PruningSchedule(0, 10, 10))
    assign(pruned, point)
    assert point_of(pruned, ORIGIN).digest() == point.digest()
    assign(plain, point)
    found = point_of(plain, ORIGIN)  # without masks, but with the same zeros
    assert dataclasses.replace(found, mask=point.mask).digest() == point.digest()
    images = random.normal(size=(4, 8, 8, 1)).astype("float32")
    np.testing.assert_allclose(plain(images), pruned(images), rtol=1e-5, atol=1e-7)


def test_masked_entries_are_zero_even_if_the_variable_is_not(network, random):
    pruned = pruned_variant(network, dict.fromkeys(variants.kernel_shapes(network), 0.5), PruningSchedule(0, 10, 10))
    assign(pruned, _point(network, random))
    for weight in variants.named_variables(pruned).weights.values():
        weight.assign(np.ones(weight.shape))
    point = point_of(pruned, ORIGIN)
    for name, live in point.mask.arrays.items():
        np.testing.assert_array_equal(point.weights[name] != 0, live)


def test_a_point_replaces_the_masks_that_were_there(network, random):
    pruned = pruned_variant(network, dict.fromkeys(variants.kernel_shapes(network), 0.5), PruningSchedule(0, 10, 10))
    assign(pruned, _point(network, random))
    dense = initializations.dense(network, Origin("small", "pruned", 1, 0))
    assign(pruned, dense)
    assert point_of(pruned, ORIGIN).mask == Mask({})
    assert point_of(pruned, ORIGIN).digest() == dense.digest()  # masks of all ones are none


def test_distance_is_euclidean_over_all_weights(network, random):
    one, two = _point(network, random), _point(network, random)
    vectors = [np.concatenate([point.weights[name].ravel() for name in one.weights]) for point in (one, two)]
    assert one.distance(two) == pytest.approx(np.linalg.norm(vectors[0].astype("float64") - vectors[1]))
    assert one.distance(one) == 0


def test_digest_sees_every_group(network, random):
    point = _point(network, random)
    digests = {point.digest()}
    for group in ("weights", "statistics"):
        values = dict(getattr(point, group))
        name = next(iter(values))
        values[name] = values[name] + np.float32(1)
        digests.add(dataclasses.replace(point, **{group: values}).digest())
    digests.add(point.under(Mask({})).digest())
    assert len(digests) == 4


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused_by_name(network, random, bad):
    point = _point(network, random)
    weights = {**point.weights, "head/dense/bias": np.full(10, bad, "float32")}
    with pytest.raises(InputError, match="head/dense/bias holds a value that is not finite"):
        Point(weights, point.mask, point.statistics, ORIGIN)


def test_a_point_of_another_network_is_refused_saying_what_differs(network, random):
    images = tf_keras.Input((8, 8, 1))
    x = tf_keras.layers.GlobalAveragePooling2D()(images)
    other = tf_keras.Model(images, tf_keras.layers.Dense(3, name="head/dense")(x))
    with pytest.raises(InputError, match=r"is of another network: the network lacks .* and \d+ more"):
        assign(other, _point(network, random))
    with pytest.raises(InputError, match="other-dense-seed0-step0 is of another network: it lacks stem/conv/kernel"):
        assign(network, initializations.dense(other, Origin("other", "dense", 0, 0)))
