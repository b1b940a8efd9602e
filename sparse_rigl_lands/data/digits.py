"""scikit-learn's handwritten digits: 1797 images of 8x8 that come with the library."""

import gin
import sklearn.datasets
import sklearn.model_selection
import tensorflow as tf

from sparse_rigl_lands import checks, seeds
from sparse_rigl_lands.data import augmentation
from sparse_rigl_lands.data.dataset import Dataset, Selection, Split, divided, endless
from sparse_rigl_lands.replicas import WHOLE, Share

_TEST_EXAMPLES = 360
_SPLIT_SEED = 0


@gin.configurable(module="sparse_rigl_lands")
class Digits(Dataset):
    """1437 training and 360 test images, stratified by class, standardised, shifted by a pixel.

    The split is one and the same for every seed. Images are standardised by the mean and the
    standard deviation of all training pixels; shifts bring in the background.

    Args:
      max_shift: the largest augmenting shift in each direction, in pixels, 0 to 7.

    Raises:
      InputError: another shift.

    Source: https://scikit-learn.org/stable/datasets/toy_dataset.html, the test set of Alpaydin and
    Kaynak, Optical Recognition of Handwritten Digits, UCI 1998.
    """

    def __init__(self, max_shift: int = 1):
        checks.whole_number("Digits.max_shift", max_shift, least=0, below=8)
        self._max_shift = max_shift
        bunch = sklearn.datasets.load_digits()
        images = bunch.images.astype("float32")[..., None]  # grey levels 0 to 16
        labels = bunch.target.astype("int32")
        train_images, test_images, train_labels, test_labels = sklearn.model_selection.train_test_split(
            images, labels, test_size=_TEST_EXAMPLES, stratify=labels, random_state=_SPLIT_SEED
        )
        self._examples = {"train": (train_images, train_labels), "test": (test_images, test_labels)}
        self._mean, self._deviation = train_images.mean(), train_images.std()

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (8, 8, 1)

    @property
    def num_classes(self) -> int:
        return 10

    def num_examples(self, split: Split) -> int:
        return len(self._examples[split][1])

    def training_batches(self, batch_size: int, seed: int, first_step: int, share: Share = WHOLE) -> tf.data.Dataset:
        n = self.num_examples("train")
        order_key = seeds.key(seed, "training order")
        first_epoch, first_in_epoch = divmod(first_step * batch_size, n)

        def epoch_examples(epoch: tf.Tensor) -> tf.data.Dataset:
            images, labels = self._augmented("train", seeds.key(seed, "training augmentation"), epoch)
            order_seed = tf.stack([tf.constant(order_key, tf.int64), epoch])
            order = tf.random.experimental.stateless_shuffle(tf.range(n), order_seed)
            return tf.data.Dataset.from_tensor_slices((tf.gather(images, order), tf.gather(labels, order)))

        epochs = tf.data.Dataset.counter(first_epoch)
        examples = epochs.flat_map(epoch_examples).skip(first_in_epoch)
        batches = examples.batch(batch_size, drop_remainder=True)
        return endless(divided(batches, batch_size, share)).prefetch(2).with_options(_untuned())

    def evaluation_examples(self, split: Split, augmented: bool, seed: int, selection: Selection) -> tf.data.Dataset:
        if augmented:
            images, labels = self._augmented(split, seeds.key(seed, "evaluation augmentation"), tf.constant(0))
        else:
            images, labels = self._standardised(tf.constant(self._examples[split][0])), self._examples[split][1]
        return selection.of(tf.data.Dataset.from_tensor_slices((images, labels))).with_options(_untuned())

    def _augmented(self, split: Split, key: int, epoch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images, labels = self._examples[split]
        shifts = augmentation.draw_shifts(key, epoch, len(labels), self._max_shift)
        return self._standardised(augmentation.shift(tf.constant(images), shifts)), tf.constant(labels)

    def _standardised(self, images: tf.Tensor) -> tf.Tensor:
        return (images - self._mean) / self._deviation


def _untuned() -> tf.data.Options:
    """Nothing here gains by tuning, and whoever lets go of an iterator may wait for the tuner, see ``replicas``."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return options
