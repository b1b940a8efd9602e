"""What would be lost of values that are kept in bfloat16, which has 8 bits where float32 has 24."""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from sparse_rigl_lands.training.trainer import Trainer


def part_that_bfloat16_lacks(values: np.ndarray) -> float:
    """Of the values that are not zero: bfloat16 ones have zeros for their low 16 bits, float32 ones hardly ever."""
    assert values.dtype == np.float32
    return np.mean(values[values != 0].view("uint32") & 0xFFFF != 0)


def check_that_small_updates_add_up(
    trainer: Trainer, kernels: Mapping[str, Sequence[tf.Variable]], examples: tuple[np.ndarray, np.ndarray]
) -> None:
    """To bfloat16 the kernels stay what they were, and so do the gradients: eight steps go eight times as far as one.

    Args:
      trainer: its rate is so small that no step reaches half the distance of two bfloat16 values, without momentum
        and weight decay, which change with the steps.
      kernels: all that each is combined of; of these the middle one is trained.
      examples: of every batch.
    """
    before = {name: np.sign(variables[0]) / 4 for name, variables in kernels.items()}
    for name, variables in kernels.items():
        for variable in variables:
            variable.assign(before[name])
    dataset = tf.data.Dataset.from_tensors(examples).repeat()
    batches = iter(trainer.strategy.experimental_distribute_dataset(dataset))
    moved = []
    for count in (1, 7):
        trainer.take_steps(batches, count)
        now = {name: variables[len(variables) // 2].numpy() for name, variables in kernels.items()}
        moved.append({name: value - before[name] for name, value in now.items()})
    for name, once in moved[0].items():
        assert 0 < np.max(np.abs(once)) < 2.0**-11 / 8, name  # half the distance from 1/4 to the bfloat16 below it
        np.testing.assert_allclose(moved[1][name], 8 * once, rtol=0.02, atol=3e-7, err_msg=name)
