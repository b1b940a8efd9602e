"""Protects: the count of kept weights, and which sparsity every kernel is given."""

import math

import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.networks.resnet50 import resnet50
from sparse_rigl_lands.sparsity import random_masks, variants
from sparse_rigl_lands.sparsity.distributions import (
    check_not_empty,
    erdos_renyi_kernel,
    kept_weights,
    per_layer,
    uniform,
)

SHAPES = {"stem/conv/kernel": (3, 3, 1, 16), "block/conv/kernel": (3, 3, 16, 32), "head/dense/kernel": (64, 10)}
_KERNEL = st.one_of(
    st.tuples(st.integers(1, 7), st.integers(1, 7), st.integers(1, 64), st.integers(1, 64)),
    st.tuples(st.integers(1, 256), st.integers(1, 256)),
)
_NETWORKS = st.lists(_KERNEL, min_size=1, max_size=8).map(lambda s: {f"layer{i}/kernel": k for i, k in enumerate(s)})


@given(st.integers(1, 3_000_000), st.floats(0, 0.999))
def test_kept_weights_is_tfmots_count(size, sparsity):
    """tfmot's formula, evaluated by TensorFlow as in PruneLowMagnitude."""
    expected = tf.round(tf.cast(size, tf.float32) * (1 - tf.constant(sparsity, tf.float32)))
    assert kept_weights(size, sparsity) == int(expected)


def test_caps_are_upper_limits():
    caps = {"stem/conv/kernel": 0.0, "head/dense/kernel": 0.8}
    assert list(uniform(SHAPES, 0.99, caps).values()) == [0.0, 0.99, 0.8]
    assert list(uniform(SHAPES, 0.5, caps).values()) == [0.0, 0.5, 0.5]
    assert list(uniform(SHAPES, 0.5)) == list(SHAPES)


@given(_NETWORKS, st.floats(0.0, 0.99), st.floats(0.0, 2.0))
def test_erdos_renyi_kernel_is_the_capped_proportion_that_meets_the_budget(shapes, sparsity, power):
    """Densities min(1, e r): e found by a root finder, where the function solves and fixes kernel by kernel."""
    sizes = np.array([math.prod(shape) for shape in shapes.values()], float)
    ratio = np.array([sum(shape) / math.prod(shape) for shape in shapes.values()]) ** power

    def excess(log_epsilon):
        return np.sum(np.minimum(1.0, np.exp(log_epsilon) * ratio) * sizes) / sizes.sum() - (1 - sparsity)

    low, high = -np.log(ratio.max()) - 20, -np.log(ratio.min()) + 1e-9
    density = np.minimum(1.0, np.exp(scipy.optimize.brentq(excess, low, high, xtol=1e-14)) * ratio)
    found = erdos_renyi_kernel(shapes, sparsity, power=power)
    assert list(found) == list(shapes)
    np.testing.assert_allclose(1 - np.array(list(found.values())), density, rtol=1e-7, atol=1e-12)


@given(_NETWORKS, st.floats(0.0, 0.99))
def test_masks_of_erdos_renyi_kernel_meet_the_total_within_a_weight_per_layer(shapes, sparsity):
    mask = random_masks.random(shapes, erdos_renyi_kernel(shapes, sparsity), 0, "test")
    zeros = sum(np.count_nonzero(~array) for array in mask.arrays.values())
    wanted = sparsity * sum(math.prod(shape) for shape in shapes.values())
    assert wanted - len(shapes) - 1e-6 <= zeros <= wanted + 1e-6


def test_erdos_renyi_kernel_keeps_what_is_asked_dense_and_the_others_make_up():
    shapes = variants.kernel_shapes(resnet50())
    sparsities = erdos_renyi_kernel(shapes, 0.9, dense=("stem/conv/kernel",))
    zeros = sum(sparsities[name] * math.prod(shape) for name, shape in shapes.items())
    assert sparsities["stem/conv/kernel"] == 0
    assert zeros == pytest.approx(0.9 * sum(math.prod(shape) for shape in shapes.values()))
    one, two = "stage4/block2/conv2/kernel", "stage3/block2/conv2/kernel"
    ratio = [sum(shapes[name]) / math.prod(shapes[name]) for name in (one, two)]
    assert (1 - sparsities[one]) / (1 - sparsities[two]) == pytest.approx(ratio[0] / ratio[1])


@given(_NETWORKS, st.floats(0.0, 0.99))
def test_power_zero_is_uniform(shapes, sparsity):
    found = erdos_renyi_kernel(shapes, sparsity, power=0.0)
    np.testing.assert_allclose(list(found.values()), sparsity, atol=1e-12)


@pytest.mark.parametrize("dense", [("block/conv/kernel",), tuple(SHAPES)])
def test_a_sparsity_that_cannot_be_met_is_refused(dense):
    with pytest.raises(InputError, match="a sparsity of 0.9 cannot be met"):
        erdos_renyi_kernel(SHAPES, 0.9, dense)


@pytest.mark.parametrize("power", [-1, float("inf"), float("nan"), "1"])
def test_an_impossible_power_is_refused(power):
    with pytest.raises(InputError, match="erdos_renyi_kernel.power is .*; it must be a finite number of at least 0"):
        erdos_renyi_kernel(SHAPES, 0.9, power=power)


def test_a_huge_power_spends_the_budget_on_the_smallest_kernels():
    sparsities = erdos_renyi_kernel(SHAPES, 0.9, power=1e9)  # 539.2 of 5392 weights, in the smallest first
    assert list(sparsities.values()) == [0.0, 1.0, pytest.approx(1 - (539.2 - 144) / 640)]


@pytest.mark.parametrize("dense", ["stem/conv/kernel", None, 1])
def test_dense_is_a_list(dense):
    with pytest.raises(InputError, match=f"dense is {dense!r}; it must be a list"):
        erdos_renyi_kernel(SHAPES, 0.9, dense=dense)


@pytest.mark.parametrize("of_kernels", ["stem/conv/kernel", 0.5, ("stem/conv/kernel",)])
def test_sparsities_of_kernels_are_a_dictionary(of_kernels):
    with pytest.raises(InputError, match="uniform.at_most is .*; it must be None or a dictionary"):
        uniform(SHAPES, 0.9, of_kernels)
    with pytest.raises(InputError, match="per_layer.sparsities is .*; it must be a dictionary"):
        per_layer(SHAPES, of_kernels)


def test_per_layer():
    assert list(per_layer(SHAPES, {"block/conv/kernel": 0.7}, 0.1).values()) == [0.1, 0.7, 0.1]


@given(_NETWORKS, st.floats(0.0, 0.99))
def test_every_distribution_stays_in_range(shapes, sparsity):
    for sparsities in (uniform(shapes, sparsity), erdos_renyi_kernel(shapes, sparsity)):
        assert all(0 <= value < 1 for value in sparsities.values())


@pytest.mark.parametrize("sparsity", [-0.1, 1.0, 1.5, float("nan"), "0.5", None])
@pytest.mark.parametrize("distribution", [uniform, erdos_renyi_kernel, lambda s, x: per_layer(s, {"a": x})])
def test_sparsity_outside_its_range_is_refused(distribution, sparsity):
    with pytest.raises(InputError, match=r"\w+\.sparsit.* is .*; it must be a number of at least 0 and below 1"):
        distribution(SHAPES, sparsity)


@pytest.mark.parametrize(
    "distribution",
    [
        lambda name: uniform(SHAPES, 0.5, {name: 0.1}),
        lambda name: erdos_renyi_kernel(SHAPES, 0.5, (name,)),
        lambda name: per_layer(SHAPES, {name: 0.1}),
    ],
)
def test_an_unknown_kernel_is_refused_with_close_names(distribution):
    with pytest.raises(InputError, match="names head/dens/kernel, .* close names: .*head/dense/kernel"):
        distribution("head/dens/kernel")


@pytest.mark.parametrize("kernel", [3, None, ["stem/conv/kernel"]])
def test_what_is_no_name_of_a_kernel_is_refused(kernel):
    with pytest.raises(InputError, match="erdos_renyi_kernel.dense names .*, which the network does not have"):
        erdos_renyi_kernel(SHAPES, 0.5, (kernel,))


def test_kernel_without_any_weight_is_refused_by_name():
    check_not_empty({"stem/conv/kernel": 1}, SHAPES)
    with pytest.raises(InputError, match=r"no weight is left in stem/conv/kernel \(of 144\)"):
        check_not_empty({"stem/conv/kernel": 0, "head/dense/kernel": 1}, SHAPES)
