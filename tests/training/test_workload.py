"""Protects: a network that does not fit its dataset is refused before anything runs."""

import pytest

from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.workload import Workload


def test_a_function_that_was_not_called_is_named():
    with pytest.raises(InputError, match="Workload.network is <function digits_resnet.* not a Model; in a gin file"):
        Workload("digits", Digits(), digits_resnet, Objective())


@pytest.mark.parametrize("shape", [{"image_shape": (16, 16, 1)}, {"num_classes": 7}])
def test_network_of_other_images_or_classes(shape):
    with pytest.raises(InputError, match=r"but the dataset has images of \(8, 8, 1\) and 10 classes"):
        Workload("digits", Digits(), digits_resnet(**shape), Objective())


def test_network_of_pixel_values_for_images_that_are_standardised():
    class Coloured(Digits):
        image_shape = (8, 8, 3)

    with pytest.raises(InputError, match="the dataset has images of float32, but the network takes uint8"):
        Workload("digits", Coloured(), digits_resnet((8, 8, 3), standardise=True), Objective())
