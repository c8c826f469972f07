"""Activations and their gradients, native: one pass over memory, split into blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.activation import SELU_ALPHA, SELU_SCALE, ElementwiseProblem

BLOCK = 1 << 14  # elements
SHARED_BLOCKS = 8  # fewer do not justify a second thread
EXACT_ULPS, SLOPE_ULPS = 0.5, 8.0  # of a function that is rounded once; of a slope of any other


@dataclass(frozen=True, slots=True)
class Function:
    """An entry of the enum in simd/table.h, its parameters where they are fixed, and its error."""

    number: int
    params: tuple[float, ...] | None = None
    ulps: float = 0.5


FUNCTIONS = {
    "relu": Function(0, ulps=0.0),
    "relu6": Function(1, (0.0, 6.0), ulps=0.0),
    "hardtanh": Function(1, ulps=0.0),
    "leaky_relu": Function(2),
    "hardswish": Function(3, ulps=2),
    "hardsigmoid": Function(4, ulps=1),
    "softsign": Function(5, ulps=1.5),
    "sigmoid": Function(6, ulps=3),
    "tanh": Function(7, ulps=4),
    "silu": Function(8, ulps=4),
    "elu": Function(9, ulps=3),
    "selu": Function(9, (SELU_ALPHA, SELU_SCALE), ulps=4),
    "celu": Function(10, ulps=4),
    "gelu": Function(11, ulps=4),
    "gelu_tanh": Function(12, ulps=4),
    "logsigmoid": Function(13, ulps=3),
    "softplus": Function(14, ulps=3),
    "mish": Function(15, ulps=4),
    "hardshrink": Function(16, ulps=0.0),
    "softshrink": Function(17),
    "tanhshrink": Function(18, ulps=4),
    "threshold": Function(19, ulps=0.0),
    "clamp": Function(20, ulps=0.0),
}


def name_of(p: ElementwiseProblem) -> str:
    """The function's key in `FUNCTIONS`."""
    return "gelu_tanh" if p.function == "gelu" and any(p.params) else p.function


def function_of(p: ElementwiseProblem) -> Function:
    return FUNCTIONS[name_of(p)]


class Elementwise(Kernel[ElementwiseProblem]):
    """One function of each element, or backward its gradient."""

    backend = "cython"
    algorithm = "vectors"
    row = "cython.elementwise"

    def __init__(self, isa: str, direction: str) -> None:
        self.isa, self.direction = isa, direction

    def reject(self, problem: ElementwiseProblem) -> str | None:
        if problem.function not in FUNCTIONS:
            return f"{problem.function} has no native kernel"
        if problem.function == "clamp" and not problem.params:
            return "bounds that are arrays"
        if problem.function == "celu" and not problem.params[0] > 0:
            return "alpha is not positive"
        return native.reject_common(self.isa, problem.dtype)

    def features(self, problem: ElementwiseProblem) -> Features:
        p = problem
        vectors = p.size / native.lanes(self.isa, p.dtype.itemsize)
        return Features({"call": 1}, {"bytes": p.bytes}, {name_of(p): vectors * p.dtype.itemsize / 4})

    def workspace(self, problem: ElementwiseProblem) -> int:
        return 0

    def error(self, problem: ElementwiseProblem) -> float:
        """Forward, relative to each result, not only to the largest one; for denormals in units of the smallest."""
        ulps = function_of(problem).ulps
        if self.direction == "backward" and ulps > EXACT_ULPS:
            ulps = SLOPE_ULPS
        return ulps * float(np.finfo(problem.dtype).eps)

    def prepare(self, problem: ElementwiseProblem, constants: tuple[Any, ...], count: int) -> Run:
        _elementwise = native.compiled("elementwise._activation")
        table = native.table(self.isa, problem.dtype.itemsize)
        blocks = ceil_div(problem.size, BLOCK)
        workers = min(count, blocks) if blocks >= SHARED_BLOCKS else 1
        seconds = native.seconds(self, problem)
        f = function_of(problem)
        first, second, *_ = (*(problem.params if f.params is None else f.params), 1.0, 1.0)
        backward = self.direction == "backward"
        prepared = _elementwise.Activation(table, problem.size, BLOCK, f.number, first, second, backward)
        whole = native.c_order(problem.size)
        native.schedule(prepared, 0, workers, seconds, whole, whole)
        return prepared.bind(*constants[:1] if backward else ())


KERNELS = tuple(Elementwise(isa, "forward") for isa in machine.ISAS)
BACKWARD = tuple(Elementwise(isa, "backward") for isa in machine.ISAS)
