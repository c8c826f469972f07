"""Activations on NumPy: block by block, so that temporaries stay in the L2 cache.

Formulas avoid overflow and cancellation for arguments of any size, and keep NaN.  Half floats are computed
in float32 and rounded once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv.core.kernel import Kernel, Run
from fastconv.core.machine import Machine
from fastconv.core.problems.activation import DEFAULTS, ElementwiseProblem
from fastconv.core.problems.base import is_half

BLOCK = 1 << 15  # elements
SECONDS_PER_ELEMENT = 4e-9
CALL_SECONDS = 2e-5

# selu: Klambauer et al., "Self-Normalizing Neural Networks" (2017)
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def sigmoid(x: np.ndarray) -> np.ndarray:
    if x.dtype.kind == "c":
        return 1 / (1 + np.exp(-x))
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def softplus(x: np.ndarray, beta: float, threshold: float) -> np.ndarray:
    scaled = x * x.dtype.type(beta)
    return np.where(scaled > threshold, x, np.logaddexp(0, scaled) / x.dtype.type(beta))


def elu(x: np.ndarray, alpha: float) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def celu(x: np.ndarray, alpha: float) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha))


def gelu(x: np.ndarray, tanh: float = 0.0) -> np.ndarray:
    if tanh:
        return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))
    return (0.5 * x * erfc(-x.astype(np.float64) * 0.7071067811865476)).astype(x.dtype)


def _ratio(x: np.ndarray, numerator: tuple[float, ...], denominator: tuple[float, ...]) -> np.ndarray:
    return np.polyval(numerator, x) / np.polyval(denominator, x)


def erfc(x: np.ndarray) -> np.ndarray:
    """Complementary error function in float64, to about 1e-15.

    The rational approximations of W. J. Cody, "Rational Chebyshev approximations for the error function",
    Mathematics of Computation 23 (1969).
    """
    y = np.abs(x)
    small = np.minimum(y, 0.5) ** 2
    near = 1 - x * _ratio(
        small,
        (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
         3.20937758913846947e3),
        (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
    )  # fmt: skip
    middle = np.clip(y, 0.46875, 4.0)
    tail = np.exp(-middle * middle) * _ratio(
        middle,
        (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
         2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
         1.23033935479799725e3),
        (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
         3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
    )  # fmt: skip
    far = np.clip(y, 4.0, 30.0)
    inverse = 1 / (far * far)
    series = inverse * _ratio(
        inverse,
        (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
         1.60837851487422766e-2, 6.58749161529837803e-4),
        (1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
         2.33520497626869185e-3),
    )  # fmt: skip
    remote = np.exp(-far * far) / far * (0.56418958354775628695 - series)
    outer = np.where(y <= 4, tail, remote)
    outer = np.where(x < 0, 2 - outer, outer)
    return np.where(y <= 0.46875, near, np.where(np.isnan(x), x, outer))


def softshrink(x: np.ndarray, lambd: float) -> np.ndarray:
    return np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, x * 0))


def hardshrink(x: np.ndarray, lambd: float) -> np.ndarray:
    return np.where((x >= -lambd) & (x <= lambd), 0, x)


def logsigmoid(x: np.ndarray) -> np.ndarray:
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x, slope: np.where(x > 0, x, x * slope),
    "elu": elu,
    "selu": lambda x: SELU_SCALE * elu(x, SELU_ALPHA),
    "celu": celu,
    "gelu": gelu,
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
    "sigmoid": sigmoid,
    "logsigmoid": logsigmoid,
    "tanh": np.tanh,
    "softplus": softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "hardtanh": lambda x, low, high: np.clip(x, x.dtype.type(low), x.dtype.type(high)),
    "hardswish": lambda x: x * (np.clip(x + 3, 0, 6) / 6),
    "hardsigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hardshrink": hardshrink,
    "softshrink": softshrink,
    "tanhshrink": lambda x: x - np.tanh(x),
    "threshold": lambda x, at, value: np.where(x <= at, x.dtype.type(value), x),
}


def _work_dtype(dtype: np.dtype, out: np.dtype) -> np.dtype:
    """In what precision a function is computed."""
    if is_half(out):
        return np.dtype(np.float32)
    return out if dtype.kind in "iub" else dtype


def _apply(function: str, params: tuple[float, ...], x: np.ndarray, out: np.ndarray) -> None:
    """`out` = function(`x`), both flat; they may be the same array."""
    f = FUNCTIONS[function]
    work = _work_dtype(x.dtype, out.dtype)
    with np.errstate(all="ignore"):  # infinities and NaN pass through; no function here warns
        for i in range(0, x.size, BLOCK):
            part = x[i : i + BLOCK].astype(work, copy=False)
            out[i : i + BLOCK] = f(part, *params)


def apply_in_place(name: str, y: np.ndarray) -> None:
    """Apply the activation `name`, with its default parameters, to an array of any layout."""
    order = np.argsort([-abs(s) for s in y.strides], kind="stable")
    dense = y.transpose(order)
    params = DEFAULTS.get(name, ())
    if dense.flags.c_contiguous:
        flat = dense.reshape(-1)
        _apply(name, params, flat, flat)
        return
    for row in y.reshape(1) if y.ndim == 0 else y:
        if row.ndim:
            apply_in_place(name, row)
        else:
            _apply(name, params, y, y)
            return


class Elementwise(Kernel[ElementwiseProblem]):
    """One pass over memory, block by block."""

    backend = "numpy"
    algorithm = "blocks"

    def reject(self, problem: ElementwiseProblem) -> str | None:
        return None

    def cost(self, problem: ElementwiseProblem, machine: Machine) -> float:
        return CALL_SECONDS + problem.size * SECONDS_PER_ELEMENT

    def workspace(self, problem: ElementwiseProblem) -> int:
        return 6 * min(problem.size, BLOCK) * 8

    def error(self, problem: ElementwiseProblem) -> float:
        if is_half(problem.out):
            return 2.0**-8 if problem.out.kind != "f" else 2.0**-11
        return 0.0 if problem.out.kind in "iu" else 4 * float(np.finfo(problem.out).eps)

    def prepare(self, problem: ElementwiseProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        return lambda x, out: _apply(p.function, p.params, x, out)


KERNELS = (Elementwise(),)
