"""Pooling: the kernel objects, block sizes and tables.

Windows are combined down their rows and then along, in either layout; see simd/pool/separable.inc.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.backends.cython.runtime import native, shared
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, epsilon, rounding, summation_error
from fastconv.core.numbers import ceil_div, round_up, span, whole_lines
from fastconv.core.problems.adaptive import AdaptivePoolProblem, widest_window
from fastconv.core.problems.base import is_half
from fastconv.core.problems.pool import AxisCounts, PoolProblem, axis_counts
from fastconv.machines import block_bytes

ROW = "cython.pool.separable/row"  # padded, in scratch
BLOCK_ROWS = 32
FEW_BYTES = 128  # of the channels of a pixel: more of them fill vectors
POINTER = 8
MAX_BYTES = 4 << 20  # of scratch; other kernels handle longer windows
MAX_COUNTED = 1 << 24
SHARED_FLOPS = 1e5  # below this, threads cost more than they gain
COMBINED = "cython.pool.adaptive/row"  # combined rows, at most, unless one window is longer
RUN = 32  # columns of a window that are taken as vectors; the same as in _separable.pyx
ONE_LANE, JOINED = 3, 60  # vectors that take as long as one column of fewer, and as joining the lanes of more
ADAPTIVE_INDEX_FACTOR = 2.5  # times slower with indices

MAX, MAX_ABS, MAX_NEG_ABS, SUM, SUM_SQUARE = range(len(shared.POOL_OPS))
AS_IS, DIVIDE, DIVIDE_ROOT, NEGATE = range(len(shared.POOL_FINISHES))

# How windows are combined, what follows, the value of padding.
WAYS: dict[str | float, tuple[int, int, float]] = {
    "max": (MAX, AS_IS, -np.inf),
    "avg": (SUM, DIVIDE, 0.0),
    1.0: (SUM, DIVIDE, 0.0),
    2.0: (SUM_SQUARE, DIVIDE_ROOT, 0.0),
    np.inf: (MAX_ABS, AS_IS, 0.0),
    -np.inf: (MAX_NEG_ABS, NEGATE, -np.inf),
}


def reachable(extent: int, k: int, s: int, d: int, lo: int, output: int) -> tuple[int, int]:
    """(kernel extent, padding before) without the taps that no window can place inside the input."""
    first = min(max(0, (lo - (output - 1) * s) // d), k - 1)
    last = max(min(k, (extent - 1 + lo) // d + 1), first + 1)
    return last - first, lo - first * d


@dataclass(frozen=True, slots=True)
class SeparableBlocks:
    """Block sizes of `_separable.SeparablePool`."""

    kernel: tuple[int, ...]  # without the taps that read only padding
    lo: tuple[int, ...]  # padding before, for that kernel
    unit: int  # elements of a column: 1, or all channels
    divided: int  # of those, few ones with a divisor each, so that whole vectors are divided; else 1
    rows: int
    cols: int
    split: bool  # rows are split by stride phase
    wq: int  # elements of one phase
    part: int  # elements of one row in scratch
    table_bytes: int
    bytes: int

    @classmethod
    def of(cls, p: PoolProblem) -> SeparableBlocks:
        before = (lo for lo, _ in p.pads)
        axes = zip(p.input, p.kernel, p.stride, p.dilation, before, p.output, strict=True)
        kernel, lo = zip(*(reachable(*axis) for axis in axes), strict=True)
        size, sw = p.dtype.itemsize, p.stride[2]
        unit = p.c if p.layout == "NHWC" else 1
        halo = span(1, sw, kernel[2], p.dilation[2])
        least = 16 if 16 * sw * unit * size <= block_bytes(ROW) else 1
        cols = min(p.output[2], max((block_bytes(ROW) // (size * max(unit, 1)) - halo) // sw + 1, least))
        split = unit == 1 and sw != 1 and cols > 1
        win = (cols - 1) * sw + halo
        wq = (win - 1) // sw + 1
        part = round_up(max(win * unit, sw * wq * split), 16)
        table_bytes = whole_lines(kernel[0] * kernel[1] * POINTER)
        total = table_bytes + part * size * (1 + split) * (1 + p.indices)
        divided = unit if 0 < unit * size <= FEW_BYTES else 1
        return cls(kernel, lo, unit, divided, min(BLOCK_ROWS, p.output[1]), cols, split, wq, part, table_bytes, total)

    def taps(self, p: PoolProblem) -> np.ndarray:
        """Where in a row in scratch each tap along width starts, for the first output."""
        col = np.arange(self.kernel[2], dtype=np.intp) * p.dilation[2]
        return col % p.stride[2] * self.wq + col // p.stride[2] if self.split else col * self.unit

    def positions(self, p: PoolProblem) -> tuple[np.ndarray, np.ndarray]:
        """Flat position, relative to a window's first element, of each of its rows and of each column."""
        depth, height, width = (np.arange(k, dtype=np.int64) * d for k, d in zip(self.kernel, p.dilation, strict=True))
        rows = (depth[:, None] * p.input[1] + height) * p.input[2]
        return rows.ravel(), width


def summed(terms: int) -> int:
    """Length of the longest chain of additions of a sum in blocks; see `pool_block` of simd/pool/separable.inc."""
    block = 16
    if terms <= 2 * block:
        return terms
    while block * block < terms:
        block *= 2
    return block - (-terms // block)


def error_of(p: PoolProblem | AdaptivePoolProblem, terms: int) -> float:
    """`Kernel.error` of a sum of so many terms, one after the other."""
    if p.kind == "max":
        return 0.0
    return rounding(p.dtype) if is_half(p.dtype) else summation_error(epsilon(p.out), terms)


def counted_axes(p: PoolProblem) -> list[tuple[int, int, int, int, int, int, int, bool]]:
    """The arguments of `axis_counts` and `whole_windows` for each axis."""
    axes = zip(p.input, p.kernel, p.stride, p.dilation, p.pads, p.output, strict=True)
    return [(e, k, s, d, lo, hi, o, p.include_pad or p.kind == "lp") for e, k, s, d, (lo, hi), o in axes]


def axis_divisors(p: PoolProblem) -> tuple[AxisCounts, AxisCounts, AxisCounts]:
    """Factors of each window's divisor along depth and height (float64) and width (the problem's dtype).

    A factor of 0 occurs only where the sum is 0, too; it is replaced by 1.
    """
    dtypes = (np.float64, np.float64, p.dtype)
    if p.kind == "avg" and p.divisor is not None:
        values = (p.divisor, 1, 1)
        depth, height, width = map(AxisCounts.same, values, p.output, dtypes)
    elif p.kind == "max":
        depth, height, width = map(AxisCounts.same, (1, 1, 1), p.output, dtypes)
    else:
        depth, height, width = (axis_counts(*axis, dtype) for axis, dtype in zip(counted_axes(p), dtypes, strict=True))
        for factor in (depth, height, width):
            np.maximum(factor.values, 1, out=factor.values)
    return depth, height, width


class SeparablePool(Kernel[PoolProblem]):
    """Maximum, average, and the Lp norms that need no powers."""

    backend = "cython"
    algorithm = "separable"
    row = "cython.pool.separable"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: PoolProblem) -> str | None:
        p = problem
        if p.kind == "lp" and p.norm not in WAYS:
            return f"norm {p.norm:g}: only 1, 2 and the infinities, which need no powers"
        if p.indices and max(p.kernel[0] * p.kernel[1], p.kernel[2]) > MAX_COUNTED:
            return f"positions within a window are counted in floats: at most {MAX_COUNTED} rows and columns"
        if SeparableBlocks.of(p).bytes > MAX_BYTES:
            return "a window is too long for scratch"
        return native.reject_common(self.isa, p.dtype)

    def features(self, problem: PoolProblem) -> Features:
        p = problem
        blocks = SeparableBlocks.of(p)
        rows = p.n * p.c * p.output[0] * p.output[1]
        down = rows * p.input[2] * blocks.kernel[0] * blocks.kernel[1]
        along = rows * p.output[2] * blocks.kernel[2]
        vectors = (down + along) / native.lanes(self.isa, p.dtype.itemsize)
        counts: dict[str, float] = {"index": rows * p.output[2] * p.indices}
        indexed = "_indexed" if p.indices else ""
        if blocks.unit > 1:  # rows are combined whole, and along the row, too, where windows are one apart
            counts |= {
                f"vector_whole{indexed}": vectors,
                "piece": rows / p.c * (1 if p.stride[2] == 1 else p.output[2]),
            }
            return Features({"call": 1}, counts, {"bytes": p.bytes})
        return Features({"call": 1, "bytes": p.bytes, **counts, f"vector{indexed}": vectors, "row": rows})

    def workspace(self, problem: PoolProblem) -> int:
        return SeparableBlocks.of(problem).bytes

    def error(self, problem: PoolProblem) -> float:
        p = problem
        if p.kind == "max" or (p.kind == "lp" and np.isinf(p.norm)):
            return 0.0
        kd, kh, kw = SeparableBlocks.of(p).kernel
        return summation_error(float(np.finfo(p.out).eps), summed(kd * kh) + summed(kw))

    def prepare(self, problem: PoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        _separable = native.compiled("pool._separable")
        p = problem
        blocks = SeparableBlocks.of(p)
        way = WAYS[p.norm if p.kind == "lp" else p.kind]
        places = blocks.positions(p) if p.indices else (None, None)
        depth, height, width = axis_divisors(p)
        tables = (blocks.taps(p), *places, depth, height, width.repeated(blocks.divided))
        prepared = _separable.SeparablePool(native.table(self.isa, p.dtype), p, way, tables, blocks)
        threads = threads if p.flops > SHARED_FLOPS else 1
        return native.pooling(p, prepared, blocks.bytes, threads, native.seconds(self, p))


class AdaptivePool(Kernel[AdaptivePoolProblem]):
    """Maxima, with indices if wanted, and averages, over windows of uneven sizes."""

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
        if unit > 1:
            across = along * ceil_div(unit, lanes)
        else:
            across = ONE_LANE * along if along < RUN or p.indices else ceil_div(along, lanes) + JOINED
        vectors = rows * (down * ceil_div(p.input[2] * unit, lanes) + p.output[2] * across)
        slower = ADAPTIVE_INDEX_FACTOR if p.indices else 1
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
        fit = block_bytes(COMBINED) * output // max(extent * size, 1)
        windows = max(1, min(output, shared.POOL_ADAPTIVE_WINDOWS, fit))
        return windows, min(extent, ceil_div(windows * extent, output) + 1)

    def error(self, problem: AdaptivePoolProblem) -> float:
        return error_of(problem, sum(self._windows(problem)))

    def prepare(self, problem: AdaptivePoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        _separable = native.compiled("pool._separable")
        p = problem
        op, finish = (MAX, AS_IS) if p.kind == "max" else (SUM, DIVIDE)
        table = native.table(self.isa, p.dtype)
        prepared = _separable.AdaptivePool(
            table, p, op, finish, self._windows(p)[1], self._table_bytes(p), self._blocks(p)
        )
        threads = threads if p.flops > SHARED_FLOPS else 1
        return native.pooling(p, prepared, self.workspace(p), threads, native.seconds(self, p))


KERNELS = tuple(SeparablePool(isa) for isa in machine.ISAS)
ADAPTIVE = tuple(AdaptivePool(isa) for isa in machine.ISAS)
