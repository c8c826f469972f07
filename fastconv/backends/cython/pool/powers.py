"""Lp pooling with the norms that `pool` does not support, native: powers, sums of windows, roots, all in float64.

So powers of float32 do not overflow, and sums of positive and negative powers stay accurate.  The powers of a row of
the image are computed once for all windows of a block; the rest is as in `pool`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.backends.cython.pool.separable import (
    DIVIDE,
    MAX_BYTES,
    POINTER,
    SHARED_FLOPS,
    SUM,
    WAYS,
    axis_divisors,
    reachable,
    summed,
)
from fastconv.backends.cython.runtime import native, shared
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, summation_error
from fastconv.core.numbers import ceil_div, round_up, span, whole_lines
from fastconv.core.problems.pool import AxisCounts, PoolProblem
from fastconv.machines import block_bytes

SIZE = 8  # bytes of a float64
ROW, BLOCK = "cython.pool.powers/row", "cython.pool.powers/block"  # of powers
CHUNK = 32  # rows at a time where each is used once
MAX_NORM = 1e6  # of a power and its root: beyond it, n in simd/pool/powers.inc is no integer


@dataclass(frozen=True, slots=True)
class PowerBlocks:
    """Block sizes of `_powers.PowerPool`."""

    kernel: tuple[int, ...]  # without the taps that read only padding
    lo: tuple[int, ...]  # padding before, for that kernel
    unit: int  # elements of a column: 1, or all channels
    windows: tuple[int, int, int]  # of a block, along depth, height, width
    chunk: int  # rows of powers at a time
    slots: int  # rows of powers that are kept
    lines: int  # of them, for one plane
    pitch: int  # elements of a row of powers
    split: bool  # the combined row is split by stride phase
    wq: int  # elements of one phase
    part: int  # elements of the combined row
    result: int  # elements of a row of results
    table_bytes: int
    done_bytes: int
    combine: int = SUM
    divide: int = DIVIDE

    @classmethod
    def of(cls, p: PoolProblem) -> PowerBlocks:
        before = (lo for lo, _ in p.pads)
        axes = zip(p.input, p.kernel, p.stride, p.dilation, before, p.output, strict=True)
        kernel, lo = zip(*(reachable(*axis) for axis in axes), strict=True)
        unit = p.c if p.layout == "NHWC" else 1
        column = max(unit, 1) * SIZE
        taps, sw = kernel[0] * kernel[1], p.stride[2]
        halo = span(1, sw, kernel[2], p.dilation[2])
        # Rows short enough for blocks of windows that share them, and much longer than the overlap of two blocks.
        row_bytes = min(block_bytes(ROW), max(block_bytes(BLOCK) // (2 * taps), 4 * halo * column))
        cols = max(1, min(p.output[2], (row_bytes // column - halo) // sw + 1))
        split = unit == 1 and sw != 1 and cols > 1
        win = (cols - 1) * sw + halo
        wq = (win - 1) // sw + 1
        part = round_up(max(win * unit, sw * wq * split), 16)
        pitch = p.input[2] * unit if cols == p.output[2] else min(win, p.input[2]) * unit

        def spanned(axis: int, windows: int) -> int:  # a single window leaves no room between its taps
            return span(windows, p.stride[axis], kernel[axis], p.dilation[axis]) if windows > 1 else kernel[axis]

        room = block_bytes(BLOCK) // max(pitch * SIZE, 1)
        rows = fitting(p.output[1], lambda r: spanned(0, 1) * spanned(1, r) <= room)
        planes = fitting(p.output[0], lambda z: spanned(0, z) * spanned(1, rows) <= room) if rows == p.output[1] else 1
        chunk, lines = taps, spanned(1, rows)
        slots = spanned(0, planes) * lines
        if rows == planes == 1:
            chunk = slots = min(taps, CHUNK)
        table_bytes = whole_lines((chunk + 1) * POINTER)
        done_bytes = whole_lines(slots)
        return cls(kernel, lo, unit, (planes, rows, cols), chunk, slots, lines, pitch, split, wq, part, cols * unit,
                   table_bytes, done_bytes)  # fmt: skip

    @property
    def bytes(self) -> int:
        """Scratch of one thread."""
        elements = self.slots * self.pitch + (1 + self.split) * self.part + self.result
        return self.table_bytes + self.done_bytes + elements * SIZE

    def taps(self, p: PoolProblem) -> np.ndarray:
        """Where in a row of powers each tap along width starts, for the first output."""
        col = np.arange(self.kernel[2], dtype=np.intp) * p.dilation[2]
        return col % p.stride[2] * self.wq + col // p.stride[2] if self.split else col * self.unit


def fitting(output: int, fits: Any) -> int:
    """As many windows along an axis as fit, halving, at least 1."""
    windows = max(output, 1)
    while windows > 1 and not fits(windows):
        windows = ceil_div(windows, 2)
    return windows


def power_kind(exponent: float) -> str:
    """The count of a power: by products, or by a logarithm."""
    return "product" if exponent == int(exponent) and 1 <= abs(exponent) <= shared.POWER_FACTORS else "logarithm"


class PowerPool(Kernel[PoolProblem]):
    """The Lp norms that need powers."""

    backend = "cython"
    algorithm = "powers"
    row = "cython.pool.powers"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: PoolProblem) -> str | None:
        p = problem
        if p.kind != "lp" or p.norm in WAYS:
            return "norms other than 1, 2 and the infinities only"
        if not 1 / MAX_NORM <= abs(p.norm) <= MAX_NORM:
            return f"norm {p.norm:g}: magnitudes from {1 / MAX_NORM:g} to {MAX_NORM:g}"
        if PowerBlocks.of(p).bytes > MAX_BYTES:
            return "a window is too long for scratch"
        return native.reject_common(self.isa, p.dtype) or native.unavailable(self.isa, np.dtype(np.float64))

    def features(self, problem: PoolProblem) -> Features:
        p = problem
        blocks = PowerBlocks.of(p)
        lanes = native.lanes(self.isa, SIZE)
        kd, kh, kw = blocks.kernel
        planes, rows, cols = blocks.windows
        read = kd * kh if blocks.slots == blocks.chunk else blocks.slots / (planes * rows)  # rows, for a row of windows
        columns = p.stride[2] + (kw - 1) * p.dilation[2] / cols
        outputs = p.n * p.c * p.pixels / lanes
        powers = Features({power_kind(p.norm): outputs * read * columns})
        roots = Features({power_kind(1 / p.norm): outputs})
        return powers + roots + Features({
            "call": 1,
            "add": outputs * (columns * kd * kh + kw),
            "row": p.n * p.c * p.output[0] * p.output[1],
            "bytes": p.bytes,
        })

    def workspace(self, problem: PoolProblem) -> int:
        return PowerBlocks.of(problem).bytes

    def error(self, problem: PoolProblem) -> float:
        p = problem
        eps = float(np.finfo(p.out).eps)
        kd, kh, kw = PowerBlocks.of(p).kernel
        wide = summation_error(float(np.finfo(np.float64).eps), summed(kd * kh) + summed(kw))
        return eps + wide / min(1.0, abs(p.norm))  # roots are steep where the norm is small

    def prepare(self, problem: PoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        _powers = native.compiled("pool._powers")
        p = problem
        blocks = PowerBlocks.of(p)
        depth, height, width = axis_divisors(p)
        counts = depth, height, AxisCounts(width.values.astype(np.float64), width.first, width.skip)
        own, wide = native.table(self.isa, p.dtype), native.table(self.isa, np.dtype(np.float64))
        prepared = _powers.PowerPool(own, wide, p, blocks, blocks.taps(p), counts)
        threads = threads if p.flops > SHARED_FLOPS else 1
        return native.pooling(p, prepared, blocks.bytes, threads, native.seconds(self, p))


KERNELS = tuple(PowerPool(isa) for isa in machine.ISAS)
