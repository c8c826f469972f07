"""Adaptive pooling over windows of uneven sizes, native: first a window's rows, then its columns, in either layout."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.cython.pool.separable import AS_IS, DIVIDE, MAX, MAX_COUNTED, POINTER, SHARED_FLOPS, SUM
from fastconv.backends.cython.runtime import native, shared
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, summation_error
from fastconv.core.numbers import ceil_div, whole_lines
from fastconv.core.problems.adaptive import AdaptivePoolProblem, widest_window

ROW_BYTES = 256 << 10  # of a combined row, at most, unless one window is longer
INDEX_FACTOR = 2.5  # times slower with indices


class Adaptive(Kernel[AdaptivePoolProblem]):
    """Maxima, with indices if wanted, and averages."""

    backend = "cython"
    algorithm = "separable"
    row = "cython.pool.adaptive"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: AdaptivePoolProblem) -> str | None:
        if problem.indices and max(self._windows(problem)) > MAX_COUNTED:
            return f"positions within a window are counted in floats: at most {MAX_COUNTED} rows and columns"
        return native.reject_common(self.isa, problem.dtype)

    def features(self, problem: AdaptivePoolProblem) -> Features:
        p = problem
        lanes = native.lanes(self.isa, p.dtype.itemsize)
        channels, unit = (1, p.c) if p.layout == "NHWC" else (p.c, 1)
        rows = p.n * channels * p.output[0] * p.output[1]
        down, along = self._windows(p)
        vectors = rows * (down * ceil_div(p.input[2] * unit, lanes) + p.output[2] * along * (unit // lanes))
        slower = INDEX_FACTOR if p.indices else 1
        work = Features({"row": rows, "window": rows * p.output[2], "vector": vectors}) * slower
        return work + Features({"call": 1, "bytes": p.bytes})

    @staticmethod
    def _windows(p: AdaptivePoolProblem) -> tuple[int, int]:
        """Rows and columns of the largest window."""
        d, h, w = map(widest_window, p.input, p.output)
        return d * h, w

    def _table_bytes(self, p: AdaptivePoolProblem) -> int:
        return whole_lines(self._windows(p)[0] * POINTER)

    def workspace(self, problem: AdaptivePoolProblem) -> int:
        p = problem
        unit = p.c if p.layout == "NHWC" else 1
        return (self._table_bytes(p) + self._blocks(p)[1] * unit * p.dtype.itemsize) * (1 + p.indices)

    @staticmethod
    def _blocks(p: AdaptivePoolProblem) -> tuple[int, int]:
        """Windows along a row that are combined at a time, and the most columns that they read."""
        extent, output = p.input[2], max(p.output[2], 1)
        size = p.dtype.itemsize * (p.c if p.layout == "NHWC" else 1)
        windows = max(1, min(output, shared.POOL_ADAPTIVE_WINDOWS, ROW_BYTES * output // max(extent * size, 1)))
        return windows, min(extent, ceil_div(windows * extent, output) + 1)

    def error(self, problem: AdaptivePoolProblem) -> float:
        if problem.kind == "max":
            return 0.0
        return summation_error(float(np.finfo(problem.out).eps), sum(self._windows(problem)))

    def prepare(self, problem: AdaptivePoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        _pool_adaptive = native.compiled("pool._adaptive")
        p = problem
        op, finish = (MAX, AS_IS) if p.kind == "max" else (SUM, DIVIDE)
        table = native.table(self.isa, p.dtype.itemsize)
        prepared = _pool_adaptive.Pool(table, p, op, finish, self._windows(p)[1], self._table_bytes(p), self._blocks(p))
        threads = threads if p.flops > SHARED_FLOPS else 1
        return native.pooling(p, prepared, self.workspace(p), threads, native.seconds(self, p))


KERNELS = tuple(Adaptive(isa) for isa in machine.ISAS)
