"""Programs for XLA: functions traced and lowered to HLO, which is cheap, but neither compiled nor run."""

import collections
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

# What has a device wait for the host; a custom call may do anything.
_OF_THE_HOST = {"infeed", "outfeed", "send", "send-done", "recv", "recv-done", "custom-call"}
# Such as "  ROOT %add.3 = bf16[2,8]{1,0} add(", or with a tuple "(f32[], s32[2]{0})" in place of "bf16[2,8]{1,0}".
_INSTRUCTION = re.compile(r"^ *(?:ROOT )?%\S+ = (?:([a-z0-9]+)\[\S*|\(.*?\)) ([a-z][a-z-]*)\(", re.MULTILINE)


def lowered(function: Callable[..., Any], *arguments: Any) -> str:
    """The HLO, as text, of a function of nested tensors or of their ``tf.TensorSpec``.

    Raises:
      ValueError: XLA knows no such operation.
    """

    def of_flat(*flat: tf.Tensor) -> Any:
        return function(*tf.nest.pack_sequence_as(arguments, flat))

    specs = [tf.TensorSpec(argument.shape, argument.dtype) for argument in tf.nest.flatten(arguments)]
    return tf.function(of_flat, jit_compile=True).experimental_get_compiler_ir(*specs)(stage="hlo")


def instructions_of(program: str) -> Mapping[str, Sequence[str]]:
    """What a program does, if a device can do it by itself and with static shapes.

    Returns:
      By kind of instruction, such as ``"convolution"``, the type of every result, such as ``"bf16"``.

    Raises:
      AssertionError: it needs the host, does not know its shapes, or computes in float64.
    """
    assert "<=" not in program, "a dimension that is known when the program runs"
    found = collections.defaultdict(list)
    for result, kind in _INSTRUCTION.findall(program):
        found[kind].append(result)
    assert "parameter" in found, "not a program"
    assert not _OF_THE_HOST & found.keys()
    assert all("f64" not in results for results in found.values()), "a TPU only emulates float64"
    return found


class LoweringStrategy(tf.distribute.OneDeviceStrategy):
    """One device that lowers what it is to run, whenever that is traced, and returns ones in place of its results.

    So the programs are those of the very functions that a strategy is given, and of the arguments that it is given
    with them.
    """

    def __init__(self):
        super().__init__("CPU:0")
        self._programs = []

    @tf.autograph.experimental.do_not_convert
    def run(self, fn, args=(), kwargs=None, options=None):
        run, results = super().run, []

        def in_replica(*arguments):
            results.append(run(fn, arguments, kwargs, options))
            return results[-1]

        self._programs.append(lowered(in_replica, *args))
        (structure,) = results
        return tf.nest.map_structure(lambda result: tf.ones(result.shape, result.dtype), structure)

    def program_of(self, call: Callable[[], Any]) -> str:
        """The HLO, as text, of the one function that a call has replicas run.

        Raises:
          ValueError: XLA knows no such operation.
          AssertionError: there is another number of functions, or one was traced several times.
        """
        self._programs.clear()
        call()
        assert len(self._programs) == 1, f"{len(self._programs)} traces"
        return self._programs[0]
