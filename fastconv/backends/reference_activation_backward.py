"""Derivatives of activations as textbooks have them, one Python number at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv.backends.reference import Reference
from fastconv.backends.reference_activation import SELU_ALPHA, SELU_SCALE
from fastconv.core.kernel import Run
from fastconv.core.problems.activation import ElementwiseProblem


def _logistic(x: float) -> float:
    return 0.0 if x <= -700 else 1 / (1 + math.exp(-x))


def _gelu(x: float, tanh: float = 0.0) -> float:
    if abs(x) > 50:
        return float(x > 0)
    if tanh:
        k, c = math.sqrt(2 / math.pi), 0.044715
        t = math.tanh(k * (x + c * x**3))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * k * (1 + 3 * c * x * x)
    return 0.5 * math.erfc(-x / math.sqrt(2)) + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _silu(x: float) -> float:
    return float(x > 0) if abs(x) > 700 else _logistic(x) + x * _logistic(x) * _logistic(-x)


def _mish(x: float) -> float:
    if abs(x) > 300:
        return float(x > 0)
    t = math.tanh(math.log1p(math.exp(x)))
    return t + x * _logistic(x) * (1 - t * t)


def _clamped(x: float, low: float, high: float) -> float:
    return float(low <= x <= high)


SLOPES: dict[str, Callable[..., float]] = {
    "relu": lambda x: 0.0 if x <= 0 else 1.0,
    "relu6": lambda x: float(0 < x < 6),
    "leaky_relu": lambda x, slope: 1.0 if x > 0 else slope,
    "elu": lambda x, alpha: 1.0 if x > 0 else alpha * math.exp(x),
    "selu": lambda x: SELU_SCALE * (1.0 if x > 0 else SELU_ALPHA * math.exp(x)),
    "celu": lambda x, alpha: 1.0 if x > 0 else math.exp(x / alpha),
    "gelu": _gelu,
    "silu": _silu,
    "mish": _mish,
    "sigmoid": lambda x: _logistic(x) * _logistic(-x),
    "logsigmoid": lambda x: _logistic(-x),
    "tanh": lambda x: 0.0 if abs(x) >= 350 else 1 / math.cosh(x) ** 2,
    "softplus": lambda x, beta, threshold: 1.0 if x * beta > threshold else _logistic(x * beta),
    "softsign": lambda x: (1 / (1 + abs(x))) ** 2,
    "hardtanh": lambda x, low, high: float(low < x < high),
    "hardswish": lambda x: 0.0 if x <= -3 else 1.0 if x >= 3 else x / 3 + 0.5,
    "hardsigmoid": lambda x: float(-3 < x < 3) / 6,
    "hardshrink": lambda x, lambd: float(x < -lambd or x > lambd),
    "softshrink": lambda x, lambd: float(x < -lambd or x > lambd),
    "tanhshrink": lambda x: math.tanh(x) ** 2,
    "threshold": lambda x, at, value: 0.0 if x <= at else 1.0,
    "clamp": _clamped,
    "clamp_min": lambda x, low, high: float(x < low < high),
    "clamp_max": lambda x, low, high: float(x > high or low > high),
    "prelu": lambda x, slope: 1.0 if x > 0 else slope,
    "prelu_weight": lambda x, slope: 0.0 if x > 0 else x,
    "glu": lambda x, other, first: _logistic(other) if first else other * _logistic(x) * _logistic(-x),
}

#: What is one formula everywhere, with a slope that only rounds to zero: NaN passes through it.  Elsewhere pieces that
#: are flat have nothing of the incoming gradient.
SMOOTH = {
    "celu", "elu", "gelu", "glu", "logsigmoid", "mish", "selu", "sigmoid", "silu", "softplus", "softsign", "tanh",
    "tanhshrink",
}  # fmt: skip


class ElementwiseBackward(Reference):
    """A Python loop."""

    def prepare(self, problem: ElementwiseProblem, constants: tuple[Any, ...], threads: int) -> Run:
        slope, smooth = SLOPES[problem.function], problem.function in SMOOTH

        @np.errstate(all="ignore")
        def run(dy: np.ndarray, out: np.ndarray) -> None:
            for i, given in enumerate(zip(*(c.tolist() for c in constants), strict=True)):
                value, coming = slope(*given, *problem.params), float(dy[i])
                out[i] = coming * value if value or (smooth and math.isnan(coming)) else 0.0

        return run
