"""Pooling of small windows, in either layout, without scratch.

Channels first: the rows of a window are combined in registers, columns by shifts, or by shuffles of two short rows; see
simd/pool/small_window.inc.
Channels last: lanes are channels, one position of a window after the other; see simd/pool/channels.inc.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fastconv.backends.cython.pool.separable import (
    MAX,
    SHARED_FLOPS,
    SUM,
    SeparableBlocks,
    axis_divisors,
    counted_axes,
    error_of,
)
from fastconv.backends.cython.runtime import native, shared
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.numbers import ceil_div, span
from fastconv.core.problems.base import work_dtype
from fastconv.core.problems.pool import AxisCounts, PoolProblem, whole_windows
from fastconv.machines import block_bytes

MAX_ROWS, MAX_COLUMNS = shared.POOL_SHIFTS_ROWS, shared.POOL_SHIFTS_COLUMNS
MAX_POSITION = 1 << 31
BLOCK_BYTES = 64 << 10  # of the image for one item of work
FETCHED = "cython.pool.shifts/fetched"  # images and results that are larger come from memory
AHEAD = 8 << 10  # bytes, at least
PAGE = 4 << 10
TWICE = "cython.pool.shifts/twice"  # the same where it is read twice, and should stay in the L1 cache
LOOK_COMPARISONS = 3
MASKED = ("avx512",)  # instruction sets with masks of bits: they have a way for short rows
# Channels last.
MAX_TAPS = shared.POOL_CHANNELS_TAPS
LAST = "cython.pool.channels/image"  # for one item of work: it is read twice


def places_as_channels(p: PoolProblem) -> PoolProblem:
    """Channels last: the last axes along which each place is a window, as channels, unless they are too many."""
    (d, h, w), (od, oh, ow), c = p.input, p.output, p.c
    single = [k == s == 1 and pads == (0, 0) for k, s, pads in zip(p.kernel, p.stride, p.pads, strict=True)]
    most = block_bytes(LAST) // p.dtype.itemsize
    if single[2] and c * w <= most:
        c, w, ow = c * w, 1, 1
        if single[1] and c * h <= most:
            c, h, oh = c * h, 1, 1
    return replace(p, c=c, input=(d, h, w), output=(od, oh, ow))


def way(p: PoolProblem) -> tuple[int, tuple[AxisCounts, AxisCounts, AxisCounts] | None, float]:
    """How windows are combined, and the divisors of sums, or one factor where all divisors are one power of two."""
    if p.kind == "max":
        return MAX, None, 1.0
    if p.divisor is None and all(whole_windows(*axis) == (0, axis[6]) for axis in counted_axes(p)):
        count = float(p.taps)  # of every window
        if abs(np.frexp(count)[0]) == 0.5:
            return SUM, None, 1 / count
    shares = axis_divisors(replace(p, dtype=work_dtype(p.dtype)))
    lowest, highest = (float(np.prod([bound(s.values) for s in shares])) for bound in (np.min, np.max))
    if lowest == highest and abs(np.frexp(lowest)[0]) == 0.5:
        return SUM, None, 1 / lowest
    return SUM, shares, 1.0


def item_of(p: PoolProblem, depth: int, block: int) -> tuple[int, int]:
    """Rows of windows of an item, and planes if these are all rows; about `block` bytes that windows so deep read."""
    row_bytes = p.input[2] * p.dtype.itemsize
    rows = min(p.output[1], max(4, block // (row_bytes * p.stride[1] * depth)))
    return rows, max(1, block // (row_bytes * p.input[1] * depth)) if rows == p.output[1] else 1


def ahead_of(p: PoolProblem) -> int:
    """How far ahead rows are prefetched, in bytes: where several new ones of a page are read in lockstep."""
    row = p.input[2] * p.dtype.itemsize
    new = p.stride[1] * row  # bytes from one row of windows to the next
    lockstep = p.kernel[0] == 1 and min(p.kernel[1], p.stride[1]) > 1 and 0 < 2 * row <= PAGE
    return ceil_div(AHEAD, new) * new if lockstep and p.bytes > block_bytes(FETCHED) else 0


class SmallWindow(Kernel[PoolProblem]):
    """Maxima, with indices or without, and averages."""

    backend = "cython"
    algorithm = "shifts"
    row = "cython.pool.shifts"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: PoolProblem) -> str | None:
        p = problem
        if p.kind == "lp" or p.layout != "NCHW":
            return "maxima and averages, channels first"
        reason = native.reject_storage(self.isa, p.dtype)
        if reason is not None:
            return reason
        blocks = SeparableBlocks.of(p)
        kd, kh, kw = blocks.kernel
        lanes = native.lanes(self.isa, work_dtype(p.dtype).itemsize)
        if p.stride[2] > 2 or (kw > 1 and p.dilation[2] > 1) or (kw - 1) // p.stride[2] > lanes:
            return "columns further apart than a shift"
        if kd * kh > MAX_ROWS or kw > MAX_COLUMNS:
            return f"windows of more than {MAX_ROWS} rows or {MAX_COLUMNS} columns"
        before = blocks.lo[2]
        if max(before, span(p.output[2], p.stride[2], kw, 1) - before - p.input[2]) > lanes:
            return "padding wider than a vector"
        if p.indices and p.dtype.itemsize <= 4 and p.input[0] * p.input[1] * p.input[2] >= MAX_POSITION:
            return "positions are counted in 32 bits"
        return None

    def features(self, problem: PoolProblem) -> Features:
        p = problem
        kd, kh, kw = SeparableBlocks.of(p).kernel
        lanes, width, sw = native.lanes(self.isa, work_dtype(p.dtype).itemsize), p.output[2], p.stride[2]
        rows = p.n * p.c * p.output[0] * p.output[1]
        if self.isa in MASKED and 2 * width <= lanes and (width - 1) * sw + kw <= lanes:  # two at a time
            rows, sw = ceil_div(rows, 2), 2
        vectors = rows * ceil_div(width, lanes) * (4 if p.indices else 1)
        work = {
            "load": vectors * sw * kd * kh,
            "tap": vectors * kw,
            "row": rows,
            "plane": p.n * p.c * p.output[0],
        }
        return Features({"call": 1}, work, {"bytes": p.bytes})

    def workspace(self, problem: PoolProblem) -> int:
        return 0

    def error(self, problem: PoolProblem) -> float:
        kd, kh, kw = SeparableBlocks.of(problem).kernel
        return error_of(problem, kd * kh + kw)

    def prepare(self, problem: PoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        _small_window = native.compiled("pool._small_window")
        p = problem
        blocks = SeparableBlocks.of(p)
        op, shares, scale = way(p)
        kd, kh, kw = blocks.kernel
        # A separate test of every element for NaN is worthwhile where each is compared often.
        look = (kd * kh - 1) * p.stride[2] + kw - 1 >= LOOK_COMPARISONS * p.stride[0] * p.stride[1] * p.stride[2]
        block = block_bytes(TWICE) if look and p.kind == "max" and not p.indices else BLOCK_BYTES
        rows, width = item_of(p, kd, block)
        table = native.table(self.isa, p.dtype)
        prepared = _small_window.SmallWindow(table, p, blocks.kernel, blocks.lo, op, shares, scale, look, rows, width,
                                            0 if look else ahead_of(p))  # fmt: skip
        threads = threads if p.flops > SHARED_FLOPS else 1
        return native.pooling(p, prepared, 0, threads, native.seconds(self, p))


class SmallWindowLast(Kernel[PoolProblem]):
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
        if np.prod(SeparableBlocks.of(p).kernel) > MAX_TAPS:
            return f"windows of more than {MAX_TAPS} places"
        return native.reject_storage(self.isa, p.dtype)

    def features(self, problem: PoolProblem) -> Features:
        p = problem
        p = places_as_channels(p)
        taps = int(np.prod(SeparableBlocks.of(p).kernel))
        vectors = p.n * p.pixels * ceil_div(p.c, native.lanes(self.isa, work_dtype(p.dtype).itemsize))
        work = {"load": vectors * taps, "store": vectors, "window": p.n * p.pixels}
        return Features({"call": 1}, work, {"bytes": p.bytes})

    def workspace(self, problem: PoolProblem) -> int:
        return 0

    def error(self, problem: PoolProblem) -> float:
        return error_of(problem, int(np.prod(SeparableBlocks.of(problem).kernel)))

    def prepare(self, problem: PoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        _small_window = native.compiled("pool._small_window")
        p = places_as_channels(problem)
        blocks = SeparableBlocks.of(p)
        op, shares, scale = way(p)
        look = np.prod(blocks.kernel) > LOOK_COMPARISONS * np.prod(p.stride)
        row_bytes = p.input[2] * p.c * p.dtype.itemsize
        rows = min(p.output[1], max(1, block_bytes(LAST) // (row_bytes * p.stride[1] * blocks.kernel[0])))
        table = native.table(self.isa, p.dtype)
        prepared = _small_window.SmallWindow(
            table, p, blocks.kernel, blocks.lo, op, shares, scale, bool(look), rows, p.c
        )
        threads = threads if p.flops > SHARED_FLOPS else 1
        return native.pooling(problem, prepared, 0, threads, native.seconds(self, problem))


KERNELS = tuple(SmallWindow(isa) for isa in machine.ISAS)
KERNELS_LAST = tuple(SmallWindowLast(isa) for isa in machine.ISAS)
