"""Pooling that keeps the size of small planes, channels first: a plane is one long row; see simd/pool/flat.inc.

Why it exists: the vectors of `small_window` end with each row.  With AVX-512 that takes 1.2 to 1.6 times as long, 1.4
in the mean for 3 x 3 windows and 1.3 for 5 x 5 (float32, planes of 7 x 7 to 56 x 56, one thread, interleaved).  With
AVX2 it takes as long for 3 x 3 windows, and 0.8 times as long for 5 x 5: there is no such kernel then.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.cython.pool.separable import MAX, SHARED_FLOPS, SUM, SeparableBlocks, axis_divisors
from fastconv.backends.cython.pool.small_window import MASKED
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, summation_error
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.pool import PoolProblem
from fastconv.machines import block_bytes

COLUMNS = (3, 5)
PLANE = "cython.pool.flat/plane"  # at most: it is read twice, and should stay in the L1 cache
BLOCK_BYTES = 16 << 10  # of the image for one item of work


class FlatPool(Kernel[PoolProblem]):
    """Maxima and averages over windows one apart, with padding that keeps the size."""

    backend = "cython"
    algorithm = "flat"
    row = "cython.pool.flat"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: PoolProblem) -> str | None:
        p = problem
        if p.kind == "lp" or p.layout != "NCHW" or p.indices:
            return "maxima without positions and averages, channels first"
        if p.stride != (1, 1, 1) or p.output != p.input or p.input[0] != 1:
            return "windows one apart on planes that keep their size"
        if p.input[1] * p.input[2] * p.dtype.itemsize > block_bytes(PLANE):
            return f"planes of more than {block_bytes(PLANE)} bytes"
        blocks = SeparableBlocks.of(p)
        if blocks.kernel[2] not in COLUMNS or blocks.lo[2] != blocks.kernel[2] // 2 or p.dilation[2] != 1:
            return "windows of 3 or 5 columns side by side, as many on either side"
        return native.reject_common(self.isa, p.dtype)

    def features(self, problem: PoolProblem) -> Features:
        p = problem
        _, kh, kw = SeparableBlocks.of(p).kernel
        planes = p.n * p.c
        vectors = planes * ceil_div(p.pixels, native.lanes(self.isa, p.dtype.itemsize))
        work = {"load": vectors * kh, "tap": vectors * kw, "divide": vectors * (p.kind == "avg"), "plane": planes}
        return Features({"call": 1}, work, {"bytes": p.bytes})

    def workspace(self, problem: PoolProblem) -> int:
        return 0

    def error(self, problem: PoolProblem) -> float:
        if problem.kind == "max":
            return 0.0
        _, kh, kw = SeparableBlocks.of(problem).kernel
        return summation_error(float(np.finfo(problem.out).eps), kh + kw)

    def prepare(self, problem: PoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        _flat = native.compiled("pool._flat")
        p = problem
        blocks = SeparableBlocks.of(p)
        op, shares = MAX, None
        if p.kind == "avg":
            depth, height, width = axis_divisors(p)
            rows, columns = (f.of(slice(0, o)) for f, o in zip((height, width), p.output[1:], strict=True))
            divisor = (depth.values[0] * rows[:, None] * columns).astype(p.dtype)
            op, shares = SUM, (divisor, 1 / divisor)
        planes = max(1, BLOCK_BYTES // (p.pixels * p.dtype.itemsize))
        table = native.table(self.isa, p.dtype)
        prepared = _flat.FlatPool(table, p, blocks.kernel, blocks.lo, op, shares, planes)
        threads = threads if p.flops > SHARED_FLOPS else 1
        return native.pooling(p, prepared, 0, threads, native.seconds(self, p))


KERNELS = tuple(FlatPool(isa) for isa in machine.ISAS if isa in MASKED)
