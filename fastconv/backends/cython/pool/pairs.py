"""Maxima of adjacent 2 x 2 windows with indices, as in the lecture; the last windows may be partial.

Why it exists: with AVX-512, `small_window` takes 1.0 to 1.4 times as long, 1.13 in the mean and 1.3 for maps of 14 x 14
(float32 and float64, 14 x 14 to 112 x 112, one thread, interleaved).  With AVX2 it takes 1.03 times as long, without
both 0.96 times: there is no such kernel then.
"""

from __future__ import annotations

from typing import Any

from fastconv.backends.cython.pool.small_window import MASKED
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.problems.pool import PoolProblem

MAX_WIDTH = 1 << 30  # offsets within two rows are counted in 32 bits
SHARED_FLOPS = 1e5  # below this, threads cost more than they gain


class PairsPool(Kernel[PoolProblem]):
    """Both rows and both columns of a window are combined in registers; nothing is copied."""

    backend = "cython"
    algorithm = "pairs"
    row = "cython.pool.pairs"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: PoolProblem) -> str | None:
        p = problem
        if not p.indices:
            return "positions of maxima only"
        if p.kind != "max" or p.kernel != (1, 2, 2) or p.stride != p.kernel or p.dilation[1:] != (1, 1):
            return "not maxima of 2 x 2 windows side by side"
        if any(lo for lo, _ in p.pads) or p.layout != "NCHW" or p.input[2] > MAX_WIDTH:
            return "padding, or channels last"
        if any(2 * o > e + 1 for o, e in zip(p.output[1:], p.input[1:], strict=True)):
            return "windows of nothing but padding"
        return native.reject_common(self.isa, p.dtype)

    def features(self, problem: PoolProblem) -> Features:
        p = problem
        vectors = p.n * p.c * p.pixels / native.lanes(self.isa, p.dtype.itemsize)
        return Features({"call": 1}, {"vector": vectors}, {"bytes": p.bytes})

    def workspace(self, problem: PoolProblem) -> int:
        return 0

    def error(self, problem: PoolProblem) -> float:
        return 0.0

    def prepare(self, problem: PoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        _pairs = native.compiled("pool._pairs")
        p = problem
        table = native.table(self.isa, p.dtype)
        threads = threads if p.flops > SHARED_FLOPS else 1
        return native.pooling(p, _pairs.Pairs(table, p), 0, threads, native.seconds(self, p))


KERNELS = tuple(PairsPool(isa) for isa in machine.ISAS if isa in MASKED)
