"""Gradients of activations on NumPy, block by block.

Formulas avoid overflow and cancellation for arguments of any size.  Where a function is constant by its definition, its
gradient is 0 even if the incoming one is infinite; infinity times a slope that only rounds to 0 is NaN.  At kinks, and
for NaN, results are torch's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv.backends.numpy.elementwise.activation import BLOCK, row_blocks, sigmoid
from fastconv.backends.numpy.elementwise.erf import erfc
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.numbers import slices
from fastconv.core.problems.activation import SELU_ALPHA, SELU_SCALE, ElementwiseProblem

ARRAYS, GELU_ARRAYS = 9, 12  # temporaries of a block alive at the same time; those of gelu are float64
FAR = 1e3  # beyond, slopes are those at infinity


def hardtanh_backward(dy: np.ndarray, x: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.where((x > x.dtype.type(low)) & (x < x.dtype.type(high)), dy, 0)


def elu_backward(dy: np.ndarray, x: np.ndarray, alpha: float) -> np.ndarray:
    return np.where(x > 0, dy, dy * (alpha * np.exp(np.minimum(x, 0))))


def gelu_backward(dy: np.ndarray, x: np.ndarray, tanh: float = 0.0) -> np.ndarray:
    if tanh:
        k, c = 0.7978845608028654, 0.044715
        at = np.clip(x, -50, 50)  # beyond, its slope is that at infinity
        twice = 2 * k * (at + c * at * at * at)  # (1 + tanh v) / 2 is the sigmoid of 2 v
        s = sigmoid(twice)
        return dy * (s + at * (s * sigmoid(-twice)) * (2 * k * (1 + 3 * c * at * at)))
    wide = x.astype(np.float64)
    density = np.exp(-0.5 * wide * wide) * 0.3989422804014327
    slope = 0.5 * erfc(-wide * 0.7071067811865476) + np.where(np.isinf(x), 0, wide * density)
    return dy * slope.astype(x.dtype)


def silu_backward(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    s = sigmoid(x)
    return dy * (s * (1 + np.clip(x, -FAR, FAR) * sigmoid(-x)))


def mish_backward(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    t = np.tanh(np.logaddexp(0, x))
    return dy * (t + np.clip(x, -FAR, FAR) * sigmoid(x) * (1 - t * t))


def softplus_backward(dy: np.ndarray, x: np.ndarray, beta: float, threshold: float) -> np.ndarray:
    scaled = x * x.dtype.type(beta)
    return np.where(scaled > threshold, dy, dy * sigmoid(scaled))


def shrink_backward(dy: np.ndarray, x: np.ndarray, lambd: float) -> np.ndarray:
    return np.where((x < -lambd) | (x > lambd), dy, 0)


@np.errstate(all="ignore")
def glu_backward(dy: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
    """Rows `dy`; halves x[:, 0] and x[:, 1], and their gradients."""
    for at in row_blocks(*dy.shape):
        coming, given, gate = dy[at], x[at[0], 0, at[1]], x[at[0], 1, at[1]]
        share = sigmoid(gate)
        out[at[0], 0, at[1]] = coming * share
        out[at[0], 1, at[1]] = coming * (given * (share * sigmoid(-gate)))


def relu_backward(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    """dy, its bits cleared where x <= 0: twice as fast as np.where."""
    keep = (x <= 0).view(np.int8) - np.int8(1)
    bits = np.dtype(f"i{dy.itemsize}")
    return (dy.view(bits) & keep).view(dy.dtype)


FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "relu": relu_backward,
    "relu6": lambda dy, x: hardtanh_backward(dy, x, 0, 6),
    "leaky_relu": lambda dy, x, slope: np.where(x > 0, dy, dy * slope),
    "elu": elu_backward,
    "selu": lambda dy, x: elu_backward(dy * SELU_SCALE, x, SELU_ALPHA),
    "celu": lambda dy, x, alpha: np.where(x > 0, dy, dy * np.exp(np.minimum(x, 0) / alpha)),
    "gelu": gelu_backward,
    "silu": silu_backward,
    "mish": mish_backward,
    "sigmoid": lambda dy, x: dy * (sigmoid(x) * sigmoid(-x)),
    "logsigmoid": lambda dy, x: dy * sigmoid(-x),
    "tanh": lambda dy, x: dy * (4 * sigmoid(2 * x) * sigmoid(-2 * x)),
    "softplus": softplus_backward,
    "softsign": lambda dy, x: dy / np.square(1 + np.abs(x)),
    "hardtanh": hardtanh_backward,
    "hardswish": lambda dy, x: np.where(x <= -3, 0, np.where(x >= 3, dy, dy * (x / 3 + 0.5))),
    "hardsigmoid": lambda dy, x: np.where((x > -3) & (x < 3), dy / 6, 0),
    "hardshrink": shrink_backward,
    "softshrink": shrink_backward,
    "tanhshrink": lambda dy, x: dy * np.square(np.tanh(x)),
    "threshold": lambda dy, x, at, value: np.where(x <= at, 0, dy),
    "clamp": lambda dy, x, low, high: np.where((x >= low) & (x <= high), dy, 0),
    "clamp_min": lambda dy, x, low, high: np.where((x < low) & (low < high), dy, 0),
    "clamp_max": lambda dy, x, low, high: np.where((x > high) | (low > high), dy, 0),
    "prelu": lambda dy, x, slopes: np.where(x > 0, dy, dy * slopes),
    "prelu_weight": lambda dy, x, slopes: np.where(x > 0, 0, dy * x),
}


class NumpyElementwiseBackward(Kernel[ElementwiseProblem]):
    """One pass over memory, block by block."""

    backend = "numpy"
    algorithm = "blocks"
    row = "numpy.elementwise_backward"

    def reject(self, problem: ElementwiseProblem) -> str | None:
        return None

    def features(self, problem: ElementwiseProblem) -> Features:
        return Features({"call": 1, "element": problem.size})

    def workspace(self, problem: ElementwiseProblem) -> int:
        each = GELU_ARRAYS * 8 if problem.function == "gelu" else ARRAYS * problem.dtype.itemsize
        return each * min(problem.size, BLOCK)

    def error(self, problem: ElementwiseProblem) -> float:
        return 8 * float(np.finfo(problem.out).eps)

    def prepare(self, problem: ElementwiseProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        if p.function == "glu":
            x = constants[0].reshape(p.rows, 2, p.length)
            return lambda dy, out: glu_backward(dy.reshape(p.rows, p.length), x, out.reshape(x.shape))
        f = FUNCTIONS[p.function]

        @np.errstate(all="ignore")
        def run(dy: np.ndarray, out: np.ndarray) -> None:
            for part in slices(p.size, BLOCK):
                out[part] = f(dy[part], *(c[part] for c in constants), *p.params)

        return run


KERNELS = (NumpyElementwiseBackward(),)
