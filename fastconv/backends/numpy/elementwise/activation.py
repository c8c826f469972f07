"""Activations on NumPy: block by block, so that temporaries stay in the L2 cache.

Formulas avoid overflow and cancellation for arguments of any size, have the functions' limits at infinity (where torch
has NaN for gelu, silu, mish, hardswish and softsign), and keep NaN.  Half floats are computed in float32 and rounded
once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastconv.backends.numpy.elementwise.erf import erfc
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, rounding
from fastconv.core.numbers import rectangles, slices
from fastconv.core.problems.activation import SELU_ALPHA, SELU_SCALE, ElementwiseProblem, Function
from fastconv.core.problems.base import is_half, work_dtype

BLOCK = 1 << 15  # elements
SCALAR = frozenset({"gelu", "softplus", "mish"})  # erfc and logaddexp are computed one element at a time
ARRAYS, GELU_ARRAYS = 6, 11  # temporaries of a block, in float64 or twice as many in float32, alive at the same time
FLAT = -1e3  # below, gelu, silu, mish and hardswish are 0: infinity times 0 would be NaN


def sigmoid(x: np.ndarray) -> np.ndarray:
    if x.dtype.kind == "c":
        return 1 / (1 + np.exp(-x))
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))  # a second exponential is faster than np.where


def softplus(x: np.ndarray, beta: float, threshold: float) -> np.ndarray:
    scaled = x * x.dtype.type(beta)
    return np.where(scaled > threshold, x, np.logaddexp(0, scaled) / x.dtype.type(beta))


def elu(x: np.ndarray, alpha: float) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def celu(x: np.ndarray, alpha: float) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha))


def gelu(x: np.ndarray, tanh: float = 0.0) -> np.ndarray:
    at = np.maximum(x, FLAT)
    if tanh:
        return 0.5 * at * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))
    return (0.5 * at * erfc(-x.astype(np.float64) * 0.7071067811865476)).astype(x.dtype)


def silu(x: np.ndarray) -> np.ndarray:
    return x * sigmoid(x) if x.dtype.kind == "c" else np.maximum(x, FLAT) * sigmoid(x)


def softsign(x: np.ndarray) -> np.ndarray:
    if x.dtype.kind == "c":
        return x / (1 + np.abs(x))
    largest = np.finfo(x.dtype).max
    at = np.clip(x, -largest, largest)
    return at / (1 + np.abs(at))


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
    "silu": silu,
    "mish": lambda x: np.maximum(x, FLAT) * np.tanh(np.logaddexp(0, x)),
    "sigmoid": sigmoid,
    "logsigmoid": logsigmoid,
    "tanh": np.tanh,
    "softplus": softplus,
    "softsign": softsign,
    "hardtanh": lambda x, low, high: np.clip(x, x.dtype.type(low), x.dtype.type(high)),
    "hardswish": lambda x: np.maximum(x, FLAT) * (np.clip(x + 3, 0, 6) / 6),
    "hardsigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hardshrink": hardshrink,
    "softshrink": softshrink,
    "tanhshrink": lambda x: x - np.tanh(x),
    "threshold": lambda x, at, value: np.where(x <= at, x.dtype.type(value), x),
}


def _work_dtype(dtype: np.dtype, out: np.dtype) -> np.dtype:
    """The dtype in which a function is computed."""
    if is_half(out):
        return np.dtype(np.float32)
    return out if dtype.kind in "iub" else dtype


@np.errstate(all="ignore")
def _apply(function: Function, params: tuple[float, ...], x: np.ndarray, out: np.ndarray) -> None:
    """`out` = function(`x`), both flat; they may be the same array."""
    f = FUNCTIONS[function]
    work = _work_dtype(x.dtype, out.dtype)
    for at in slices(x.size, BLOCK):
        out[at] = f(x[at].astype(work, copy=False), *params)


class NumpyElementwise(Kernel[ElementwiseProblem]):
    """One pass over memory, block by block."""

    backend = "numpy"
    algorithm = "blocks"
    row = "numpy.elementwise"

    def reject(self, problem: ElementwiseProblem) -> str | None:
        return None

    def features(self, problem: ElementwiseProblem) -> Features:
        p = problem
        return Features({"call": 1, "element": p.size, "scalar": p.size if p.function in SCALAR else 0})

    def workspace(self, problem: ElementwiseProblem) -> int:
        if problem.function == "clamp" and work_dtype(problem.out) == problem.out:  # computed in the result itself
            return 0
        return (GELU_ARRAYS if problem.function == "gelu" else ARRAYS) * min(problem.size, BLOCK) * 8

    def error(self, problem: ElementwiseProblem) -> float:
        if is_half(problem.out):
            return rounding(problem.out)
        return 0.0 if problem.out.kind in "iu" else 4 * float(np.finfo(problem.out).eps)

    def prepare(self, problem: ElementwiseProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        if p.function == "clamp":
            low, high = constants or np.array(p.params, p.dtype)
            return lambda x, out: clamp(x, low, high, out)
        if p.function == "prelu":
            (slopes,) = constants
            shape = (p.rows, p.channels * p.inner)
            return lambda x, out: prelu(x.reshape(shape), slopes, p.inner, out.reshape(shape))
        if p.function == "glu":
            return lambda x, out: glu(x.reshape(p.rows, 2, p.length), out.reshape(p.rows, p.length))
        return lambda x, out: _apply(p.function, p.params, x, out)


@np.errstate(all="ignore")
def clamp(x: np.ndarray, low: np.ndarray | None, high: np.ndarray | None, out: np.ndarray) -> None:
    """`low` and `high` are numbers, None, or arrays as long as `x`."""
    # NumPy compares float16 one by one, float32 with SIMD.
    work = work_dtype(out.dtype)
    for at in slices(x.size, BLOCK):
        part = x[at].astype(work, copy=False)
        target = out[at] if work == out.dtype else np.empty(part.shape, work)
        for bound, pick in ((low, np.maximum), (high, np.minimum)):
            if bound is not None:
                part = pick(part, (bound[at] if bound.ndim else bound).astype(work, copy=False), out=target)
        if part is not target or work != out.dtype:
            out[at] = part


@np.errstate(all="ignore")
def prelu(x: np.ndarray, slopes: np.ndarray, inner: int, out: np.ndarray) -> None:
    """Rows of channels, each of `inner` elements."""
    for at in row_blocks(*out.shape):
        part, columns = x[at], np.arange(at[1].start, min(at[1].stop, out.shape[1]))
        out[at] = np.where(part > 0, part, part * slopes[columns // inner])


@np.errstate(all="ignore")
def glu(x: np.ndarray, out: np.ndarray) -> None:
    """Halves x[:, 0] and x[:, 1]."""
    work = work_dtype(out.dtype)
    for at in row_blocks(*out.shape):
        given, gate = (x[at[0], half, at[1]].astype(work, copy=False) for half in (0, 1))
        out[at] = given * sigmoid(gate)


def row_blocks(rows: int, length: int) -> Iterator[tuple[slice, slice]]:
    """Blocks of `BLOCK` elements or fewer: some rows, or part of one."""
    return rectangles(rows, length, max(1, BLOCK // max(length, 1)), BLOCK)


KERNELS = (NumpyElementwise(),)
