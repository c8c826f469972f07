"""Activations and their gradients, native: one pass over memory, split into blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.backends.cython.runtime import native, shared
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Run, Specialised, epsilon, rounding
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.activation import SELU_ALPHA, SELU_SCALE, ElementwiseProblem
from fastconv.core.problems.base import is_half, work_dtype

BLOCK = 1 << 14  # elements
SHARED_BLOCKS = 8  # fewer do not justify a second thread
EXACT_ULPS, SLOPE_ULPS = 0.5, 8.0  # of a function that is rounded once; of a slope of any other


@dataclass(frozen=True, slots=True)
class Function:
    """One of ACT_FUNCTIONS, its parameters where they are fixed, and its error."""

    name: str
    params: tuple[float, ...] | None = None
    ulps: float = 0.5


FUNCTIONS = {
    "relu": Function("relu", ulps=0.0),
    "relu6": Function("clip", (0.0, 6.0), ulps=0.0),
    "hardtanh": Function("clip", ulps=0.0),
    "leaky_relu": Function("leaky_relu"),
    "hardswish": Function("hardswish", ulps=2),
    "hardsigmoid": Function("hardsigmoid", ulps=1),
    "softsign": Function("softsign", ulps=1.5),
    "sigmoid": Function("sigmoid", ulps=3),
    "tanh": Function("tanh", ulps=4),
    "silu": Function("silu", ulps=4),
    "elu": Function("elu", ulps=3),
    "selu": Function("elu", (SELU_ALPHA, SELU_SCALE), ulps=4),
    "celu": Function("celu", ulps=4),
    "gelu": Function("gelu", ulps=4),
    "gelu_tanh": Function("gelu_tanh", ulps=4),
    "logsigmoid": Function("logsigmoid", ulps=3),
    "softplus": Function("softplus", ulps=3),
    "mish": Function("mish", ulps=4),
    "hardshrink": Function("hardshrink", ulps=0.0),
    "softshrink": Function("softshrink"),
    "tanhshrink": Function("tanhshrink", ulps=4),
    "threshold": Function("threshold", ulps=0.0),
    "clamp": Function("clamp", ulps=0.0),
}
LIMITS = ("relu", "relu6", "hardtanh", "clamp")  # of integers, too


def name_of(p: ElementwiseProblem) -> str:
    """The function's key in `FUNCTIONS`; slopes are those of leaky_relu."""
    if p.function == "prelu":
        return "leaky_relu"
    return "gelu_tanh" if p.function == "gelu" and any(p.params) else p.function


def stored_error(ulps: float, dtype: np.dtype) -> float:
    """Error of results of `ulps` units in the last place, which 16-bit floats round once more."""
    return ulps * epsilon(work_dtype(dtype)) + (rounding(dtype) if is_half(dtype) else 0.0)


def function_of(p: ElementwiseProblem) -> Function:
    return FUNCTIONS[name_of(p)]


def limits(p: ElementwiseProblem) -> tuple[int, int]:
    """The least and the largest result of a function of integers, as signed integers of the same bits."""
    info = np.iinfo(p.dtype)
    fixed = {"relu": (0, int(info.max)), "relu6": (0, 6)}
    low, high = fixed.get(p.function, p.params)
    return _signed(int(low)), _signed(int(high))


def _signed(value: int) -> int:
    return value - (value >> 63 << 64) if value >= 0 else value


class WithOperand:
    """Runs with one more array that each call gives: x of a gradient, or slopes.

    ``plain(x, out, operand)`` binds and runs in one call: see `Prepared.plain`.
    """

    __slots__ = ("_prepared", "plain")

    def __init__(self, prepared: Any, elements: int) -> None:
        """`elements`: of that array."""
        prepared.expect(elements, 0, 0, ())
        self._prepared, self.plain = prepared, prepared.plain

    def __call__(self, constants: tuple[Any, ...]) -> Run:
        return self._prepared.bind(constants[0])


class Elementwise(Specialised[ElementwiseProblem]):
    """One function of each element, or backward its gradient."""

    backend = "cython"
    algorithm = "vectors"
    row = "cython.elementwise"

    def __init__(self, isa: str, direction: str) -> None:
        self.isa, self.direction = isa, direction

    def reject(self, problem: ElementwiseProblem) -> str | None:
        if problem.function not in FUNCTIONS and (problem.function != "prelu" or self.direction == "backward"):
            return f"{problem.function} has no native kernel"
        if problem.function == "clamp" and not problem.params:
            return "bounds that are arrays"
        if problem.function == "celu" and not problem.params[0] > 0:
            return "alpha is not positive"
        if self.direction == "forward" and problem.function in LIMITS and problem.dtype.kind in "iu":
            return native.unavailable(self.isa)
        reject = native.reject_storage if self.direction == "forward" else native.reject_common
        return reject(self.isa, problem.dtype)

    def features(self, problem: ElementwiseProblem) -> Features:
        p = problem
        size = work_dtype(p.dtype).itemsize
        vectors = p.size / native.lanes(self.isa, size)
        return Features({"call": 1}, {"bytes": p.bytes}, {name_of(p): vectors * size / 4})

    def workspace(self, problem: ElementwiseProblem) -> int:
        return 0

    def error(self, problem: ElementwiseProblem) -> float:
        """Forward, relative to each result, not only to the largest one; for denormals in units of the smallest."""
        ulps = function_of(problem).ulps
        if self.direction == "backward" and ulps > EXACT_ULPS:
            ulps = SLOPE_ULPS
        return stored_error(ulps, problem.dtype)

    def specialise(self, problem: ElementwiseProblem, count: int) -> Bind:
        blocks = ceil_div(problem.size, BLOCK)
        workers = min(count, blocks) if blocks >= SHARED_BLOCKS else 1
        prepared = self._prepared(problem)
        whole = native.c_order(problem.size)
        native.schedule(prepared, 0, workers, native.seconds(self, problem), whole, whole)
        if self.direction == "backward":
            return WithOperand(prepared, problem.size)
        if problem.function == "prelu":
            return WithOperand(prepared, problem.channels)
        return lambda constants: prepared.bind()

    def _prepared(self, p: ElementwiseProblem) -> Any:
        _activation = native.compiled("elementwise._activation")
        if p.dtype.kind in "iu":
            low, high = limits(p)
            table, kind = native.table(self.isa, np.dtype(np.float32)), shared.LIMIT_TYPES.index(p.dtype.name)
            return _activation.Limited(table, p.size, BLOCK, kind, p.dtype.itemsize, low, high)
        table = native.table(self.isa, p.dtype)
        if p.function == "prelu":
            return _activation.Sloped(table, p.size, BLOCK, p.channels, p.inner)
        f = function_of(p)
        number = shared.ACT_FUNCTIONS.index(f.name)
        first, second, *_ = (*(p.params if f.params is None else f.params), 1.0, 1.0)
        return _activation.Activation(table, p.size, BLOCK, number, first, second, self.direction == "backward")


KERNELS = tuple(Elementwise(isa, "forward") for isa in machine.ISAS)
BACKWARD = tuple(Elementwise(isa, "backward") for isa in machine.ISAS)
