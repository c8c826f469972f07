"""Global pooling, native: the mean or the maximum of each channel, read once in order."""

from __future__ import annotations

from typing import Any

from fastconv.backends.cython.pool.separable import MAX, SUM, error_of
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.base import work_dtype
from fastconv.core.problems.pool import PoolProblem

BLOCK = 256  # longest chain of additions, for every vector length; see simd/pool/global_pool.inc
WIDTH = 64  # channels of one item of work
SHARED_ELEMENTS = 1 << 17  # fewer do not justify a second thread


class GlobalPool(Kernel[PoolProblem]):
    """Averages and maxima of whole volumes, channels first; with positions, in either layout."""

    backend = "cython"
    algorithm = "global"
    row = "cython.pool.global"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: PoolProblem) -> str | None:
        p = problem
        if p.kind == "lp" or p.kernel != p.input or p.output != (1, 1, 1) or any(map(any, p.pads)):
            return "not averages or maxima of whole volumes"
        if p.dilation != (1, 1, 1) or p.divisor is not None or (p.layout != "NCHW" and not p.indices):
            return "dilation, a divisor of its own, or channels last without positions"
        if p.indices:
            return native.reject_common(self.isa, p.dtype)
        return native.reject_storage(self.isa, p.dtype)

    def features(self, problem: PoolProblem) -> Features:
        p = problem
        planes = p.n * p.c
        vectors = planes * ceil_div(p.taps, native.lanes(self.isa, work_dtype(p.dtype).itemsize))
        if p.indices:  # compared by code without vectors where channels are last
            vectors = planes * p.taps if p.layout == "NHWC" else 2 * vectors
        return Features({"call": 1, "plane": planes, "vector": vectors, **native.traffic(p.bytes)})

    def workspace(self, problem: PoolProblem) -> int:
        return 0

    def error(self, problem: PoolProblem) -> float:
        p = problem
        return error_of(p, min(p.taps, BLOCK) + p.taps // BLOCK)

    def prepare(self, problem: PoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        _global_pool = native.compiled("pool._global_pool")
        p = problem
        table, op = native.table(self.isa, p.dtype), MAX if p.kind == "max" else SUM
        count = threads if p.n * p.c * p.taps > SHARED_ELEMENTS else 1
        return native.pooling(p, _global_pool.GlobalPool(table, p, op, WIDTH), 0, count, native.seconds(self, p))


KERNELS = tuple(GlobalPool(isa) for isa in machine.ISAS)
