"""Images that TensorFlow Datasets has prepared."""

import dataclasses
import functools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import gin
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from etils import epath
from google.protobuf.json_format import ParseError

from sparse_rigl_lands import checks, storage
from sparse_rigl_lands.data.dataset import Split
from sparse_rigl_lands.data.photographs import Photographs, Source, label_of
from sparse_rigl_lands.data.skipped import Skipped, read_skipped
from sparse_rigl_lands.errors import InputError

_NAMES = ("file_name", "id")  # features that name a photograph, the first that there is
_NOTES = ("dataset_info.json", "features.json")


@gin.configurable(module="sparse_rigl_lands")
class TfdsImages(Photographs):
    """Any set of labelled images that TensorFlow Datasets has prepared, such as ``cifar10``; none is downloaded.

    Args:
      name: as ``tfds.builder`` takes it: ``"name"``, ``"name/config"``, either with ``":version"``; without
        one it is the newest that lies there.
      data_dir: the directory that holds ``name/version``; by default that of the environment variable
        TFDS_DATA_DIR, or else ~/tensorflow_datasets.
      image_size: height and width of the images in pixels.
      test_split: the name of the split that is tested on.
      lanes, files_per_group: see ``record_order.RecordOrder``.
      skip: a file of ``scripts/check_images.py``: the photographs that it names are left out.

    Raises:
      InputError: the set is not prepared there, has no images and labels, a setting is no text or path, or as
        ``photographs.Photographs``.
    """

    def __init__(
        self,
        name: str,
        data_dir: str | None = None,
        image_size: int = 224,
        test_split: str = "test",
        lanes: int = 1,
        files_per_group: int = 16,
        skip: str | None = None,
    ):
        checks.text("TfdsImages.name", name)
        checks.text("TfdsImages.test_split", test_split)
        checks.path("TfdsImages.data_dir", data_dir, others=(None,))
        checks.path("TfdsImages.skip", skip, others=(None,))
        where = data_directory(data_dir)
        name, _, version = name.partition(":")
        versions = [version] if version else _versions(where / name)
        directory = prepared(where / name, versions)
        if directory is None:
            full_name = f"{name}:{version}" if version else name
            raise InputError(f"{full_name} is not prepared in {where}: run: {preparation(full_name, where)}")
        source = tfds_source(directory, {"train": "train", "test": test_split}, skip)
        super().__init__(source, image_size, lanes, files_per_group)


def data_directory(data_dir: str | None) -> epath.Path:
    """Where TensorFlow Datasets keeps what it has prepared, in a file system or a bucket (``gs://...``)."""
    return epath.Path(data_dir or os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")).expanduser()


def preparation(name: str, data_dir: epath.Path) -> str:
    """The command that prepares a set; ``python -m tensorflow_datasets`` needs packages that nothing else does."""
    builder = f"tfds.builder({name!r}, data_dir={str(data_dir)!r})"
    return f'python -c "import tensorflow_datasets as tfds; {builder}.download_and_prepare()"'


def prepared(directory: epath.Path, versions: Iterable[str]) -> epath.Path | None:
    """Where a set lies in the first of the versions that was prepared."""
    for version in versions:
        if all((directory / version / note).exists() for note in _NOTES):
            return directory / version
    return None


def _versions(directory: epath.Path) -> list[str]:
    """Those that lie there, the newest first."""
    if not directory.is_dir():
        return []
    names = [path.name for path in directory.iterdir() if path.name.replace(".", "").isdigit()]
    return sorted(names, key=lambda name: [int(part) for part in name.split(".")], reverse=True)


def tfds_source(directory: epath.Path, split_names: Mapping[Split, str], skip: str | None) -> Source:
    """The photographs of a set that was prepared; what is noted about it is read from disk alone.

    ``tfds.builder`` would ask a server about data that it does not find.

    Args:
      directory: of one version.
      split_names: what the train and the test split are called there.
      skip: see ``TfdsImages``.

    Raises:
      InputError: what is noted about it is damaged, a split or a file is missing, or it is no set of images and
        labels in TFRecord files.
    """
    info = _info(directory)
    _check_files(info, directory, list(split_names.values()))
    image, label = info.supervised_keys or ("image", "label")
    features = info.features
    kinds = {image: tfds.features.Image, label: tfds.features.ClassLabel}
    if not all(name in features and isinstance(features[name], kind) for name, kind in kinds.items()):
        raise InputError(f"{directory} holds no images with labels: its features are {', '.join(sorted(features))}")
    named = next((n for n in _NAMES if n in features and isinstance(features[n], tfds.features.Text)), None)

    def parse(record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        example = features.deserialize_example(record, decoders={image: tfds.decode.SkipDecoding()})
        name = example[named] if named else tf.strings.as_string(tf.strings.to_hash_bucket_fast(record, 2**63 - 1))
        return example[image], name, tf.cast(example[label], tf.int32)

    splits: dict[Split, tfds.core.SplitInfo] = {split: info.splits[name] for split, name in split_names.items()}
    files = {split: [os.fspath(path) for path in found.filepaths] for split, found in splits.items()}
    lengths = {split: np.array(found.shard_lengths) for split, found in splits.items()}
    open_files = functools.partial(_in_turns, records_of=tf.data.TFRecordDataset)
    source = Source(files, lengths, open_files, parse, features[label].num_classes)
    return source if skip is None else _without(source, read_skipped(skip))


def _info(directory: epath.Path) -> tfds.core.DatasetInfo:
    """What is noted about a set. TensorFlow Datasets would import a class of features from anywhere."""
    notes = [storage.read_json(directory / note) for note in _NOTES]
    try:
        others = [name for name in _classes(notes[-1]) if not name.startswith("tensorflow_datasets.")]
    except (ValueError, RecursionError) as error:
        raise InputError(f"{directory / _NOTES[-1]} is damaged: {error}") from error
    if others:
        raise InputError(
            f"{directory / _NOTES[-1]} names {others[0]!r}, which is none of TensorFlow Datasets' features"
        )
    try:
        info = tfds.builder_from_directory(directory).info
        for split in info.splits.values():
            _ = split.filepaths  # made of their template now
        return info
    except (ParseError, ValueError, TypeError, LookupError, AttributeError, RecursionError, SystemError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(f"the notes about {directory} are damaged: {reason}") from error


def _classes(features: object) -> Iterator[str]:
    """The classes that ``features.json`` names, in its present form and in that of earlier years."""
    if isinstance(features, list):
        for each in features:
            yield from _classes(each)
    elif isinstance(features, dict):
        for key, value in features.items():
            if key in ("pythonClassName", "python_class_name", "type") and isinstance(value, str):
                yield value
            elif key in ("content", "json") and isinstance(value, str):  # a document within the document
                yield from _classes(json.loads(value))
            else:
                yield from _classes(value)


def _without(source: Source, skipped: Skipped) -> Source:
    """The same photographs but for some, each told by its file and its name."""
    lengths = {split: array.copy() for split, array in source.lengths.items()}
    for split, of_files in skipped.items():
        labels = [label_of(file) for file in source.files[split]]
        for label, names in of_files.items():
            if label not in labels:
                raise InputError(f"photographs are to be skipped in {label}, which is no file of the {split} split")
            lengths[split][labels.index(label)] -= len(names)
    unwanted = tf.constant(
        [f"{label}/{name}" for of_files in skipped.values() for label, names in of_files.items() for name in names],
        tf.string,
    )

    def wanted_of(file: tf.Tensor) -> tf.data.Dataset:
        label = tf.strings.split(file, "/")[-1]
        return tf.data.TFRecordDataset(file).filter(
            lambda record: tf.reduce_all(tf.strings.join([label, "/", source.parse(record)[1]]) != unwanted)
        )

    return dataclasses.replace(source, lengths=lengths, open_files=lambda files: _in_turns(files, wanted_of))


def _in_turns(files: tf.Tensor, records_of: Callable[[tf.Tensor], tf.data.Dataset]) -> tf.data.Dataset:
    """The records of 16 files, read in turns: one fixed order. Turns of a single file would cost time."""
    if files.shape == [1]:
        return records_of(files[0])
    return tf.data.Dataset.from_tensor_slices(files).interleave(
        records_of, cycle_length=16, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )


def _check_files(info: tfds.core.DatasetInfo, directory: epath.Path, names: Sequence[str]) -> None:
    """Refuses a split or a file that is missing, or a format that is not read here."""
    if missing := set(names) - set(info.splits):
        raise InputError(f"{directory} lacks the split {min(missing)}; it has {', '.join(info.splits)}")
    if (file_format := info.file_format.value) != "tfrecord":
        raise InputError(f"{directory} holds files of format {file_format}; prepare it anew as tfrecord")
    expected = {path.name for name in names for path in info.splits[name].filepaths}
    if missing := expected - set(tf.io.gfile.listdir(directory)):
        raise InputError(f"{directory} lacks {len(missing)} of {len(expected)} files, such as {min(missing)}")
