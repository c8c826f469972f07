"""Pooling in registers where windows are 2 or more columns apart, channels first; see simd/pool/strided.inc.

Why it exists: `small_window` aligns columns by shifts, which serve windows 1 or 2 apart; `separable` splits rows by
phase, element by element, and `lanes` transposes whole planes.  Shuffles with indices in registers are what it takes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from fastconv.backends.cython.pool.separable import SHARED_FLOPS, SeparableBlocks, error_of
from fastconv.backends.cython.pool.small_window import BLOCK_BYTES, MASKED, MAX_ROWS, ahead_of, item_of, way
from fastconv.backends.cython.runtime import native, shared
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.base import work_dtype
from fastconv.core.problems.pool import PoolProblem

MAX_COLUMNS = 64  # of a window, and from one to the next
# Distances of windows, and how often they are halved before.
CHAINS = {(2, 0), (3, 0), (4, 0), (5, 0), (7, 0), (1, 1), (2, 1), (3, 1), (5, 1), (1, 2), (1, 3)}


class Extraction(NamedTuple):
    """How a block of windows, one in each lane, is made of columns, and what one such block takes."""

    halvings: int  # -1: a tree
    loads: int  # vectors
    shuffles: int  # and joins
    reach: int  # columns

    @classmethod
    def of(cls, stride: int, columns: int, lanes: int) -> Extraction:
        """The one of fewer instructions."""
        parts = ceil_div(columns, lanes)
        reach = (lanes - 1) * stride + parts * lanes
        tree = cls(-1, lanes * parts, lanes * parts + 3 * (lanes - 1), reach)
        halvings, sw, kw = 0, stride, columns
        while sw % 2 == kw % 2 == 0:
            halvings, sw, kw = halvings + 1, sw // 2, kw // 2
        if (sw, halvings) not in CHAINS:
            return tree
        groups = ceil_div(kw, sw)
        shuffles = groups * 3 * (stride - sw) + kw * sw
        chain = cls(halvings, groups * stride, shuffles, (groups - 1) * stride + stride * lanes)
        return min(chain, tree, key=lambda e: e.loads + e.shuffles)


class StridedWindow(Kernel[PoolProblem]):
    """Maxima without indices, and averages."""

    backend = "cython"
    algorithm = "strided"
    row = "cython.pool.strided"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def _extraction(self, p: PoolProblem) -> Extraction:
        lanes = native.lanes(self.isa, work_dtype(p.dtype).itemsize)
        return Extraction.of(p.stride[2], SeparableBlocks.of(p).kernel[2], lanes)

    def reject(self, problem: PoolProblem) -> str | None:
        p = problem
        if p.kind == "lp" or p.layout != "NCHW" or p.indices:
            return "maxima without positions and averages, channels first"
        kd, kh, kw = SeparableBlocks.of(p).kernel
        if not 2 <= p.stride[2] <= MAX_COLUMNS:
            return f"windows 2 to {MAX_COLUMNS} columns apart"
        if kw > 1 and p.dilation[2] > 1:
            return "columns of a window side by side"
        if kd * kh > MAX_ROWS or kw > MAX_COLUMNS:
            return f"windows of more than {MAX_ROWS} rows or {MAX_COLUMNS} columns"
        return native.reject_storage(self.isa, p.dtype)

    def features(self, problem: PoolProblem) -> Features:
        p = problem
        kd, kh, _ = SeparableBlocks.of(p).kernel
        one = self._extraction(p)
        rows = p.n * p.c * p.output[0] * p.output[1]
        blocks = rows * ceil_div(p.output[2], native.lanes(self.isa, work_dtype(p.dtype).itemsize))
        again = one.halvings < 0 and kd * kh > 1
        loads = p.stride[2] * kd * kh + one.loads if again else one.loads * kd * kh
        work = {
            "load": blocks * loads,
            "shuffle": blocks * one.shuffles,
            "row": rows,
        }
        return Features({"call": 1}, work, {"bytes": p.bytes})

    def workspace(self, problem: PoolProblem) -> int:
        p = problem
        itemsize = work_dtype(p.dtype).itemsize
        lanes, one = native.lanes(self.isa, itemsize), self._extraction(p)
        more = shared.POOL_STRIDED_BLOCKS - 1 if one.halvings < 0 else 0
        return (more * p.stride[2] * lanes + one.reach + lanes) * itemsize

    def error(self, problem: PoolProblem) -> float:
        kd, kh, kw = SeparableBlocks.of(problem).kernel
        return error_of(problem, kd * kh + kw)

    def prepare(self, problem: PoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        _small_window = native.compiled("pool._small_window")
        p = problem
        blocks = SeparableBlocks.of(p)
        op, shares, scale = way(p)
        rows, width = item_of(p, blocks.kernel[0], BLOCK_BYTES)
        prepared = _small_window.SmallWindow(
            native.table(self.isa, p.dtype), p, blocks.kernel, blocks.lo, op, shares, scale, False, rows, width,
            ahead_of(p), halvings=self._extraction(p).halvings,
        )  # fmt: skip
        threads = threads if p.flops > SHARED_FLOPS else 1
        return native.pooling(p, prepared, self.workspace(p), threads, native.seconds(self, p))


KERNELS = tuple(StridedWindow(isa) for isa in machine.ISAS if isa in MASKED)
