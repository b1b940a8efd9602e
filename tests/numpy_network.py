"""The network for digits and its objective once more, in NumPy and float64: the reference that the package is held to.

It is written from the definitions, and has no line and no import in common with the package; only the names of the
weights are the same. Activations are [n, height, width, channels], kernels [height, width, in, out].

Sources: He et al. 2015 (arXiv 1512.03385) for the network, with the stride in the first 3x3 convolution of a block and
in the projection beside it; Ioffe and Szegedy 2015 (arXiv 1502.03167) for BatchNorm; Szegedy et al. 2015 (arXiv
1512.00567) for label smoothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import threadpoolctl

Arrays = Mapping[str, np.ndarray]
# From the name of a BatchNorm and its inputs to the mean and the variance that it normalizes by, [channels] each.
Statistics = Callable[[str, np.ndarray], tuple[np.ndarray, np.ndarray]]

_STRIDES = {"block1": 1, "block2": 2, "block3": 2}
# The network's 1e-5, which TensorFlow's fused BatchNorm raises to this. It shows where a variance is zero: by 0.05 % in
# the gradient of a channel whose weights are all masked.
_EPSILON = 1.001e-5
_THREADS = threadpoolctl.ThreadpoolController()


def masked(weights: Arrays, mask: Arrays) -> Arrays:
    """The weights in float64, with zeros where the mask of a kernel is false."""
    return {name: weight.astype("float64") * mask.get(name, 1) for name, weight in weights.items()}


def combination(coefficients: Sequence[float], parts: Sequence[Arrays]) -> Arrays:
    """sum_i c_i theta_i, in float64."""
    return {name: np.tensordot(coefficients, [part[name] for part in parts], 1) for name in parts[0]}


@_THREADS.wrap(limits=1)  # products are small, and more threads would wait for each other and for TensorFlow's
def logits(weights: Arrays, images: np.ndarray, statistics: Statistics) -> np.ndarray:
    """[n, 8, 8, 1] -> [n, classes], by weights whose masked entries are zero."""

    def linear(x: np.ndarray, conv: str, norm: str, stride: int = 1) -> np.ndarray:
        x = convolution(x, weights[f"{conv}/kernel"], stride)
        mean, variance = statistics(norm, x)
        return weights[f"{norm}/gamma"] * (x - mean) / np.sqrt(variance + _EPSILON) + weights[f"{norm}/beta"]

    x = _rectified(linear(images, "stem/conv", "stem/norm"))
    for block, stride in _STRIDES.items():
        y = _rectified(linear(x, f"{block}/conv1", f"{block}/norm1", stride))
        y = linear(y, f"{block}/conv2", f"{block}/norm2")
        if stride > 1:  # the shapes differ
            x = linear(x, f"{block}/projection/conv", f"{block}/projection/norm", stride)
        x = _rectified(x + y)
    return x.mean(axis=(1, 2)) @ weights["head/dense/kernel"] + weights["head/dense/bias"]


def convolution(x: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """y[p, q] = sum over i and j of x[s p + i - b, s q + j - b] kernel[i, j]; b = (size - 1) // 2, zeros outside.

    At stride 1 this is TensorFlow's SAME padding: size - 1 zeros, the smaller half of them before. At stride 2 it is
    not. SAME adds no more than the last window needs: for an even image and a kernel of 3 one zero, and that one after,
    so that the windows are centred on the odd pixels. Those of a residual network are centred on pixels 0, 2, 4, ...,
    whatever the size of the image.
    """
    before = (len(kernel) - 1) // 2
    margins = before, len(kernel) - 1 - before
    padded = np.pad(x, ((0, 0), margins, margins, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[:2], (1, 2))  # [n, height, width, in, i, j]
    return np.tensordot(windows[:, ::stride, ::stride], kernel, axes=([4, 5, 3], [0, 1, 2]))


def _rectified(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def of_the_batch(name: str, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The statistics of the batch itself, with the biased variance."""
    return inputs.mean(axis=(0, 1, 2)), inputs.var(axis=(0, 1, 2))


def stored(arrays: Arrays) -> Statistics:
    """Those that are kept under the names of moving statistics."""
    return lambda name, inputs: (arrays[f"{name}/moving_mean"], arrays[f"{name}/moving_variance"])


def recalibrated(weights: Arrays, batches: Iterable[np.ndarray]) -> Statistics:
    """Mean and variance of every BatchNorm's inputs over all images, while each batch goes by statistics of its own."""
    seen: dict[str, list[np.ndarray]] = {}

    def noted(name: str, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen.setdefault(name, []).append(inputs)
        return of_the_batch(name, inputs)

    for images in batches:
        logits(weights, images, noted)
    moments = {name: of_the_batch(name, np.concatenate(parts)) for name, parts in seen.items()}
    return lambda name, inputs: moments[name]


def values(labels: np.ndarray, logits: np.ndarray, smoothing: float) -> np.ndarray:
    """Cross-entropy, cross-entropy against smoothed labels, top-1 and top-5 accuracy of every example: [4, n]."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    classes = logits.shape[1]
    true = np.eye(classes)[labels]
    smoothed = (1 - smoothing) * true + smoothing / classes
    larger = (logits > np.take_along_axis(logits, labels[:, None], 1)).sum(axis=1)  # how many logits, than the label's
    return np.stack([-(true * log_p).sum(axis=1), -(smoothed * log_p).sum(axis=1), larger < 1, larger < 5])


def l2(weights: Arrays, decay: float) -> float:
    """Half the squared norm of all kernels, times the weight decay."""
    return decay / 2 * sum(np.sum(weight**2) for name, weight in weights.items() if name.endswith("kernel"))
