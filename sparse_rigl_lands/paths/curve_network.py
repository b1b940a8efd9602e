"""The curve variant of a network: called with images and a place on the curve."""

from collections.abc import Mapping, Sequence

import tensorflow as tf
import tf_keras

from sparse_rigl_lands.paths.folding import foldable
from sparse_rigl_lands.paths.layers import CurveBatchNormalization, CurveConv2D, CurveDense, NormalizationOnCurve
from sparse_rigl_lands.paths.weights_on_curve import Call, Statistics, WeightsOnCurve
from sparse_rigl_lands.points.point import Point, check_fit
from sparse_rigl_lands.sparsity import variants


class CurveNetwork:
    """A network whose weights are sum_i c_i theta_i, for coefficients c given at every call.

    Its memory is that of the P control points and, in a call, one set of combined weights.

    Args:
      network: a plain functional model.
      num_control_points: P.

    Raises:
      InputError: the network has a layer with weights that is not understood.
    """

    def __init__(self, network: tf_keras.Model, num_control_points: int):
        named = variants.named_variables(network)
        self.statistics = {name: tuple(variable.shape) for name, variable in named.statistics.items()}
        shapes = {name: tuple(variable.shape) for name, variable in named.weights.items()} | self.statistics
        self.weight_names = tuple(named.weights)
        self.num_control_points = num_control_points
        self._curve = WeightsOnCurve(shapes, num_control_points)
        norm_of = foldable(network)
        norms: dict[str, NormalizationOnCurve] = {}

        def norm_on_curve(name: str) -> NormalizationOnCurve:
            if name not in norms:
                norms[name] = NormalizationOnCurve(self._curve, network.get_layer(name))
            return norms[name]

        def put_on_curve(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer | None:
            config = layer.get_config()
            if isinstance(layer, tf_keras.layers.BatchNormalization):
                is_folded = layer.name in norm_of.values()
                same = {"name": layer.name, "dtype": config["dtype"]}
                return CurveBatchNormalization(norm_on_curve(layer.name), is_folded, **same)
            folded = norm_on_curve(norm_of[layer.name]) if layer.name in norm_of else None
            if isinstance(layer, tf_keras.layers.Conv2D):
                return CurveConv2D(self._curve, folded, **config)
            if isinstance(layer, tf_keras.layers.Dense):
                return CurveDense(self._curve, folded, **config)
            return None

        with self._curve.during(Call([0.0] * num_control_points, "stored")):
            self._model = variants.clone(network, put_on_curve)

    def __call__(
        self,
        images: tf.Tensor,
        coefficients: tf.Tensor,
        statistics: Statistics = "batch",
        example_weights: tf.Tensor | None = None,
        weights: Mapping[str, tf.Tensor] | None = None,
    ) -> tf.Tensor:
        """The logits at a place on the curve.

        Args:
          images: [n, height, width, channels].
          coefficients: float32 [P].
          statistics: what BatchNorm normalizes by, see ``Statistics``.
          example_weights: float32 [n], 1 for an example and 0 for padding, which then stays out of
            batch statistics; None where there is no padding.
          weights: those at the place, of ``weights``, for whoever wants the gradient with respect to
            them; None to combine each one where a layer needs it.

        Returns:
          [n, classes].
        """
        call = Call(self._scalars(coefficients), statistics, example_weights, weights=weights or {})
        with self._curve.during(call):
            return self._model(images, training=False)

    def batch_moments(
        self, images: tf.Tensor, coefficients: tf.Tensor, example_weights: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The mean and the (biased) variance by which every BatchNorm normalizes this batch.

        Returns:
          float32 [channels] each, under the names of the moving statistics.
        """
        moments: dict[str, tf.Tensor] = {}
        with self._curve.during(Call(self._scalars(coefficients), "batch", example_weights, moments)):
            self._model(images, training=False)
        return moments

    def weights(self, coefficients: tf.Tensor) -> dict[str, tf.Tensor]:
        """The weights at a place on the curve by name, float32; without the statistics.

        They are combined one after another, or the products of all control points would exist at once.
        """
        combined: dict[str, tf.Tensor] = {}
        before: list[tf.Tensor] = []
        with self._curve.during(Call(self._scalars(coefficients), "stored")):
            for name in self.weight_names:
                with tf.control_dependencies(before):
                    combined[name] = self._curve[name]
                before = [combined[name]]
        return combined

    def _scalars(self, coefficients: tf.Tensor) -> list[tf.Tensor]:
        return tf.unstack(coefficients, self.num_control_points)

    def control_points(self) -> Mapping[str, list[tf.Variable]]:
        """The P variables of every weight and moving statistic, by its name in the network."""
        return self._curve.control_points

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
