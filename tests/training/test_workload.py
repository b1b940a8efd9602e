"""Protects: a network that does not fit its dataset is refused before anything runs."""

import pytest
import tensorflow as tf

from sparse_rigl_lands.data.digits import Digits
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.workload import Workload


def test_a_function_that_was_not_called_is_named():
    with pytest.raises(
        InputError, match="Workload.network is <function digits_resnet.*, not a Model: in a gin file, @res"
    ):
        Workload("digits", Digits(), digits_resnet, Objective())


@pytest.mark.parametrize("name", [2012, "", None])
def test_a_name_that_is_no_text_is_refused(name):
    with pytest.raises(InputError, match=f"Workload.name is {name!r}; it must be a text"):
        Workload(name, Digits(), digits_resnet(), Objective())


@pytest.mark.parametrize("shape", [{"image_shape": (16, 16, 1)}, {"num_classes": 7}])
def test_network_of_other_images_or_classes(shape):
    with pytest.raises(InputError, match=r"but the dataset has images of \(8, 8, 1\) and 10 classes"):
        Workload("digits", Digits(), digits_resnet(**shape), Objective())


@pytest.mark.parametrize("given", ["float32", "uint8"])
def test_pixel_values_and_images_that_are_standardised_are_not_taken_for_each_other(given):
    class Coloured(Digits):
        image_shape, image_dtype = (8, 8, 3), tf.as_dtype(given)

    fitting, other = (digits_resnet((8, 8, 3), standardise=(given == "uint8") == fits) for fits in (True, False))
    assert Workload("digits", Coloured(), fitting, Objective()).network is fitting
    with pytest.raises(InputError, match=f"the dataset has images of {given}, but the network takes "):
        Workload("digits", Coloured(), other, Objective())
