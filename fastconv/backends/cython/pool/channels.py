"""Pooling with channels last: lanes are channels, one position after the other; see simd/pool/channels.inc."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.cython.pool.separable import SHARED_FLOPS, Blocks
from fastconv.backends.cython.pool.small_window import LOOK_COMPARISONS, way
from fastconv.backends.cython.runtime import native, shared
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, summation_error
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.pool import PoolProblem

MAX_TAPS = shared.POOL_CHANNELS_TAPS
BLOCK_BYTES = 128 << 10  # of the image for one item of work: it is read twice


class Channels(Kernel[PoolProblem]):
    """Maxima without indices, and averages."""

    backend = "cython"
    algorithm = "channels"
    row = "cython.pool.channels"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: PoolProblem) -> str | None:
        p = problem
        if p.kind == "lp" or p.layout != "NHWC" or p.indices:
            return "maxima without positions and averages, channels last"
        if p.c == 0:
            return "no channels"
        if np.prod(Blocks.of(p).kernel) > MAX_TAPS:
            return f"windows of more than {MAX_TAPS} places"
        return native.reject_common(self.isa, p.dtype)

    def features(self, problem: PoolProblem) -> Features:
        p = problem
        taps = int(np.prod(Blocks.of(p).kernel))
        vectors = p.n * p.pixels * ceil_div(p.c, native.lanes(self.isa, p.dtype.itemsize))
        work = {"load": vectors * taps, "store": vectors, "window": p.n * p.pixels}
        return Features({"call": 1}, work, {"bytes": p.bytes})

    def workspace(self, problem: PoolProblem) -> int:
        return 0

    def error(self, problem: PoolProblem) -> float:
        if problem.kind == "max":
            return 0.0
        return summation_error(float(np.finfo(problem.out).eps), int(np.prod(Blocks.of(problem).kernel)))

    def prepare(self, problem: PoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        _pool_shifts = native.compiled("pool._small_window")
        p = problem
        blocks = Blocks.of(p)
        op, shares, scale = way(p)
        look = np.prod(blocks.kernel) > LOOK_COMPARISONS * np.prod(p.stride)
        row_bytes = p.input[2] * p.c * p.dtype.itemsize
        rows = min(p.output[1], max(1, BLOCK_BYTES // (row_bytes * p.stride[1] * blocks.kernel[0])))
        table = native.table(self.isa, p.dtype.itemsize)
        prepared = _pool_shifts.Pool(table, p, blocks.kernel, blocks.lo, op, shares, scale, bool(look), rows, p.c)
        threads = threads if p.flops > SHARED_FLOPS else 1
        return native.pooling(p, prepared, 0, threads, native.seconds(self, p))


KERNELS = tuple(Channels(isa) for isa in machine.ISAS)
