"""Protects: a path of any network on any data, without configuration or files."""

import dataclasses
import functools
import inspect

import numpy as np
import pytest
import scipy.special
import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.networks.digits_resnet import digits_resnet
from sparse_rigl_lands.paths.curves import Line, PolygonalChain
from sparse_rigl_lands.paths.evaluator import PathEvaluator
from sparse_rigl_lands.paths.interface import evaluate_path
from sparse_rigl_lands.paths.partial_sums import added_up
from sparse_rigl_lands.paths.recalibration import statistics_of
from sparse_rigl_lands.paths.weight_path import WeightPath
from sparse_rigl_lands.points.point import Origin, assign, point_of
from sparse_rigl_lands.sparsity import variants
from tests.random_points import between, random_point


@pytest.fixture
def ends(workload):
    return [random_point(workload.network, seed) for seed in (0, 1)]


def _examples(workload):
    batches = workload.dataset.evaluation_batches("train", 1437, True)
    return batches.map(lambda images, labels, weights: (images, labels)).unbatch()


@pytest.mark.parametrize("batch_norm", ["batch", "stored", "recalibrated"])
def test_it_is_what_the_evaluator_finds(workload, ends, one_device, batch_norm):
    found = evaluate_path(
        workload.network,
        *ends,
        _examples(workload),
        num_points=3,
        batch_norm=batch_norm,
        batch_size=100,
        objective=workload.objective,
        recalibration_examples=250,
    )
    path = WeightPath.between(workload.network, *ends, Line())
    evaluator = PathEvaluator(workload.network, path, found.t, workload.objective, one_device)
    statistics = batch_norm
    if batch_norm == "recalibrated":
        first = functools.partial(workload.dataset.evaluation_batches, "train", 100, True, 0, 250, 0)
        statistics = statistics_of(added_up(evaluator.recalibration()(first)))
    batches = functools.partial(workload.dataset.evaluation_batches, "train", 100, True, 0, None, 0)
    expected = evaluator.path_of(added_up(evaluator.losses(statistics)(batches)))
    for name, array in expected.losses.arrays().items():
        np.testing.assert_array_equal(found.losses.arrays()[name], array)
    np.testing.assert_array_equal(found.ends.sums, expected.ends.sums)
    assert (found.mask_rule, found.loss_at(0.5), found.loss_at(0.3)) == ("common", found.losses.cross_entropy[1], None)


def test_a_curve_of_given_control_points(workload, ends):
    """A chain through a point of its own is two lines."""
    middle = random_point(workload.network, 2)
    examples = _examples(workload).take(200)

    def losses(*points, **settings):
        settings = {"batch_norm": "stored", "objective": workload.objective, **settings}
        return evaluate_path(workload.network, *points, examples, **settings).losses.cross_entropy

    found = losses(*ends, num_points=5, curve=PolygonalChain(1), control_points=[middle])
    first, second = losses(ends[0], middle, num_points=3), losses(middle, ends[1], num_points=3)
    np.testing.assert_allclose(found, [*first, *second[1:]], rtol=1e-5)


def test_bfloat16_is_close_to_float32(workload, ends):
    def losses(precision):
        network = variants.with_precision(workload.network, precision)
        return evaluate_path(network, *ends, _examples(workload), 5, "stored").losses.cross_entropy

    assert 0 < np.max(np.abs(losses("mixed_bfloat16") / losses("float32") - 1)) < 0.02


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_norm": "none"}, "batch_norm is 'none'; known are batch, stored, recalibrated"),
        ({"num_points": 1}, "evaluate_path.num_points is 1; it must be a whole number of at least 2"),
        ({"batch_size": 0}, "evaluate_path.batch_size is 0"),
        ({"recalibration_examples": 0}, "evaluate_path.recalibration_examples is 0"),
        ({"mask": "both"}, "mask is 'both'"),
    ],
)
def test_impossible_settings(workload, ends, settings, message):
    with pytest.raises(InputError, match=message):
        evaluate_path(workload.network, *ends, _examples(workload), **settings)


def test_no_examples_and_too_few(workload, ends):
    with pytest.raises(InputError, match="there are no examples"):
        evaluate_path(workload.network, *ends, _examples(workload).take(0), 2)
    one_batch = evaluate_path(workload.network, *ends, _examples(workload).take(50), 2)
    with pytest.raises(InputError, match="two independent units"):
        one_batch.judge()


def test_an_end_of_another_network_is_named(workload, ends):
    lacking = {name: value for name, value in ends[1].weights.items() if name != "stem/conv/kernel"}
    other = dataclasses.replace(ends[1], weights=lacking)
    with pytest.raises(InputError, match="the end: small-dense-seed1-step0 is of another network: it lacks stem/conv"):
        evaluate_path(workload.network, ends[0], other, _examples(workload))


@pytest.mark.parametrize("batch_norm", ["batch", "stored"])
def test_a_network_of_keras_applications_on_any_data(batch_norm):
    """Against the application itself: biases, BatchNorm before convolutions, concatenations."""
    densenet = inspect.getmodule(tf_keras.applications.DenseNet121)  # which has more blocks of the same
    network = densenet.DenseNet(
        [2, 2, 1, 1], weights=None, input_shape=(32, 32, 3), classes=7, classifier_activation=None
    )
    random = np.random.default_rng(0)
    images, labels = random.normal(size=(20, 32, 32, 3)).astype("float32"), random.integers(7, size=20)
    ends = []
    for seed in (0, 1):
        tf_keras.utils.set_random_seed(seed)
        ends.append(point_of(tf_keras.models.clone_model(network), Origin("noise", "random", seed, 0)))
    examples = tf.data.Dataset.from_tensor_slices((images, labels))
    found = evaluate_path(network, *ends, examples, num_points=3, batch_norm=batch_norm, batch_size=10)
    for k in (0, 1):
        assign(network, between(ends, k / 2))
        logits = [network(images[part], training=batch_norm == "batch") for part in (slice(10), slice(10, 20))]
        log_p = scipy.special.log_softmax(np.concatenate(logits).astype("float64"), axis=1)
        expected = -np.mean(log_p[np.arange(20), labels])
        assert found.losses.cross_entropy[k] == pytest.approx(expected, rel=1e-4)
    assert found.losses.units == (2 if batch_norm == "batch" else 20)


@pytest.mark.parametrize("batch_norm", ["batch", "stored", "recalibrated"])
def test_a_path_of_pixel_values_is_that_of_the_images_they_stand_for(random, batch_norm):
    """The last batch is padded, with pixel values too."""
    network, plain = (digits_resnet((8, 8, 3), standardise=standardise) for standardise in (True, False))
    ends = [random_point(plain, seed) for seed in (0, 1)]
    pixels, labels = random.integers(256, size=(50, 8, 8, 3), dtype="uint8"), random.integers(10, size=50)
    images = tf_keras.Model(network.input, network.get_layer("images/standardise").output)(pixels)
    found, expected = (
        evaluate_path(of, *ends, tf.data.Dataset.from_tensor_slices((taken, labels)), 3, batch_norm, batch_size=20)
        for of, taken in ((network, pixels), (plain, images))
    )
    np.testing.assert_allclose(found.losses.cross_entropy, expected.losses.cross_entropy, rtol=1e-5)


def test_images_that_are_standardised_are_not_cut_to_pixel_values():
    network = digits_resnet((8, 8, 3), standardise=True)
    ends = [random_point(network, seed) for seed in (0, 1)]
    examples = tf.data.Dataset.from_tensor_slices((tf.zeros((5, 8, 8, 3)), tf.zeros(5, tf.int32)))
    with pytest.raises(InputError, match="the images are float32, but the network takes uint8, pixel values"):
        evaluate_path(network, *ends, examples, 3)
