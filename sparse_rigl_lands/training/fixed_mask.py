"""Training under a mask that is fixed from the start: scratch and lottery, and where the mask comes from."""

from collections.abc import Callable

import gin
import tf_keras

from sparse_rigl_lands import checks, files
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.points import checkpoint as checkpoints
from sparse_rigl_lands.points import initializations
from sparse_rigl_lands.points.point import Origin, Point
from sparse_rigl_lands.sparsity import distributions, random_masks, variants
from sparse_rigl_lands.sparsity.distributions import Shapes
from sparse_rigl_lands.sparsity.mask import Mask
from sparse_rigl_lands.sparsity.masked import masked_variant
from sparse_rigl_lands.training.methods import Method
from sparse_rigl_lands.training.pruned_run import PrunedRun

# (kernel shapes by name, seed of the run, P-S where it is asked for) -> the mask
MaskSource = Callable[[Shapes, int, Callable[[], Point]], Mask]


@gin.configurable(module="sparse_rigl_lands")
def pruned_mask(shapes: Shapes, seed: int, pruned_solution: Callable[[], Point]) -> Mask:
    """The mask of the pruned solution, as the paper trains scratch and lottery."""
    return pruned_solution().mask


@gin.configurable(module="sparse_rigl_lands")
def shuffled_mask(shapes: Shapes, seed: int, pruned_solution: Callable[[], Point]) -> Mask:
    """The mask of the pruned solution, shuffled within every kernel: its sparsities, but not its places."""
    return random_masks.shuffled(pruned_solution().mask, seed, "shuffled mask")


@gin.configurable(module="sparse_rigl_lands", allowlist=["checkpoint"])
def checkpoint_mask(shapes: Shapes, seed: int, pruned_solution: Callable[[], Point], checkpoint: str) -> Mask:
    """The mask of any checkpoint of the network.

    Args:
      shapes, seed, pruned_solution: see ``MaskSource``.
      checkpoint: its prefix, or its run's directory for the latest in it.

    Raises:
      InputError: there is no such checkpoint.
    """
    checks.path("checkpoint_mask.checkpoint", checkpoint)
    return checkpoints.load(files.checkpoint_prefix(checkpoint)).point.mask


@gin.configurable(module="sparse_rigl_lands", allowlist=["distribution"])
def random_mask(
    shapes: Shapes,
    seed: int,
    pruned_solution: Callable[[], Point],
    distribution: distributions.Distribution = distributions.uniform,
) -> Mask:
    """A random mask of exact counts, for which no pruned run is needed.

    Args:
      shapes, seed, pruned_solution: see ``MaskSource``.
      distribution: from kernel shapes by name to the sparsity of each.

    Raises:
      InputError: the distribution is no function, or as it.
    """
    checks.function("random_mask.distribution", distribution, "@uniform")
    return random_masks.random(shapes, distribution(shapes), seed, "random mask")


class _FixedMask(Method):
    """What scratch and lottery share: a mask from somewhere, under which the masked variant is trained.

    Args:
      mask, pruned_run, allow_empty_kernels: see ``Scratch``.

    Raises:
      InputError: the mask is no function, the pruned run no ``PrunedRun``, or a flag neither True nor False.
    """

    def __init__(self, mask: MaskSource, pruned_run: PrunedRun | None, allow_empty_kernels: bool):
        of = type(self).__name__
        checks.function(f"{of}.mask", mask, "@pruned_mask")
        checks.kind(f"{of}.pruned_run", pruned_run, PrunedRun, "@PrunedRun()", others=(None,))
        checks.flag(f"{of}.allow_empty_kernels", allow_empty_kernels)
        self._mask_source = mask
        self._pruned_run = pruned_run or PrunedRun()
        self._allow_empty_kernels = allow_empty_kernels

    def settings(self) -> dict[str, object]:
        return {"mask": self._mask_source.__name__}

    def _mask(self, network: tf_keras.Model, origin: Origin, run: files.RunFiles) -> Mask:
        """The mask of a run.

        Args:
          network, origin, run: see ``Method.initialization``.

        Raises:
          InputError: the source has none, it does not fit the network, or it leaves a kernel empty that may not be.
        """
        shapes = variants.kernel_shapes(network)
        mask = self._mask_source(shapes, origin.seed, lambda: self._pruned_run.solution(run, origin))
        mask.check_fit(shapes)
        empty = mask.empty_kernels()
        if empty and not self._allow_empty_kernels:
            raise InputError(
                f"the mask leaves no weight in {', '.join(empty)}, so that nothing passes there; "
                f"{type(self).__name__}.allow_empty_kernels = True trains under it all the same"
            )
        return mask

    def variant(self, network: tf_keras.Model, initialization: Point) -> tf_keras.Model:
        return masked_variant(network, initialization.mask)


@gin.configurable(module="sparse_rigl_lands")
class Scratch(_FixedMask):
    """From an initialization of its own, under the pruned solution's mask: S-I to S-S.

    Args:
      mask: where the mask comes from: ``pruned_mask``, ``shuffled_mask``, ``checkpoint_mask`` or ``random_mask``.
      pruned_run: the run that is asked for its mask; None is ``PrunedRun()``.
      live_fan_in: whether the initial variance is that of the live fan-in, see
        ``initializations.scaled_to_live_fan_in``.
      allow_empty_kernels: whether a mask may leave a kernel without any weight.

    Raises:
      InputError: a setting is of another kind.
    """

    name = "scratch"

    def __init__(
        self,
        mask: MaskSource = pruned_mask,
        pruned_run: PrunedRun | None = None,
        live_fan_in: bool = False,
        allow_empty_kernels: bool = False,
    ):
        super().__init__(mask, pruned_run, allow_empty_kernels)
        checks.flag("Scratch.live_fan_in", live_fan_in)
        self._live_fan_in = live_fan_in

    def settings(self) -> dict[str, object]:
        return {**super().settings(), "live_fan_in": self._live_fan_in}

    def initialization(self, network: tf_keras.Model, origin: Origin, run: files.RunFiles) -> Point:
        return initializations.scratch(network, origin, self._mask(network, origin, run), self._live_fan_in)


@gin.configurable(module="sparse_rigl_lands")
class Lottery(_FixedMask):
    """From the pruned run's own earlier weights, under its solution's mask: L-I to L-S.

    With a rewind to step k, training goes on from global step k, under the learning rate and with
    the data of that step, to the last; the momentum starts at zero. Source: Frankle et al. 2019,
    Stabilizing the Lottery Ticket Hypothesis (arXiv 1903.01611).

    Args:
      rewind_step: the step of the pruned run whose weights are taken; 0 is its initialization.
      mask: where the mask comes from: ``pruned_mask``, ``shuffled_mask``, ``checkpoint_mask`` or ``random_mask``.
      pruned_run: the run that is asked for its weights and mask; None is ``PrunedRun()``.
      allow_empty_kernels: whether a mask may leave a kernel without any weight.

    Raises:
      InputError: a setting is of another kind.
    """

    name = "lottery"

    def __init__(
        self,
        rewind_step: int = 0,
        mask: MaskSource = pruned_mask,
        pruned_run: PrunedRun | None = None,
        allow_empty_kernels: bool = False,
    ):
        super().__init__(mask, pruned_run, allow_empty_kernels)
        checks.whole_number("Lottery.rewind_step", rewind_step, least=0)
        self._rewind_step = rewind_step

    def settings(self) -> dict[str, object]:
        return {**super().settings(), "rewind_step": self._rewind_step}

    def validate(self, steps: int) -> None:
        if self._rewind_step >= steps:
            raise InputError(
                f"Lottery.rewind_step is {self._rewind_step}; it must be a step before {steps}, where training ends"
            )

    def initialization(self, network: tf_keras.Model, origin: Origin, run: files.RunFiles) -> Point:
        mask = self._mask(network, origin, run)
        ticket = self._pruned_run.at_step(run, origin, self._rewind_step)
        return initializations.lottery(ticket, origin, mask)
