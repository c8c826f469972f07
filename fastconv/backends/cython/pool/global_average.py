"""Global average pooling, native: the mean of each channel, read once in order."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, summation_error
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.pool import PoolProblem

BLOCK = 256  # longest chain of additions, for every vector length; see simd/pool/global_average.inc
WIDTH = 64  # channels of one item of work
SHARED_ELEMENTS = 1 << 17  # fewer do not justify a second thread


class GlobalAverage(Kernel[PoolProblem]):
    """Averages of whole volumes, channels first."""

    backend = "cython"
    algorithm = "means"
    row = "cython.pool.means"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: PoolProblem) -> str | None:
        p = problem
        if p.kind != "avg" or p.kernel != p.input or p.output != (1, 1, 1) or any(map(any, p.pads)):
            return "not averages of whole volumes"
        if p.divisor is not None or p.layout != "NCHW":
            return "a divisor of its own, or channels last"
        return native.reject_common(self.isa, p.dtype)

    def features(self, problem: PoolProblem) -> Features:
        p = problem
        planes = p.n * p.c
        vectors = planes * ceil_div(p.taps, native.lanes(self.isa, p.dtype.itemsize))
        return Features({"call": 1, "plane": planes, "vector": vectors, **native.traffic(p.bytes)})

    def workspace(self, problem: PoolProblem) -> int:
        return 0

    def error(self, problem: PoolProblem) -> float:
        taps = problem.taps
        return summation_error(float(np.finfo(problem.out).eps), min(taps, BLOCK) + taps // BLOCK)

    def prepare(self, problem: PoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        _global_average = native.compiled("pool._global_average")
        p = problem
        table = native.table(self.isa, p.dtype)
        count = threads if p.n * p.c * p.taps > SHARED_ELEMENTS else 1
        return native.pooling(p, _global_average.Means(table, p, WIDTH), 0, count, native.seconds(self, p))


KERNELS = tuple(GlobalAverage(isa) for isa in machine.ISAS)
