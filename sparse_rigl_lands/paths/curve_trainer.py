"""The training of a curve: of the control points between its ends."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from sparse_rigl_lands import seeds
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths import control_points
from sparse_rigl_lands.paths.curve_network import CurveNetwork
from sparse_rigl_lands.paths.curves import Curve
from sparse_rigl_lands.points.point import Origin, Point, check_fit
from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.training.objective import Objective
from sparse_rigl_lands.training.scaled_sgd import ScaledSGD
from sparse_rigl_lands.training.tensorboard import Observation
from sparse_rigl_lands.training.trainer import Trainer

# From a first step and a number of steps, counted from 0, to the t of each: float64 [count].
Draws = Callable[[int, int], np.ndarray]


def uniform_t(seed: int) -> Draws:
    """Independent t, uniform in (0, 1): a pure function of seed and step, and so the same on all replicas."""

    def t(step: int) -> float:
        return (seeds.key(seed, f"fitting/t/{step}") + 0.5) / 2**31

    return lambda first, count: np.array([t(step) for step in range(first, first + count)])


class CurveTrainer(Trainer):
    """Minimises E_t[L(w(t))] over the inner control points, t uniform in [0, 1], one t per global step.

    L is training's own objective at w(t): smoothed cross-entropy under batch statistics, and the L2
    term of w(t) itself, not of the control points (Garipov et al. 2018, arXiv 1802.10026; Evci et al.
    2019, equation 2). With dL/dtheta_i = c_i(t) dL/dw, one gradient is held and reduced over replicas,
    however many control points there are, and theta_i moves by it at c_i(t) times the learning rate.
    Memory is that of the control points, the momentum of the inner ones, one combined set of weights,
    and its gradient.

    What is trained is a point of the product space, see ``control_points.joined``.

    Args:
      network: its ends are assigned, and never change.
      curve: through its control points.
      mask: of every inner control point: masked weights get no gradient, and stay the zeros they are.
      draws: the t of every step, such as ``uniform_t``.
      objective, optimizer, batch_size, strategy: see ``Trainer``.

    Raises:
      InputError: the curve has no control point between its ends, or the mask is of another network.
    """

    def __init__(
        self,
        network: CurveNetwork,
        curve: Curve,
        mask: Mask,
        draws: Draws,
        objective: Objective,
        optimizer: ScaledSGD,
        batch_size: int,
        strategy: tf.distribute.Strategy,
    ):
        self._inner = range(1, curve.num_control_points - 1)
        if not self._inner:
            raise InputError(f"a {curve.title} has no control point between its ends: there is nothing to fit")
        self._network, self._curve, self._mask, self._draws = network, curve, mask, draws
        variables = network.control_points()
        mask.check_fit({name: tuple(variables[name][0].shape) for name in network.weight_names})
        self._trained = {
            control_points.name_of(i, name): variables[name][i] for name in network.weight_names for i in self._inner
        }
        self._statistics = {
            control_points.name_of(i, name): variables[name][i] for name in network.statistics for i in self._inner
        }
        with strategy.scope():
            self._live = {
                name: tf.Variable(live, trainable=False, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)
                for name, live in mask.arrays.items()
            }
        super().__init__(self._trained, objective, optimizer, batch_size, strategy)

    def observe(self, with_batch_norm: bool) -> Observation:
        """The mask is the manifold's; BatchNorm has no moving statistics while a curve is fitted."""
        variables = self._network.control_points()
        kernels = {n: tuple(variables[n][0].shape) for n in self._network.weight_names if n.endswith("/kernel")}
        looked_at = self._trained if with_batch_norm else {}
        return Observation(
            sparsity={"all": self._mask.sparsity_of_all(kernels)},
            masks=self._mask.arrays,
            batch_norm={name: each.numpy() for name, each in looked_at.items() if variants.is_of_batch_norm(name)},
        )

    def _of_steps(self, first: int, count: int) -> np.ndarray:
        return self._curve.coefficients(self._draws(first, count)).astype("float32")

    def _weights(self, of_step: tf.Tensor) -> Mapping[str, tf.Tensor]:
        return self._network.weights(of_step)

    def _logits(self, images: tf.Tensor, weights: Mapping[str, tf.Tensor], of_step: tf.Tensor) -> tf.Tensor:
        return self._network(images, of_step, "batch", weights=weights)

    def _apply(self, gradients: Mapping[str, tf.Tensor], of_step: tf.Tensor) -> None:
        within = [tf.where(self._live[n], g, 0.0) if n in self._live else g for n, g in gradients.items()]
        summed = tf.distribute.get_replica_context().all_reduce("SUM", within)
        coefficients = tf.unstack(of_step, self._curve.num_control_points)
        self._optimizer.apply_scaled_gradients(
            [coefficients[i] for i in self._inner],
            summed,
            [[self._trained[control_points.name_of(i, name)] for i in self._inner] for name in gradients],
        )

    def _point(self, origin: Origin) -> Point:
        return Point(
            weights={name: variable.numpy() for name, variable in self._trained.items()},
            mask=self._mask_of_all(),
            statistics={name: variable.numpy() for name, variable in self._statistics.items()},
            origin=origin,
        )

    def _assign(self, point: Point) -> None:
        variables = {**self._trained, **self._statistics}
        check_fit(point, variables)
        if point.mask != self._mask_of_all():
            raise InputError(f"{point.origin} has another mask than the curve is fitted under")
        values = {**point.weights, **point.statistics}
        for name, variable in variables.items():
            variable.assign(values[name])

    def _mask_of_all(self) -> Mask:
        return Mask(
            {control_points.name_of(i, name): live for name, live in self._mask.arrays.items() for i in self._inner}
        )
