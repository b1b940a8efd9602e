"""Protects: that missing data is told in one line, exact counts, and that both streams are pure functions.

The data is that of ``tests/prepared_imagenet.py``.
"""

import itertools
import shutil
import socket

import numpy as np
import pytest
import tensorflow as tf

from sparse_rigl_lands.data.imagenet import ImageNet
from sparse_rigl_lands.errors import InputError
from tests.data.tree import which
from tests.prepared_imagenet import CLASSES, TEST_LABELS, TRAIN, prepare

SIZE = 16


@pytest.fixture(scope="module")
def one_file_data_dir(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("imagenet") / "one_file", num_shards=1)


@pytest.fixture(scope="module")
def imagenet(prepared_imagenet):
    return ImageNet(prepared_imagenet, SIZE, files_per_group=2)


@pytest.fixture(scope="module")
def epochs(imagenet):
    """Images and labels of the first four epochs and a batch, batch by batch."""
    return _first(imagenet.training_batches(5, 0, 0), 19)


def _first(batches, count):
    return [tuple(x.numpy() for x in batch) for batch in itertools.islice(batches, count)]


def _examples(batches):
    """All images, labels and weights of finitely many batches."""
    return [np.concatenate(parts) for parts in zip(*_first(batches, None), strict=True)]


def _corners(images):
    """Red on the left and right, green at the top and bottom: the crop, whatever photograph it is of."""
    reds, greens = images[:, SIZE // 2, [0, -1], 0], images[:, [0, -1], SIZE // 2, 1]
    return np.concatenate([reds, greens], axis=1).astype(int)


def _assert_equal(found, expected):
    for found_batch, expected_batch in zip(found, expected, strict=True):
        for x, y in zip(found_batch, expected_batch, strict=True):
            np.testing.assert_array_equal(x, y)


def _refusal(*arguments, **settings):
    with pytest.raises(InputError) as refused:
        ImageNet(*arguments, **settings).check_there()
    message, *trace = str(refused.value).splitlines()
    assert all("In call to configurable" in line for line in trace)  # of gin; the commands leave it out
    return message


@pytest.fixture
def _offline(monkeypatch):
    def refuse(*arguments, **_):
        raise AssertionError(f"the network was asked: {arguments}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.usefixtures("_offline")
def test_missing_data_is_told_in_one_line(tmp_path, monkeypatch):
    message = _refusal(str(tmp_path))
    for words in (
        f"is not prepared in {tmp_path}:",
        f"{tmp_path}/downloads/manual",
        "ILSVRC2012_img_train.tar",
        "gin/digits",
    ):
        assert words in message
    command = message.split('python -c "')[1].split('"')[0]
    builder = f"tfds.builder('imagenet2012:5.1.0', data_dir='{tmp_path}')"
    assert command == f"import tensorflow_datasets as tfds; {builder}.download_and_prepare()"
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "elsewhere"))
    assert f"{tmp_path}/elsewhere" in _refusal()


def test_all_that_a_plan_needs_is_known_of_missing_data(tmp_path):
    imagenet = ImageNet(str(tmp_path), lanes=16)
    assert (imagenet.num_examples("train"), imagenet.num_examples("test")) == (1_281_167, 50_000)
    assert (imagenet.image_shape, imagenet.num_classes) == ((224, 224, 3), 1000)
    for read in (
        lambda: imagenet.training_batches(16, 0, 0),
        lambda: imagenet.evaluation_batches("test", 16),
        lambda: list(imagenet.damaged("test")),
    ):
        with pytest.raises(InputError, match="is not prepared in"):
            read()


def test_missing_files_and_splits_and_other_formats_are_told_in_one_line(prepared_imagenet, tmp_path):
    copy = tmp_path / "imagenet2012" / "5.1.0"
    shutil.copytree(prepared_imagenet / "imagenet2012" / "5.1.0", copy)
    notes = (copy / "dataset_info.json").read_text()
    (copy / "dataset_info.json").write_text(notes.replace('"validation"', '"other"'))
    assert "lacks the split validation" in _refusal(str(tmp_path))
    (copy / "dataset_info.json").write_text(notes.replace('"tfrecord"', '"array_record"'))
    assert "format array_record" in _refusal(str(tmp_path))
    (copy / "dataset_info.json").write_text(notes)
    (copy / "imagenet2012-train.tfrecord-00003-of-00005").unlink()
    assert "lacks 1 of 10 files, such as imagenet2012-train.tfrecord-00003-of-00005" in _refusal(str(tmp_path))


@pytest.mark.parametrize("value", [0, -1, 1.5, "8"])
def test_impossible_sizes_are_refused(prepared_imagenet, value):
    for name in ("image_size", "lanes", "files_per_group"):
        assert f"ImageNet.{name} is {value!r}" in _refusal(str(prepared_imagenet), **{name: value})


@pytest.mark.usefixtures("_offline")
def test_shapes_and_counts(prepared_imagenet):
    imagenet = ImageNet(str(prepared_imagenet))
    assert imagenet.image_shape == (224, 224, 3)
    assert imagenet.num_classes == 1000
    assert (imagenet.num_examples("train"), imagenet.num_examples("test")) == (23, 7)


def test_test_split_is_the_validation_split_with_its_labels(imagenet):
    images, labels, _ = _examples(imagenet.evaluation_batches("test", 7))
    assert sorted(which(images)) == list(range(7))
    np.testing.assert_array_equal(labels, np.array(TEST_LABELS)[which(images)])


@pytest.mark.parametrize("augmented", [False, True])
@pytest.mark.parametrize("batch_size", [5, 23, 30])
def test_evaluation_counts_are_exact_and_do_not_depend_on_the_batch_size(imagenet, batch_size, augmented):
    batches = imagenet.evaluation_batches("train", batch_size, augmented, seed=3)
    assert batches.element_spec == (
        tf.TensorSpec((batch_size, SIZE, SIZE, 3), tf.uint8),
        tf.TensorSpec((batch_size,), tf.int32),
        tf.TensorSpec((batch_size,), tf.float32),
    )
    images, labels, weights = _examples(batches)
    assert len(weights) == -(-23 // batch_size) * batch_size == int(batches.cardinality()) * batch_size
    np.testing.assert_array_equal(weights, np.arange(len(weights)) < 23)
    assert not images[23:].any()
    numbers = which(images[:23])
    assert sorted(numbers) == list(range(23))
    np.testing.assert_array_equal(labels[:23], [CLASSES[TRAIN[i][0]] for i in numbers])
    reference = _examples(imagenet.evaluation_batches("train", 1, augmented, seed=3))
    np.testing.assert_array_equal(images[:23], reference[0])


def test_evaluation_can_stop_early_and_be_entered_at_any_batch(imagenet):
    everything = _examples(imagenet.evaluation_batches("train", 23, True, 3))
    batches = imagenet.evaluation_batches("train", 5, True, 3, limit=17, first_batch=2)
    images, labels, weights = _examples(batches)
    np.testing.assert_array_equal(weights, np.arange(10) < 7)
    np.testing.assert_array_equal(images[:7], everything[0][10:17])
    np.testing.assert_array_equal(labels[:7], everything[1][10:17])
    assert int(batches.cardinality()) == 2


def test_plain_evaluation_shows_the_centre(imagenet):
    """A third of the shorter side, for 16 / (16 + 32): the central pixels of it, upright."""
    images, _, _ = _examples(imagenet.evaluation_batches("train", 23))
    left, right, top, bottom = _corners(images).T
    np.testing.assert_allclose(left + right, 255, atol=12)
    np.testing.assert_allclose(top + bottom, 255, atol=12)
    heights = np.array([40 + 8 * (i % 3) for i in which(images)])
    np.testing.assert_allclose(bottom - top, 255 * (heights // 3) / heights, atol=14)


def test_augmentation_is_keyed_by_the_photograph_and_by_the_seed(imagenet, one_file_data_dir):
    first, second = (_examples(imagenet.evaluation_batches("train", 23, True, seed))[0] for seed in (0, 1))
    np.testing.assert_array_equal(which(first), which(second))
    assert (np.abs(_corners(first) - _corners(second)).max(1) > 3).all()
    # every photograph is cropped in its own way ...
    differences = np.abs(_corners(first)[:, None] - _corners(first)[None]).max(-1)
    assert (differences + 255 * np.eye(23) > 1).all()
    # ... wherever it stands
    elsewhere = _examples(ImageNet(one_file_data_dir, SIZE).evaluation_batches("train", 23, True, 0))[0]
    assert list(which(elsewhere)) != list(which(first))
    np.testing.assert_array_equal(elsewhere[np.argsort(which(elsewhere))], first[np.argsort(which(first))])


def test_every_epoch_holds_every_example_once_in_another_order(epochs):
    images, labels = (np.concatenate(parts)[: 4 * 23] for parts in zip(*epochs, strict=True))
    numbers = which(images)
    np.testing.assert_array_equal(labels, [CLASSES[TRAIN[i][0]] for i in numbers])
    orders = numbers.reshape(4, 23)
    np.testing.assert_array_equal(np.sort(orders), np.tile(np.arange(23), (4, 1)))
    assert len({tuple(order) for order in orders}) == 4


def test_augmentation_changes_with_the_epoch_and_mirrors_half_of_the_time(epochs):
    images = np.concatenate([images for images, _ in epochs])[: 4 * 23]
    corners = _corners(images)
    differences = np.abs(corners[:, None] - corners[None]).max(-1)
    same = np.argwhere(differences + 255 * np.eye(4 * 23) < 0.2)
    assert not len(same)
    assert 0.35 < np.mean(corners[:, 0] > corners[:, 1]) < 0.65


def _orders(imagenet):
    """[seed, epoch, position]: which image stands there, for two seeds and three epochs."""
    streams = [_first(imagenet.training_batches(23, seed, 0), 3) for seed in (0, 1)]
    return np.array([[which(images) for images, _ in stream] for stream in streams])


def test_order_within_a_file_is_keyed_by_seed_and_epoch(one_file_data_dir):
    orders = _orders(ImageNet(one_file_data_dir, SIZE)).reshape(6, 23)
    assert len({tuple(order) for order in orders}) == 6


def test_order_of_files_is_keyed_by_seed_and_epoch(prepared_imagenet):
    """Files in groups of one stay together: their order, and the order within each, can be told."""
    place = {}  # of an image: its file, and where it stands there
    for path in (prepared_imagenet / "imagenet2012" / "5.1.0").glob("*-train.tfrecord-*"):
        for position, record in enumerate(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()):
            name = tf.train.Example.FromString(record).features.feature["file_name"].bytes_list.value[0].decode()
            place[int(name.split("_")[1].removesuffix(".JPEG"))] = (path.name, position)
    orders = _orders(ImageNet(prepared_imagenet, SIZE, files_per_group=1)).reshape(6, 23)
    file_orders = set()
    for order in orders:
        runs = itertools.groupby([place[i] for i in order], lambda at: at[0])
        files = [(file, tuple(position for _, position in run)) for file, run in runs]
        assert len(files) == 5
        assert len({positions for _, positions in files}) > 3  # each shuffled in its own way; two of four may agree
        file_orders.add(tuple(file for file, _ in files))
    assert len(file_orders) == 6


@pytest.mark.parametrize("files_per_group", [2, 16])
def test_training_stream_can_be_entered_at_any_step(prepared_imagenet, files_per_group):
    imagenet = ImageNet(prepared_imagenet, SIZE, files_per_group=files_per_group)
    undisturbed = _first(imagenet.training_batches(5, 7, 0), 12)  # over the ends of two epochs
    for step in (1, 4, 5, 10):  # in the first epoch, at its end, in the second and the third
        _assert_equal(_first(imagenet.training_batches(5, 7, step), 2), undisturbed[step : step + 2])


def test_training_stream_is_a_pure_function(prepared_imagenet, epochs):
    """Of its arguments, not of the object, of TensorFlow's global seed or of the number of threads."""
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    options.autotune.enabled = False
    tf.random.set_seed(1234)
    stream = ImageNet(prepared_imagenet, SIZE, files_per_group=2).training_batches(5, 0, 0).with_options(options)
    assert stream.element_spec[0] == tf.TensorSpec((5, SIZE, SIZE, 3), tf.uint8)
    assert stream.element_spec[1] == tf.TensorSpec((5,), tf.int32)
    _assert_equal(_first(stream, 19), epochs)


def test_training_stream_leaves_the_global_seed_alone(imagenet):
    tf.random.set_seed(5)
    expected = tf.random.uniform([3])
    tf.random.set_seed(5)
    _first(imagenet.training_batches(5, 0, 0), 1)
    np.testing.assert_array_equal(tf.random.uniform([3]), expected)
