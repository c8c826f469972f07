"""Gated linear units and their gradients, native: both halves are read in place."""

from __future__ import annotations

from fastconv.backends.cython.elementwise.activation import (
    BLOCK,
    FUNCTIONS,
    SHARED_BLOCKS,
    SLOPE_ULPS,
    WithOperand,
    stored_error,
)
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Specialised
from fastconv.core.problems.activation import ElementwiseProblem
from fastconv.core.problems.base import work_dtype


class Gated(Specialised[ElementwiseProblem]):
    """x times the sigmoid of its gate; backward one exponential serves both gradients."""

    backend = "cython"
    algorithm = "gated"
    row = "cython.gated"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: ElementwiseProblem) -> str | None:
        if problem.function != "glu":
            return f"{problem.function} has no gates"
        reject = native.reject_storage if problem.direction == "forward" else native.reject_common
        return reject(self.isa, problem.dtype)

    def features(self, problem: ElementwiseProblem) -> Features:
        p = problem
        size = work_dtype(p.dtype).itemsize
        vectors = p.size / native.lanes(self.isa, size)
        return Features({"call": 1}, {"bytes": 2 * p.bytes}, {"vector": vectors * size / 4, "row": p.rows})

    def workspace(self, problem: ElementwiseProblem) -> int:
        return 0

    def error(self, problem: ElementwiseProblem) -> float:
        ulps = FUNCTIONS["silu"].ulps if problem.direction == "forward" else SLOPE_ULPS
        return stored_error(ulps, problem.dtype)

    def specialise(self, problem: ElementwiseProblem, threads: int) -> Bind:
        _activation = native.compiled("elementwise._activation")
        p, backward = problem, problem.direction == "backward"
        table = native.table(self.isa, p.dtype)
        prepared = _activation.Gated(table, p.rows, p.length, BLOCK, backward)
        one, both = native.c_order(p.size), native.c_order(2 * p.size)
        workers = threads if p.size >= SHARED_BLOCKS * BLOCK else 1
        native.schedule(prepared, 0, workers, native.seconds(self, p), *((one, both) if backward else (both, one)))
        return WithOperand(prepared, 2 * p.size) if backward else lambda constants: prepared.bind()


KERNELS = tuple(map(Gated, machine.ISAS))
