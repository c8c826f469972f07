"""Activations as their definitions read, one Python number at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference
from fastconv.core.kernel import Run
from fastconv.core.problems.activation import SELU_ALPHA, SELU_SCALE, ElementwiseProblem


def _exp(x: float) -> float:
    return math.inf if x >= 709 else math.exp(x)


def _expm1(x: float) -> float:
    return math.inf if x >= 709 else math.expm1(x)


def _sigmoid(x: Any) -> Any:
    # NumPy's functions of complex numbers accept infinities, Python's raise.
    return 1 / (1 + np.exp(-x)) if isinstance(x, complex) else 1 / (1 + _exp(-x))


def _softplus(x: float, beta: float = 1.0, threshold: float = 20.0) -> float:
    return x if x * beta > threshold else math.log1p(_exp(x * beta)) / beta


def _tanh(x: Any) -> Any:
    return np.tanh(x) if isinstance(x, complex) else math.tanh(x)


def _times(x: Any, factor: Any) -> Any:
    """Their product; 0 where the factor is, as at minus infinity."""
    return factor if factor == 0 and math.isinf(x.real) else x * factor


def _gelu(x: float, tanh: float) -> float:
    if tanh:
        return _times(0.5 * x, 1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    return _times(0.5 * x, math.erfc(-x / math.sqrt(2)))


def _softsign(x: Any) -> Any:
    if isinstance(x, float) and math.isinf(x):
        return math.copysign(1.0, x)
    return x / (1 + abs(x))


def _elu(x: float, alpha: float) -> float:
    return x if x > 0 else alpha * _expm1(x)


def _clip(x: float, low: float, high: float) -> float:
    return x if math.isnan(x) else min(max(x, low), high)


def _softshrink(x: float, lambd: float) -> float:
    return x - lambd if x > lambd else x + lambd if x < -lambd else x * 0


DEFINITIONS: dict[str, Callable[..., Any]] = {
    "relu": lambda x: 0.0 if x < 0 else x,
    "relu6": lambda x: _clip(x, 0, 6),
    "leaky_relu": lambda x, slope: x if x > 0 else x * slope,
    "elu": _elu,
    "selu": lambda x: SELU_SCALE * _elu(x, SELU_ALPHA),
    "celu": lambda x, alpha: x if x > 0 else alpha * _expm1(x / alpha),
    "gelu": _gelu,
    "silu": lambda x: _times(x, _sigmoid(x)),
    "mish": lambda x: _times(x, math.tanh(_softplus(x, 1.0, 700.0))),
    "sigmoid": _sigmoid,
    "logsigmoid": lambda x: x if x < -700 else -math.log1p(_exp(-x)),
    "tanh": _tanh,
    "softplus": _softplus,
    "softsign": _softsign,
    "hardtanh": _clip,
    "hardswish": lambda x: _times(x, _clip(x + 3, 0, 6) / 6),
    "hardsigmoid": lambda x: _clip(x + 3, 0, 6) / 6,
    "hardshrink": lambda x, lambd: 0.0 if -lambd <= x <= lambd else x,
    "softshrink": _softshrink,
    "tanhshrink": lambda x: x - _tanh(x),
    "threshold": lambda x, at, value: value if x <= at else x,
}


class ReferenceElementwise(Reference):
    """A Python loop."""

    def prepare(self, problem: ElementwiseProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        if p.function in ("clamp", "prelu", "glu"):
            arrays = constants or tuple(np.full(p.size, bound, p.dtype) for bound in p.params)
            return lambda x, out: several_arrays(p, x, arrays, out)
        f = DEFINITIONS[p.function]

        def run(x: np.ndarray, out: np.ndarray) -> None:
            exact = p.dtype.kind in "biu"  # as Python integers: float64 does not hold all 64-bit ones
            wide = x if exact else x.astype(np.complex128 if p.dtype.kind == "c" else np.float64)
            with np.errstate(all="ignore"):
                for i, value in enumerate(wide.tolist()):
                    out[i] = f(value, *p.params)

        return run


def several_arrays(p: ElementwiseProblem, x: np.ndarray, constants: tuple[Any, ...], out: np.ndarray) -> None:
    """The functions that read more than one value per result."""
    flat, halves = np.empty(out.size, out.dtype), x
    if p.function == "glu":
        halves = x.reshape(p.rows, 2, p.length).swapaxes(0, 1).reshape(2, p.size)
    with np.errstate(all="ignore"):
        for i in range(flat.size):
            if p.function == "clamp":
                value = x[i]
                for bound, pick in zip(constants, (np.maximum, np.minimum), strict=True):
                    value = value if bound is None else pick(value, bound[i])
                flat[i] = value
            elif p.function == "prelu":
                flat[i] = x[i] if x[i] > 0 else float(x[i]) * float(constants[0][i // p.inner % p.channels])
            else:
                flat[i] = float(halves[0, i]) * _sigmoid(float(halves[1, i]))
    out[...] = flat.reshape(out.shape)
