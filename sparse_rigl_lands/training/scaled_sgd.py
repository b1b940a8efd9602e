"""SGD in which every variable has its own multiple of the learning rate."""

from collections.abc import Sequence

import tensorflow as tf
import tf_keras


class ScaledSGD(tf_keras.optimizers.SGD):
    """``tf_keras.optimizers.SGD``, by its formula, for variables that share a gradient up to a scale of their own.

    No product of a scale and a gradient is ever held: the update is one operation, which changes the
    variable and its momentum in place.
    """

    def apply_scaled_gradients(
        self, scales: Sequence[tf.Tensor], gradients: Sequence[tf.Tensor], variables: Sequence[Sequence[tf.Variable]]
    ) -> None:
        """One step, to be taken in every replica, with gradients that are summed over replicas already.

        It is ``apply_gradients`` of scale * gradient, up to rounding: m <- momentum m - scale rate gradient, and
        the variable moves by m, or with Nesterov's momentum by momentum m - scale rate gradient.

        Args:
          scales: S, float32 [].
          gradients: G, of any shapes.
          variables: G lists of S: ``variables[g][s]`` moves by ``scales[s]`` times ``gradients[g]``. The optimizer
            was built with them.
        """
        self._compute_current_learning_rate()
        learning_rate, momentum = tf.cast(self.learning_rate, tf.float32), tf.constant(self.momentum, tf.float32)
        rates = [learning_rate * scale for scale in scales]
        for gradient, sharing in zip(gradients, variables, strict=True):
            for rate, variable in zip(rates, sharing, strict=True):
                tf.raw_ops.ResourceApplyKerasMomentum(
                    var=variable.handle,
                    accum=self.momentums[self._index_dict[self._var_key(variable)]].handle,
                    lr=rate,
                    grad=gradient,
                    momentum=momentum,
                    use_nesterov=self.nesterov,
                )
        self.iterations.assign_add(1)
