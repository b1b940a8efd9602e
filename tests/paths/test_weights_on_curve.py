"""Protects: a weight's value belongs to the call that is going on, in its own thread."""

import threading

import numpy as np
import pytest
import tensorflow as tf

from sparse_rigl_lands.paths.weights_on_curve import Call, WeightsOnCurve


@pytest.fixture
def curve():
    curve = WeightsOnCurve({"a/kernel": (2,)}, 2)
    for variable, value in zip(curve.control_points["a/kernel"], ([1.0, 2.0], [3.0, 6.0]), strict=True):
        variable.assign(value)
    return curve


def _at(t):
    return Call(tf.unstack(tf.constant([1 - t, t])), "stored")


def test_a_weight_is_the_combination_of_its_control_points(curve):
    with curve.during(_at(0.25)):
        np.testing.assert_allclose(curve["a/kernel"], [1.5, 3.0])
    assert "a/kernel" in curve
    assert "b/kernel" not in curve


def test_calls_nest(curve):
    with curve.during(_at(0.0)):
        with curve.during(_at(1.0)):
            np.testing.assert_allclose(curve["a/kernel"], [3.0, 6.0])
        np.testing.assert_allclose(curve["a/kernel"], [1.0, 2.0])


def test_a_call_is_over_after_an_error(curve):
    with pytest.raises(ZeroDivisionError), curve.during(_at(0.0)):
        raise ZeroDivisionError
    with pytest.raises(RuntimeError, match="during a call alone"):
        curve["a/kernel"]


def test_threads_have_calls_of_their_own(curve):
    """As replicas have, whose calls go on at the same time."""
    found = {}
    both = threading.Barrier(2)

    def call(t):
        with curve.during(_at(t)):
            both.wait()
            found[t] = curve["a/kernel"].numpy()
            both.wait()

    threads = [threading.Thread(target=call, args=[t]) for t in (0.0, 1.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_allclose(found[0.0], [1.0, 2.0])
    np.testing.assert_allclose(found[1.0], [3.0, 6.0])
