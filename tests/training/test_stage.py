"""Protects: the operations and bytes of a part of the work, which on digits are those of a pencil."""

import types

import numpy as np
import pytest
import tensorflow as tf

from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.training import stage


def test_an_image_costs_three_times_as_much_with_its_way_back():
    network, forward = digits_resnet(), 1_527_040
    assert stage.stage_flops(network, 10, 0) == 10 * forward
    assert stage.stage_flops(network, 10, 10) == 30 * forward
    assert stage.stage_flops(network, 10, 4) == 18 * forward


@pytest.mark.parametrize(("precision", "size"), [("float32", 4), ("mixed_bfloat16", 2)])
def test_activations_are_kept_in_the_dtype_that_is_computed_in(precision, size):
    stem, block1, block2, block3 = 2 * 1024, 4 * 1024, 1600 + 5 * 512, 1152 + 5 * 256  # with the padded images
    assert stage.bytes_per_activation(precision) == size
    assert stage.kept_bytes(digits_resnet(), precision, 7) == 7 * size * (stem + block1 + block2 + block3 + 64)


def test_bytes_of_variables_are_those_of_their_arrays(network):
    named = variants.named_variables(network)
    everything = [*named.weights.values(), *named.statistics.values(), tf.Variable(np.ones(5, "float64"))]
    assert stage.bytes_of(everything) == sum(variable.numpy().nbytes for variable in everything)


def test_images_are_as_large_as_they_are_read():
    assert stage.image_bytes(Digits(), 3) == 3 * 64 * 4
    photographs = types.SimpleNamespace(image_shape=(224, 224, 3), image_dtype=tf.uint8)
    assert stage.image_bytes(photographs, 4096) == 4096 * 150_528
