"""Protects: the shape of the digits network."""

import numpy as np

from sparse_rigl_lands.networks.digits_resnet import digits_resnet


def test_parameters_and_output_shapes():
    network = digits_resnet()
    assert sum(int(np.prod(weight.shape)) for weight in network.trainable_weights) == 77_754
    shapes = [network.get_layer(f"block{i}/relu").output_shape[1:] for i in (1, 2, 3)]
    assert shapes == [(8, 8, 16), (4, 4, 32), (2, 2, 64)]
    assert network.output_shape == (None, 10)


def test_a_strided_convolution_is_the_padded_one_of_numpy(random):
    """Explicit padding: output (i, j) is centred on input (2i, 2j), whatever the image's parity."""
    network = digits_resnet()
    layer, pad = network.get_layer("block2/conv1"), network.get_layer("block2/conv1/pad")
    x = random.normal(size=(1, 8, 8, 16)).astype("float32")
    found = layer(pad(x)).numpy()[0, 1, 2]
    patch = np.pad(x[0], ((1, 1), (1, 1), (0, 0)))[2:5, 4:7]
    expected = np.einsum("hwc,hwcf->f", patch, layer.kernel.numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
