"""Protects: a network's own loss and accuracy, exact to the last padded batch."""

import numpy as np
import pytest
import scipy.special

from sparse_rigl_lands.errors import DivergedError
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin, assign
from sparse_rigl_lands.training.evaluation import evaluate


def _of_test(workload, batch_size):
    return lambda share: workload.dataset.evaluation_batches("test", batch_size, share=share)


@pytest.mark.parametrize("batch_size", [360, 128])
def test_against_one_pass_of_keras_and_numpy(workload, one_device, batch_size):
    model = workload.network
    assign(model, initializations.dense(model, Origin("small", "dense", 0, 0)))
    found = evaluate(model, workload.objective, _of_test(workload, batch_size), one_device)
    images, labels, _ = next(iter(workload.dataset.evaluation_batches("test", 360)))
    log_p = scipy.special.log_softmax(model(images, training=False).numpy().astype("float64"), axis=1)
    assert found.count == 360
    losses = -log_p[np.arange(360), labels]
    assert found.cross_entropy == pytest.approx(losses.mean(), rel=1e-5)
    assert found.cross_entropy_error == pytest.approx(losses.std(ddof=1) / np.sqrt(360), rel=1e-3)
    assert found.accuracy == pytest.approx(np.mean(log_p.argmax(axis=1) == labels))
    fifth = np.sort(log_p, axis=1)[:, -5]
    assert found.top5 == pytest.approx(np.mean(log_p[np.arange(360), labels] >= fifth))


def test_a_loss_that_is_not_finite_is_told(workload, one_device):
    model = workload.network
    model.get_layer("head/dense").kernel.assign(np.full((8, 10), 1e38))
    model.get_layer("head/dense").bias.assign(np.full(10, np.inf))
    with pytest.raises(DivergedError, match="in inference mode, with the stored statistics"):
        evaluate(model, workload.objective, _of_test(workload, 360), one_device)
