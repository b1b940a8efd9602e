"""The curve variant of a network: called with images and a place on the curve."""

from collections.abc import Sequence
from typing import Literal

import tensorflow as tf
import tf_keras

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.layers import CurveBatchNormalization, CurveConv2D, CurveDense, Position, WeightsOnCurve
from sparse_rigl_lands.points.point import Point, check_fit
from sparse_rigl_lands.sparsity import variants

BatchNorm = Literal["batch", "stored"]


class CurveNetwork:
    """A network whose weights are sum_i c_i theta_i, for coefficients c given at every call.

    Its memory is that of the P control points and, in a call, one set of combined weights.

    Args:
      network: a plain functional model.
      num_control_points: P.
      batch_norm: ``"batch"``: statistics of the batch, as in training; ``"stored"``: the control
        points' moving statistics, combined like the weights.

    Raises:
      InputError: the network has a layer with weights that is not understood.
    """

    def __init__(self, network: tf_keras.Model, num_control_points: int, batch_norm: BatchNorm):
        if batch_norm not in ("batch", "stored"):
            raise InputError(f"batch_norm is {batch_norm!r}; known are batch and stored")
        self._position = Position()
        self.num_control_points = num_control_points

        self._curves: dict[str, WeightsOnCurve] = {}

        def put_on_curve(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer | None:
            if not layer.weights:
                return None
            curve = self._curves[layer.name] = WeightsOnCurve(self._position, num_control_points)
            config = layer.get_config()
            if isinstance(layer, tf_keras.layers.Conv2D):
                return CurveConv2D(curve, **config)
            if isinstance(layer, tf_keras.layers.Dense):
                return CurveDense(curve, **config)
            return CurveBatchNormalization(curve, batch_norm == "batch", **config)

        with self._position.at(tf.zeros(num_control_points)):
            self._model = variants.clone(network, put_on_curve)

    def __call__(
        self, images: tf.Tensor, coefficients: tf.Tensor, example_weights: tf.Tensor | None = None
    ) -> tf.Tensor:
        """The logits at a place on the curve.

        Args:
          images: [n, height, width, channels].
          coefficients: float32 [P].
          example_weights: float32 [n], 1 for an example and 0 for padding, which then stays out of
            batch statistics; None where there is no padding.

        Returns:
          [n, classes].
        """
        with self._position.at(coefficients, example_weights):
            return self._model(images, training=False)

    def control_points(self) -> dict[str, list[tf.Variable]]:
        """The P variables of every weight and moving statistic, by its name in the network."""
        return {
            f"{layer}/{attribute}": variables
            for layer, curve in self._curves.items()
            for attribute, variables in curve.control_points.items()
        }

    def assign(self, points: Sequence[Point]) -> None:
        """Sets the control points.

        Raises:
          InputError: a point does not fit the network.
        """
        variables = self.control_points()
        for i, point in enumerate(points):
            check_fit(point, {name: curve[i] for name, curve in variables.items()})
            values = {**point.weights, **point.statistics}
            for name, curve in variables.items():
                curve[i].assign(values[name])
