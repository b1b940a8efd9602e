"""Protects: any prepared set of images as a dataset, by TensorFlow Datasets' own builder; damaged images."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from sparse_rigl_lands.data.skipped import write_skipped
from sparse_rigl_lands.data.tfds_images import TfdsImages
from sparse_rigl_lands.errors import DECODING_SCOPE, InputError
from tests.data.tree import encoded, which

FEATURES = {"image": tfds.features.Image(), "label": tfds.features.ClassLabel(num_classes=4)}


def _store(directory, name, version="1.0.0", named=False, damaged=(), features=None):
    """Ten training and six test images, image i of class i modulo 4; such TFDS splits have one file each."""

    def example(i):
        content = encoded(i)[:200] if i in damaged else encoded(i, "PNG" if i % 2 and not named else "JPEG")
        return {"image": content, "label": i % 4, **({"file_name": f"{i}.jpg"} if named else {})}

    features = features or {**FEATURES, **({"file_name": tfds.features.Text()} if named else {})}
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version=version,
        features=tfds.features.FeaturesDict(features),
        split_datasets={split: [(i, example(i)) for i in range(n)] for split, n in (("train", 10), ("test", 6))},
        data_dir=directory,
    )
    return directory


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return _store(tmp_path_factory.mktemp("tfds"), "small")


def test_images_of_any_kind_without_names(data_dir):
    images_of = TfdsImages("small", str(data_dir), 16)
    assert (images_of.num_classes, images_of.num_examples("train"), images_of.num_examples("test")) == (4, 10, 6)
    for split, count in (("train", 10), ("test", 6)):
        images, labels, weights = next(iter(images_of.evaluation_batches(split, 12)))
        found = which(images)[weights > 0]
        assert sorted(found) == list(range(count))
        np.testing.assert_array_equal(labels[weights > 0], found % 4)
    first, second = (next(iter(images_of.evaluation_batches("train", 10, True, seed)))[0] for seed in (0, 1))
    assert (np.abs(first - second).max((1, 2, 3)) > 0).all()


def test_the_newest_version_is_taken_unless_one_is_named(data_dir, tmp_path):
    shutil.copytree(data_dir / "small", tmp_path / "small")
    for version in ("1.2.0", "1.10.0"):
        _store(tmp_path, "small", version, damaged=[0])
    assert TfdsImages("small:1.0.0", str(tmp_path)).num_examples("train") == 10
    newest = TfdsImages("small", str(tmp_path), 16)
    assert "1.10.0" in str(newest._source.files["train"][0])


def test_damaged_images_end_a_reading_and_can_be_named_and_skipped(tmp_path):
    directory = str(_store(tmp_path / "data", "small", named=True, damaged=[3, 8]))
    with pytest.raises(tf.errors.InvalidArgumentError, match=DECODING_SCOPE):
        list(TfdsImages("small", directory, 16).evaluation_batches("train", 10))
    found = {
        split: {file: list(faults) for file, _, faults in TfdsImages("small", directory, 16).damaged(split)}
        for split in ("train", "test")
    }
    (names,) = found["train"].values()
    assert sorted(names) == ["3.jpg", "8.jpg"]
    assert list(found["test"].values()) == [["3.jpg"]]
    of_train = {"train": found["train"], "test": {}}  # the test image of the same name stays
    write_skipped(tmp_path / "train.json", of_train)
    assert TfdsImages("small", directory, skip=str(tmp_path / "train.json")).num_examples("test") == 6
    write_skipped(tmp_path / "skip.json", found)
    sound = TfdsImages("small", directory, 16, skip=str(tmp_path / "skip.json"))
    assert (sound.num_examples("train"), sound.num_examples("test")) == (8, 5)
    images, _, weights = next(iter(sound.evaluation_batches("train", 12)))
    assert sorted(which(images)[weights > 0]) == [0, 1, 2, 4, 5, 6, 7, 9]
    batches = sound.training_batches(4, 0, 0).take(4)
    epochs = np.concatenate([which(images) for images, _ in batches]).reshape(2, 8)
    np.testing.assert_array_equal(np.sort(epochs), np.tile([0, 1, 2, 4, 5, 6, 7, 9], (2, 1)))
    write_skipped(tmp_path / "other.json", {"train": {"elsewhere": ["3.jpg"]}, "test": {}})
    with pytest.raises(InputError, match="skipped in elsewhere, which is no file of the train split"):
        TfdsImages("small", directory, skip=str(tmp_path / "other.json"))


def test_a_file_with_damaged_records_is_named(data_dir, tmp_path):
    shutil.copytree(data_dir / "small", tmp_path / "small")
    file = next((tmp_path / "small" / "1.0.0").glob("*train*tfrecord*"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match=f"{file.name} cannot be read: corrupted record"):
        list(TfdsImages("small", str(tmp_path), 16).damaged("train"))


def test_what_cannot_be_used(data_dir, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="cifar10:3.0.2 is not prepared in") as refused:
        TfdsImages("cifar10:3.0.2", str(tmp_path))
    assert f"tfds.builder('cifar10:3.0.2', data_dir='{tmp_path}').download_and_prepare()" in str(refused.value)
    with pytest.raises(InputError, match="TfdsImages.name is 3; it must be a text in quotes"):
        TfdsImages(3, str(data_dir))
    with pytest.raises(InputError, match="TfdsImages.test_split is None; it must be a text in quotes"):
        TfdsImages("small", str(data_dir), test_split=None)
    with pytest.raises(InputError, match="lacks the split validation; it has"):
        TfdsImages("small", str(data_dir), test_split="validation")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "elsewhere"))
    with pytest.raises(InputError, match="cifar10 is not prepared in .*elsewhere"):
        TfdsImages("cifar10")
    _store(tmp_path, "plain", features={"image": tfds.features.Image(), "label": tfds.features.Scalar(tf.int64)})
    with pytest.raises(InputError, match="holds no images with labels: its features are image, label"):
        TfdsImages("plain", str(tmp_path))


@pytest.fixture
def notes(data_dir, tmp_path):
    """Changes a file of notes about a copy of the set, whose directory it returns."""
    shutil.copytree(data_dir / "small", tmp_path / "small")

    def notes(name, change):
        path = tmp_path / "small" / "1.0.0" / name
        path.write_text(change(path.read_text()))
        return str(tmp_path)

    return notes


@pytest.mark.parametrize("key", ["pythonClassName", "python_class_name"])
def test_no_class_is_imported_that_notes_name(notes, tmp_path, monkeypatch, key):
    """TensorFlow Datasets would import the module of any class."""
    (tmp_path / "harmful_features.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'w')")
    monkeypatch.syspath_prepend(tmp_path)
    ours = "tensorflow_datasets.core.features.class_label_feature.ClassLabel"
    directory = notes(
        "features.json", lambda text: text.replace(f'"pythonClassName": "{ours}"', f'"{key}": "harmful_features.Label"')
    )
    with pytest.raises(InputError, match="features.json names 'harmful_features.Label', which is none of"):
        TfdsImages("small", directory)
    assert not (tmp_path / "trace").exists()


def test_nor_one_that_notes_of_earlier_years_name(notes, tmp_path):
    feature = {"pythonClassName": "harmful_features.Label"}
    old = {"type": "tensorflow_datasets.core.features.features_dict.FeaturesDict", "content": json.dumps(feature)}
    directory = notes("features.json", lambda text: json.dumps({**old, "proto_cls": "tensorflow_datasets.Feature"}))
    with pytest.raises(InputError, match="features.json names 'harmful_features.Label'"):
        TfdsImages("small", directory)


def test_nor_one_that_is_named_within_a_feature_of_json(notes, tmp_path):
    inner = json.dumps({"feature": {"type": "harmful_features.Label"}, "length": 1})
    sequence = {"pythonClassName": "tensorflow_datasets.core.features.sequence_feature.Sequence"}
    features = json.dumps({**sequence, "jsonFeature": {"json": inner}})
    with pytest.raises(InputError, match="features.json names 'harmful_features.Label'"):
        TfdsImages("small", notes("features.json", lambda text: features))


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("features.json", lambda text: '{"content": "{"}', "features.json is damaged: Expecting property name"),
        ("dataset_info.json", lambda text: text[:-9], "dataset_info.json is damaged"),
        ("dataset_info.json", lambda text: text.replace('"1.0.0"', '"one"'), "the notes about .* are damaged: Invalid"),
        ("dataset_info.json", lambda text: text.replace('"10"', '"ten"'), "the notes about .* are damaged: "),
        ("dataset_info.json", lambda text: text.replace("{SPLIT}", "{X}"), "the notes about .* are damaged: "),
        ("features.json", lambda text: "[]", "features.json is damaged: it holds no JSON object"),
        ("features.json", lambda text: "{}", "the notes about .* are damaged: "),
        ("features.json", lambda text: text.replace('"-1"', '"x"'), "the notes about .* are damaged: "),
    ],
)
def test_damaged_notes_are_named(notes, name, change, words):
    with pytest.raises(InputError, match=words):
        TfdsImages("small", notes(name, change))
