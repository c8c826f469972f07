"""Derivatives of activations by their formulas, one Python number at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference
from fastconv.core.kernel import Run
from fastconv.core.problems.activation import SELU_ALPHA, SELU_SCALE, ElementwiseProblem

FAR = 750  # further down exp(x) is 0


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))


def _gelu_slope(x: float, tanh: float = 0.0) -> float:
    if abs(x) > 50:
        return float(x > 0)
    if tanh:
        k, c = math.sqrt(2 / math.pi), 0.044715
        v = 2 * k * (x + c * x**3)  # (1 + tanh(v / 2)) / 2 is the logistic function of v, and does not cancel
        return _logistic(v) + 2 * x * _logistic(v) * _logistic(-v) * k * (1 + 3 * c * x * x)
    return 0.5 * math.erfc(-x / math.sqrt(2)) + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _silu(x: float) -> float:
    return float(x > 0) if abs(x) > FAR else _logistic(x) + x * _logistic(x) * _logistic(-x)


def _mish(x: float) -> float:
    if not -FAR < x < 300:
        return math.nan if math.isnan(x) else float(x > 0)
    t = math.tanh(math.log1p(math.exp(x)))
    return t + x * _logistic(x) * (1 - t * t)


def _within(inside: bool, slope: float = 1.0) -> float | None:
    return slope if inside else None


#: The slope of each function at x; None where the function is constant by its definition.
SLOPES: dict[str, Callable[..., float | None]] = {
    "relu": lambda x: _within(not x <= 0),
    "relu6": lambda x: _within(0 < x < 6),
    "leaky_relu": lambda x, slope: 1.0 if x > 0 else slope,
    "elu": lambda x, alpha: 1.0 if x > 0 else alpha * math.exp(x),
    "selu": lambda x: SELU_SCALE * (1.0 if x > 0 else SELU_ALPHA * math.exp(x)),
    "celu": lambda x, alpha: 1.0 if x > 0 else math.exp(x / alpha),
    "gelu": _gelu_slope,
    "silu": _silu,
    "mish": _mish,
    "sigmoid": lambda x: _logistic(x) * _logistic(-x),
    "logsigmoid": lambda x: _logistic(-x),
    "tanh": lambda x: 0.0 if abs(x) > 700 else (1 / math.cosh(x)) ** 2,
    "softplus": lambda x, beta, threshold: 1.0 if x * beta > threshold else _logistic(x * beta),
    "softsign": lambda x: (1 / (1 + abs(x))) ** 2,
    "hardtanh": lambda x, low, high: _within(low < x < high),
    "hardswish": lambda x: _within(not x <= -3, 1.0 if x >= 3 else x / 3 + 0.5),
    "hardsigmoid": lambda x: _within(-3 < x < 3, 1 / 6),
    "hardshrink": lambda x, lambd: _within(x < -lambd or x > lambd),
    "softshrink": lambda x, lambd: _within(x < -lambd or x > lambd),
    "tanhshrink": lambda x: math.tanh(x) ** 2,
    "threshold": lambda x, at, value: _within(not x <= at),
    "clamp": lambda x, low, high: _within(low <= x <= high),
    "clamp_min": lambda x, low, high: _within(x < low < high),
    "clamp_max": lambda x, low, high: _within(x > high or low > high),
    "prelu": lambda x, slope: 1.0 if x > 0 else slope,
    "prelu_weight": lambda x, slope: _within(not x > 0, x),
}


def product(coming: float, slope: float | None, dtype: np.dtype) -> float:
    """An incoming gradient times a slope.

    On constant pieces the result is 0, whatever the gradient is.  Elsewhere the slope is rounded to the dtype first:
    infinity times a slope that is too small for the dtype is NaN.
    """
    if slope is None:
        return 0.0
    return coming * (slope if math.isfinite(coming) else float(dtype.type(slope)))


@np.errstate(all="ignore")
def glu_gradient(rows: int, length: int, dy: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
    """`x` and `out`: rows of numbers and then as many gates."""
    given, to = x.reshape(rows, 2, length), out.reshape(rows, 2, length)
    coming = dy.reshape(rows, length)
    for row, i in np.ndindex(coming.shape):
        d, value, gate = (float(a) for a in (coming[row, i], *given[row, :, i]))
        slopes = _logistic(gate), value * _logistic(gate) * _logistic(-gate)
        to[row, :, i] = [product(d, slope, out.dtype) for slope in slopes]


class ReferenceElementwiseBackward(Reference):
    """A Python loop."""

    def prepare(self, problem: ElementwiseProblem, constants: tuple[Any, ...], threads: int) -> Run:
        if problem.function == "glu":
            return lambda dy, out: glu_gradient(problem.rows, problem.length, dy, constants[0], out)
        slope = SLOPES[problem.function]

        @np.errstate(all="ignore")
        def run(dy: np.ndarray, out: np.ndarray) -> None:
            for i, given in enumerate(zip(*(c.tolist() for c in constants), strict=True)):
                out[i] = product(float(dy[i]), slope(*given, *problem.params), problem.dtype)

        return run
