"""Pooling with planes in lanes, channels first: whatever the windows are, fixed or adaptive; see simd/pool/lanes.inc.

Why it exists: other kernels have rows of windows in lanes, and take as long for a short row as for a long one.  Here a
few elements of many planes are as good as many of a few.  Elements are transposed once, which takes about as long as
reading them from memory; a window then is a load for each of its elements.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import numpy as np

from fastconv.backends.cython.pool.separable import (
    MAX,
    MAX_COUNTED,
    SHARED_FLOPS,
    SUM,
    axis_divisors,
    error_of,
    reachable,
)
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.numbers import ceil_div, even_part, span
from fastconv.core.problems.adaptive import AdaptivePoolProblem, axis_windows, widest_window
from fastconv.core.problems.base import is_half, work_dtype
from fastconv.core.problems.pool import PoolProblem
from fastconv.machines import block_bytes

AnyPool = PoolProblem | AdaptivePoolProblem
P = TypeVar("P", PoolProblem, AdaptivePoolProblem)

BLOCK = "cython.pool.lanes/block"  # planes and results, in scratch
MAX_BYTES = 256 << 10  # of scratch for a single row of windows, which is not cut
MAX_SUM = 320  # terms added one after the other: the error stays below 1e-6 in float32
MAX_WINDOWS = 1 << 14  # along an axis: there are tables of them
MAX_POSITION = 1 << 31


class LaneWindows(NamedTuple):
    """Numbers of the windows along one axis."""

    extent: int
    outputs: int
    taps: int  # of a window, at most
    widest: int  # elements from the first to the last of a window, at most
    stride: int  # from one window to the next, at most


class LaneAxis(NamedTuple):
    """Tables of the windows along one axis: the first element of each, and how many it has, `step` apart."""

    extent: int
    outputs: int
    first: np.ndarray
    taps: np.ndarray
    step: int
    begin: np.ndarray  # the first element of this window and of those after it
    end: np.ndarray  # behind the last element of this window and of those before it


def lane_windows(p: AnyPool) -> list[LaneWindows]:
    """Of depth, height and width; a single row is a column, which can be cut into blocks."""
    found = []
    for axis, (extent, outputs) in enumerate(zip(p.input, p.output, strict=True)):
        if isinstance(p, AdaptivePoolProblem):
            widest = widest_window(extent, outputs)
            found.append(LaneWindows(extent, outputs, widest, widest, ceil_div(extent, max(outputs, 1))))
        else:
            s, d = p.stride[axis], p.dilation[axis]
            k, _ = reachable(extent, p.kernel[axis], s, d, p.pads[axis][0], outputs)
            found.append(LaneWindows(extent, outputs, k, min(extent, span(1, s, k, d)), s))
    return _upright(p, found)


def _upright(p: AnyPool, of_axes: list[Any]) -> list[Any]:
    depth, height, width = of_axes
    row = p.input[1] == p.output[1] == 1 and (isinstance(p, AdaptivePoolProblem) or p.kernel[1] == 1)
    return [depth, width, height] if row else of_axes


def lane_tables(p: AnyPool) -> list[LaneAxis]:
    """Of depth, height and width, as `lane_windows`."""
    found = []
    for axis, (extent, outputs) in enumerate(zip(p.input, p.output, strict=True)):
        step = 1
        if isinstance(p, AdaptivePoolProblem):
            first, end = axis_windows(extent, outputs)
            count = end - first
        else:
            k, s, step, lo = p.kernel[axis], p.stride[axis], p.dilation[axis], p.pads[axis][0]
            start = np.arange(outputs, dtype=np.int64) * s - lo
            skipped = np.clip(ceil_div(-start, step), 0, k)
            count = np.maximum(np.clip(ceil_div(extent - start, step), 0, k) - skipped, 0)
            first = np.clip(start + skipped * step, 0, extent)
            end = first + np.maximum((count - 1) * step + 1, 0) * (count > 0)
        begin = np.minimum.accumulate(first[::-1])[::-1]
        held = (np.ascontiguousarray(a, np.intp) for a in (begin, np.maximum.accumulate(end)))
        found.append(LaneAxis(extent, outputs, first.astype(np.intp), count.astype(np.intp), step, *held))
    return _upright(p, found)


def lane_divisors(p: AnyPool, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Factors of each window's divisor along depth, height (float64) and width (`dtype`), as `lane_tables`."""
    wide = np.dtype(np.float64)
    if isinstance(p, AdaptivePoolProblem):
        factors = [axis.taps.astype(wide) for axis in lane_tables(p)]
    else:
        counts = axis_divisors(replace(p, dtype=wide))
        factors = _upright(p, [f.of(slice(0, o)) for f, o in zip(counts, p.output, strict=True)])
    depth, height, width = (np.ascontiguousarray(f, wide) for f in factors)
    return depth, height, width.astype(dtype)


class LanesBlocks(NamedTuple):
    """Windows of a block, and scratch for it in vectors of planes."""

    depths: int
    rows: int
    image: int  # what a block reads
    results: int
    bytes: int

    @classmethod
    def of(cls, p: AnyPool, isa: str) -> LanesBlocks:
        depth, height, width = lane_windows(p)
        vector = machine.ISAS[isa].bytes
        lanes = native.lanes(isa, work_dtype(p.dtype).itemsize)
        results = 1 + p.indices
        most = block_bytes(BLOCK) // vector - lanes * (1 + results)  # whole vectors of elements are transposed
        image = depth.extent * height.extent * width.extent
        depths, rows = depth.outputs, height.outputs
        if image + p.pixels * results > most and depths * rows > 1:
            depths, plane = 1, depth.widest * width.extent
            first = plane * height.widest + width.outputs * results
            more = max(0, most - first) // max(1, plane * height.stride + width.outputs * results)
            rows = even_part(height.outputs, min(height.outputs, 1 + more))
            image = plane * min(height.extent, (rows - 1) * height.stride + height.widest)
        image, out = image + lanes, max(depths * rows * width.outputs, lanes)
        return cls(max(depths, 1), max(rows, 1), image, out, (image + out * results) * vector)


class Lanes(Kernel[P]):
    """Maxima, with indices or without, and averages."""

    backend = "cython"
    algorithm = "lanes"
    row = "cython.pool.lanes"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: P) -> str | None:
        p: AnyPool = problem
        if p.kind == "lp" or p.layout != "NCHW":
            return "maxima and averages, channels first"
        reason = native.reject_storage(self.isa, p.dtype)
        if reason is not None:
            return reason
        if max(p.output) > MAX_WINDOWS or max(w.taps for w in lane_windows(p)) > MAX_COUNTED:
            return f"more than {MAX_WINDOWS} windows along an axis"
        if p.indices and p.dtype.itemsize <= 4 and p.input[0] * p.input[1] * p.input[2] >= MAX_POSITION:
            return "positions are counted in 32 bits"
        if p.kind == "avg" and not is_half(p.dtype) and self._terms(p) > MAX_SUM:
            return f"sums of more than {MAX_SUM} rows and columns: other kernels add in blocks"
        if LanesBlocks.of(p, self.isa).bytes > MAX_BYTES:
            return "a row of windows is too long for scratch"
        return None

    def features(self, problem: P) -> Features:
        p: AnyPool = problem
        blocks = LanesBlocks.of(p, self.isa)
        depth, height, width = lane_windows(p)
        lanes = native.lanes(self.isa, work_dtype(p.dtype).itemsize)
        vectors = ceil_div(p.n * p.c, lanes)
        items = vectors * ceil_div(depth.outputs, blocks.depths) * ceil_div(height.outputs, blocks.rows)
        taps = depth.taps * height.taps * width.taps * (4 if p.indices else 1)
        work = {
            "enter": items * (blocks.image - lanes + lanes * (blocks.image < 2 * lanes)),
            "leave": items * blocks.results * (1 + p.indices),
            "load": vectors * p.pixels * taps,
            "window": vectors * p.pixels,
            "item": items,
        }
        return Features({"call": 1, "bytes": p.bytes, **work})

    def workspace(self, problem: P) -> int:
        return LanesBlocks.of(problem, self.isa).bytes

    def error(self, problem: P) -> float:
        return error_of(problem, self._terms(problem))

    @staticmethod
    def _terms(p: AnyPool) -> int:
        """Of a window, those added one after the other: along a row, then of rows."""
        depth, height, width = lane_windows(p)
        return depth.taps * height.taps + width.taps

    def prepare(self, problem: P, constants: tuple[Any, ...], threads: int) -> Run:
        _lanes = native.compiled("pool._lanes")
        p: AnyPool = problem
        blocks = LanesBlocks.of(p, self.isa)
        op, shares = (MAX, (None, None, None)) if p.kind == "max" else (SUM, lane_divisors(p, work_dtype(p.dtype)))
        table = native.table(self.isa, p.dtype)
        prepared = _lanes.LanesPool(table, op, p.n, p.c, lane_tables(p), shares, blocks)
        threads = threads if p.flops > SHARED_FLOPS else 1
        return native.pooling(p, prepared, blocks.bytes, threads, native.seconds(self, p))


class LanesPool(Lanes[PoolProblem]):
    """Windows of a fixed shape."""


class AdaptiveLanes(Lanes[AdaptivePoolProblem]):
    """Windows of uneven sizes."""


KERNELS = tuple(LanesPool(isa) for isa in machine.ISAS)
ADAPTIVE = tuple(AdaptiveLanes(isa) for isa in machine.ISAS)
