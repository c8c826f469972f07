"""Pooling with Numba: maxima, with indices if wanted, and averages of fixed windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.numba.axes import Window, choose_block, make_bands, row_cost, slots, tap_sources
from fastconv.backends.numba.base import (
    NumbaKernel,
    address,
    each_isa,
    run_items,
    run_ranges,
    steps,
)
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Run
from fastconv.core.numbers import ceil_div, round_up
from fastconv.core.problems.pool import AxisCounts, PoolProblem, axis_counts
from fastconv.machines import block_bytes

CHANNEL = "numba.pool/channel"  # in scratch
MAX_TAPS = 1 << 14  # larger windows are sums along axes, for other kernels
MAX_TABLE = 1 << 20  # entries of a table of sources
PLACE_FACTOR = 6.0  # times slower with indices


def pool_window(p: PoolProblem) -> Window:
    return Window(p.input, p.kernel, p.stride, p.dilation, p.pads, p.output, "zeros", p.layout, p.c)


def divisor_table(p: PoolProblem, room: tuple[int, int, int]) -> tuple[np.ndarray, tuple[int, ...]]:
    """Counts of taps along depth, height and width, each followed by `room` ones; sums are divided by their products.

    Also where those of each axis are: its first entry, and `AxisCounts.first` and `skip`.
    """
    tables, where, size = [], [], 0
    for axis in range(3):
        if p.kind != "avg" or p.divisor is not None:
            counts = AxisCounts.same(p.divisor if axis == 0 and p.divisor else 1, p.output[axis])
        else:
            counts = axis_counts(
                p.input[axis], p.kernel[axis], p.stride[axis], p.dilation[axis], *p.pads[axis], p.output[axis],
                p.include_pad,
            )  # fmt: skip
        where += [size, counts.first, counts.skip]
        values = counts.values if p.divisor else np.maximum(counts.values, 1)  # a window without elements has sum 0
        tables.append(np.concatenate([values, np.ones(room[axis], np.int64)]))
        size += tables[-1].size
    return np.concatenate(tables).astype(p.dtype), tuple(where)


class NumbaPool(NumbaKernel[PoolProblem]):
    """Pixels in lanes from a band in scratch, or channels in lanes where they come last."""

    algorithm = "direct"
    row = "numba.pool"

    def reject(self, problem: PoolProblem) -> str | None:
        p = problem
        if p.kind == "lp":
            return "lp: no powers"
        if p.taps > MAX_TAPS:
            return f"window of {p.taps} elements: at most {MAX_TAPS}"
        if p.indices and p.input[0] * p.input[1] * p.input[2] >= 2**31:
            return "places of 2**31 elements or more"
        return super().reject(p)

    def error(self, problem: PoolProblem) -> float:
        if problem.kind == "max":
            return 0.0
        return float(np.finfo(problem.dtype).eps) * (1.0 + 0.3 * problem.taps**0.5)

    @staticmethod
    def _in_place(p: PoolProblem) -> bool:
        table = sum(k * o for k, o in zip(p.kernel, p.output, strict=True))
        return p.layout == "NHWC" and not p.indices and table <= MAX_TABLE

    @keep_few()
    def blocking(self, p: PoolProblem) -> tuple[int, int, int, int]:
        """(tile rows, vectors, band rows, band columns)"""
        lanes, size = self.lanes(p.dtype), p.dtype.itemsize
        rb, nv = (1, 1) if p.indices else (4, 2) if p.output[2] > lanes else (4, 1)
        rows, cols = choose_block(pool_window(p), p.kernel[0], size, nv * lanes, 0, block_bytes(CHANNEL))
        return rb, nv, rows, cols

    def features(self, problem: PoolProblem) -> Features:
        p = problem
        lanes = self.lanes(p.dtype)
        counts: dict[str, float] = {"call": 1, "bytes": p.bytes}
        if self._in_place(p):
            vectors = p.n * p.pixels * ceil_div(p.c, 4 * lanes) * 4
            return Features({"tap": vectors * p.taps * 2, **counts})
        rb, nv, rows, cols = self.blocking(p)
        ow, oh = max(1, p.output[2]), max(1, p.output[1])
        wide, high = ceil_div(ow, nv * lanes) * nv, round_up(oh, rb)
        vectors = p.n * p.c * p.output[0] * wide * high
        band = row_cost(pool_window(p), rows, cols) * p.n * p.c * p.kernel[0] * p.pixels
        return Features({
            "tap": vectors * p.taps * (PLACE_FACTOR if p.indices else 1.0),
            "copy": band * p.dtype.itemsize / 4,
            "scatter": p.n * p.c * p.pixels if p.layout == "NHWC" else 0,
            **counts,
        })

    def workspace(self, problem: PoolProblem) -> int:
        p = problem
        if self._in_place(p):
            return 0
        rb, nv, rows, cols = self.blocking(p)
        results = rb * nv * self.vbytes + 8 * self.lanes(p.dtype)
        band = p.kernel[0] * slots(rows, p.kernel[1], p.stride[1], p.dilation[1])
        band *= slots(cols, p.kernel[2], p.stride[2], p.dilation[2])
        return results + (band + self._slack(p)) * p.dtype.itemsize + 4 * self.vbytes

    def _slack(self, p: PoolProblem) -> int:
        """Elements after a band that a last tile reads for rows and columns that do not exist."""
        rb, nv, _, cols = self.blocking(p)
        return rb * slots(cols, p.kernel[2], p.stride[2], p.dilation[2]) + nv * self.lanes(p.dtype)

    def prepare(self, problem: PoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        if self._in_place(p):
            return self._prepare_in_place(p, threads)
        rb, nv, rows, cols = self.blocking(p)
        bands = make_bands(pool_window(p), rows, cols)
        filler = self.loop("band", p.dtype)
        scratch = self.workspace(p)
        items = p.n * p.c * p.output[0] * bands.nr * bands.nq
        ycol = p.c if p.layout == "NHWC" else 1
        start = -np.inf if p.kind == "max" else 0.0
        seconds = p.flops / 2e9
        fixed = (address(bands.table), p.c, filler.address)
        if p.indices:
            loop = self.loop("pool_index", p.dtype)
            where = (*p.input[1:], *p.kernel[1:], *p.stride[1:], *p.dilation[1:], -p.pads[1][0], -p.pads[2][0])

            def run_places(x: np.ndarray, out: np.ndarray, index: np.ndarray, alive: object = (bands, filler)) -> None:
                arrays = (address(x), *steps(x, 0, 1), address(out), *steps(out, 0, 1))
                arrays += (address(index), *steps(index, 0, 1), ycol)

                def call(lo: int, hi: int, memory: int) -> None:
                    loop(lo, hi, *arrays, memory, *fixed, *where, start)

                run_items(call, items, threads, 4 * seconds, scratch)

            return run_places

        loop = self.loop("pool", p.dtype, int(p.kind == "avg"), rb, nv)
        counts, where_counts = divisor_table(p, (0, rb, nv * self.lanes(p.dtype)))
        divide = (address(counts), *where_counts)

        def run(x: np.ndarray, out: np.ndarray, alive: object = (counts, bands, filler)) -> None:
            arrays = (address(x), *steps(x, 0, 1), *divide, address(out), *steps(out, 0, 1), ycol)

            def call(lo: int, hi: int, memory: int) -> None:
                loop(lo, hi, *arrays, memory, *fixed, start)

            run_items(call, items, threads, seconds, scratch)

        return run

    def _prepare_in_place(self, p: PoolProblem, threads: int) -> Run:
        sources = tap_sources(pool_window(p))
        counts, where_counts = divisor_table(p, (0, 0, 0))
        nv = 4 if p.c > self.lanes(p.dtype) else 1
        loop = self.loop("pool_last", p.dtype, int(p.kind == "avg"), nv)
        start = -np.inf if p.kind == "max" else 0.0
        fixed = (p.c, *p.input[1:], *p.output, *p.kernel, address(sources), start)
        divide = (address(counts), *where_counts)

        def run(x: np.ndarray, out: np.ndarray, alive: object = (sources, counts)) -> None:
            arrays = (address(x), *steps(x, 0), *divide, address(out), *steps(out, 0))

            def call(lo: int, hi: int) -> None:
                loop(lo, hi, *arrays, *fixed)

            run_ranges(call, p.n * p.output[0] * p.output[1], threads, p.flops / 2e9)

        return run


KERNELS = each_isa(NumbaPool)
