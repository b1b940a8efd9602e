"""ImageNet, the ILSVRC 2012 classification data, from where TensorFlow Datasets has prepared it."""

import os

import gin
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from sparse_rigl_lands import seeds
from sparse_rigl_lands.data import jpeg
from sparse_rigl_lands.data.dataset import Dataset, Split
from sparse_rigl_lands.errors import InputError

_VERSIONS = ("5.1.0", "5.0.0")  # alike in what is read here: 5.1.0 adds the unlabelled test images
_SPLITS = {"train": "train", "test": "validation"}
_READ_AHEAD = 4096  # encoded examples, 0.5 GB: what is trained on while the next group is being read


@gin.configurable(module="sparse_rigl_lands")
class ImageNet(Dataset):
    """1,281,167 training and 50,000 test images (the validation set) of 1000 classes, standardised.

    Training images are random crops, mirrored half of the time; test images are central crops.

    The training order of an epoch: its files in random order, in groups; the examples of a group
    in random order. TensorFlow Datasets has already shuffled all examples when it wrote the 1024
    files, so a group is a random sample of everything. Whole groups can be passed over without
    reading them, which makes it cheap to go on from any step. A group is held in memory: 16 files
    are 20,000 examples or 2.2 GB.

    The evaluation order is that of the files, 16 of them read in turns: a random one, for the same reason.

    Args:
      data_dir: the directory that holds ``imagenet2012/<version>``; by default that of the
        environment variable TFDS_DATA_DIR, or else ~/tensorflow_datasets.
      image_size: height and width of the images in pixels.
      files_per_group: how many training files are shuffled together.

    Raises:
      InputError: imagenet2012 is not prepared there, or a number is not positive.

    Sources: Russakovsky et al. 2015 (arXiv 1409.0575); the augmentation of Goyal et al. 2017 (arXiv
    1706.02677) as in the reference ResNet for TPUs, see ``jpeg``.
    """

    def __init__(self, data_dir: str | None = None, image_size: int = 224, files_per_group: int = 16):
        for name, value in (("image_size", image_size), ("files_per_group", files_per_group)):
            if not isinstance(value, int) or value < 1:
                raise InputError(f"ImageNet.{name} is {value!r}; it must be a whole number of at least 1")
        self._image_size, self._files_per_group = image_size, files_per_group
        info = _prepared_info(data_dir or os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets"))
        self._features = info.features
        self._files, self._lengths = {}, {}
        for split, name in _SPLITS.items():
            self._files[split] = [os.fspath(path) for path in info.splits[name].filepaths]
            self._lengths[split] = np.array(info.splits[name].shard_lengths)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (self._image_size, self._image_size, 3)

    @property
    def num_classes(self) -> int:
        return 1000

    def num_examples(self, split: Split) -> int:
        return int(self._lengths[split].sum())

    def training_batches(self, batch_size: int, seed: int, first_step: int) -> tf.data.Dataset:
        order_key, augmentation_key = seeds.key(seed, "training order"), seeds.key(seed, "training augmentation")
        first_epoch, done = divmod(first_step * batch_size, self.num_examples("train"))
        done_groups, done_examples = self._passed_over(order_key, first_epoch, done)
        groups = tf.data.Dataset.counter(first_epoch).flat_map(lambda epoch: self._groups(order_key, epoch))
        records = groups.skip(done_groups).flat_map(self._group_records).skip(done_examples).prefetch(_READ_AHEAD)

        def example(epoch: tf.Tensor, record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return self._example(record, tf.stack([tf.constant(augmentation_key, tf.int64), epoch]))

        return _batches(records.map(example, tf.data.AUTOTUNE, deterministic=True), batch_size)

    def evaluation_examples(self, split: Split, augmented: bool, seed: int, first: int, last: int) -> tf.data.Dataset:
        key = tf.constant([seeds.key(seed, "evaluation augmentation"), 0], tf.int64) if augmented else None
        records = _records(tf.constant(self._files[split]))
        known = records.apply(tf.data.experimental.assert_cardinality(self.num_examples(split)))
        wanted = known.take(last).skip(first)
        return wanted.map(lambda record: self._example(record, key), tf.data.AUTOTUNE, deterministic=True)

    def _file_order(self, key: int, epoch: tf.Tensor) -> tf.Tensor:
        """int32 [training files], a permutation that is a pure function of (key, epoch)."""
        seed = tf.stack([tf.constant(key, tf.int64), tf.cast(epoch, tf.int64)])
        return tf.random.experimental.stateless_shuffle(tf.range(len(self._files["train"])), seed)

    def _groups(self, key: int, epoch: tf.Tensor) -> tf.data.Dataset:
        """An epoch's groups: (epoch int64, seed int64 [2], files int32 [at most files_per_group])."""
        files = tf.data.Dataset.from_tensor_slices(self._file_order(key, epoch)).batch(self._files_per_group)
        seed = tf.stack([tf.constant(key, tf.int64), epoch])
        fold_in = tf.random.experimental.stateless_fold_in
        return files.enumerate().map(lambda index, group: (epoch, fold_in(seed, index), group))

    def _group_records(self, epoch: tf.Tensor, seed: tf.Tensor, files: tf.Tensor) -> tf.data.Dataset:
        """A group's records in random order: (epoch int64, serialised example string)."""
        # Dataset.shuffle combines its seed with that of the graph, which would come from outside.
        # This sets the seed of no more than this function's graph.
        tf.random.set_seed(1)
        shuffle_seed = tf.random.stateless_uniform([], seed, None, None, tf.int64)
        size = tf.reduce_sum(tf.gather(self._lengths["train"], files))
        records = _records(tf.gather(self._files["train"], files))
        shuffled = records.shuffle(size, shuffle_seed, reshuffle_each_iteration=False)
        return shuffled.map(lambda record: (epoch, record))

    def _passed_over(self, key: int, epoch: int, examples: int) -> tuple[int, int]:
        """How many whole groups the epoch's first examples are, and how many of the next group."""
        with tf.device("CPU:0"):  # where tf.data runs: the same draws
            order = self._file_order(key, tf.constant(epoch)).numpy()
        lengths = self._lengths["train"][order]
        groups = 0
        while examples >= (group := lengths[groups * self._files_per_group :][: self._files_per_group].sum()):
            groups, examples = groups + 1, examples - group
        return groups, int(examples)

    def _example(self, record: tf.Tensor, key: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        """Image and label; cropped by draws of (key int64 [2], file name), or centrally without a key."""
        # All images are JPEG in RGB: the builder has converted the 22 in CMYK and the one PNG.
        example = self._features.deserialize_example(record, decoders={"image": tfds.decode.SkipDecoding()})
        if key is None:
            image = jpeg.central_crop(example["image"], self._image_size)
        else:
            # The name of a photograph, such as n15075141_54.JPEG, is its own whatever file it is in.
            identity = tf.strings.to_hash_bucket_fast(example["file_name"], 2**63 - 1)
            seed = tf.random.experimental.stateless_fold_in(key, identity)
            image = jpeg.random_resized_crop(example["image"], seed, self._image_size)
        return jpeg.standardise(image), tf.cast(example["label"], tf.int32)


def _records(files: tf.Tensor) -> tf.data.Dataset:
    """The serialised examples of the files, 16 read in turns: one fixed order."""
    return tf.data.Dataset.from_tensor_slices(files).interleave(
        tf.data.TFRecordDataset, cycle_length=16, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )


def _batches(examples: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
    batches = examples.batch(batch_size, True, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return batches.prefetch(tf.data.AUTOTUNE)


def _prepared_info(data_dir: str) -> tfds.core.DatasetInfo:
    """What TensorFlow Datasets has noted about the data it prepared; read from disk alone.

    ``tfds.builder`` would ask a server about data that it does not find.
    """
    data_dir = os.path.expanduser(data_dir)
    for version in _VERSIONS:
        directory = os.path.join(data_dir, "imagenet2012", version)
        if all(tf.io.gfile.exists(os.path.join(directory, name)) for name in ("dataset_info.json", "features.json")):
            info = tfds.builder_from_directory(directory).info
            _check_files(info, directory)
            return info
    manual = os.path.join(data_dir, "downloads", "manual")
    builder = f"tfds.builder('imagenet2012:{_VERSIONS[0]}', data_dir={data_dir!r})"
    raise InputError(
        f"imagenet2012, version {' or '.join(_VERSIONS)}, is not prepared in {data_dir}: put ILSVRC2012_img_train.tar "
        f"and ILSVRC2012_img_val.tar of https://image-net.org into {manual} and run: "
        f'python -c "import tensorflow_datasets as tfds; {builder}.download_and_prepare()" '
        "(gin/digits/ has the same experiments on data that needs no download)"
    )


def _check_files(info: tfds.core.DatasetInfo, directory: str) -> None:
    """Refuses a split or a file that is missing, or a format that is not read here."""
    if missing := set(_SPLITS.values()) - set(info.splits):
        raise InputError(f"{directory} lacks the split {' and '.join(sorted(missing))}; prepare imagenet2012 anew")
    if (file_format := info.file_format.value) != "tfrecord":
        raise InputError(f"{directory} holds files of format {file_format}; prepare imagenet2012 as tfrecord")
    expected = {path.name for name in _SPLITS.values() for path in info.splits[name].filepaths}
    if missing := expected - set(tf.io.gfile.listdir(directory)):
        raise InputError(f"{directory} lacks {len(missing)} of {len(expected)} files, such as {min(missing)}")
