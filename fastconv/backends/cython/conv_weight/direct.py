"""Gradients of convolution weights, native: the rows of a tile, and the blocks of the sum.

Lanes are output channels.  Rows are

* input channels, where there are enough: the band interleaves MR of them, so that one tap of all of them is
  contiguous;
* or the taps of one kernel row: with columns split by dilation phase they are neighbours in the band.

A sum over all pixels of all images is cut into blocks of about `PIXELS` pixels, and the blocks into segments, whose
number depends on the problem alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.caches import keep_tables
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, rounding_bound, summation_error
from fastconv.core.numbers import ceil_div, even_part, near_equal, span
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes

PIXELS = 1024  # of a block, so that its part of y, NR channels wide, stays in the L2 cache and sums are rarely added
BAND = "cython.conv_weight.direct/band"
SEGMENTS = 8
PARTIAL_BYTES = 2 << 20  # of all segments' sums: they are written and read once more


@dataclass(frozen=True, slots=True)
class Layout:
    """Blocks, band and tiles of one problem.

    Attributes
    ----------
    channel_rows : bool
        Whether rows of a tile are input channels; otherwise taps of a kernel row.
    images, rows, cols : int
        Of a block of the output.
    segments, kb_chunk, unit_chunk : int
        Parts of the sum; blocks of NR output channels per item; units of the band that are filled at a time.
    units : ndarray of intp, shape (units, 2)
        First channel and number of channels of each unit: a panel of up to MR channels, or a single one.
    tiles : ndarray of intp, shape (tiles, 3)
        Position of a tile in a unit, its first row among the unit's sums, and its rows; 0: the unit's channels.
    pixels : ndarray of intp, shape (cols,)
        Offset of each column of a block.
    rin, win, wlen, wq, plane_len, unit_len, row_step, out_step : int
        Input rows and columns of a block, allotted columns, columns of one phase, elements of one plane and of one
        unit, elements between output rows, rows of sums between rows of a tile.
    """

    channel_rows: bool
    images: int
    rows: int
    cols: int
    segments: int
    kb_chunk: int
    unit_chunk: int
    units: np.ndarray
    tiles: np.ndarray
    pixels: np.ndarray
    rin: int
    win: int
    wlen: int
    wq: int
    plane_len: int
    unit_len: int
    row_step: int
    out_step: int

    @classmethod
    @keep_tables(lambda layout: layout.table_bytes)
    def of(cls, p: ConvProblem, isa: str, count: int) -> Layout:
        size = p.acc.itemsize
        mr, nr = native.tile(isa, size)
        channel_rows = panel_rows(p.icg, mr) > panel_rows(p.kernel[2], mr)
        images, rows, cols = block(p)
        rin = span(rows, p.stride[1], p.kernel[1], p.dilation[1])
        win = span(cols, p.stride[2], p.kernel[2], p.dilation[2])
        if channel_rows:
            wlen, wq, step = win, win, mr
            pixels = np.arange(cols) * p.stride[2] * mr
        else:
            wq, step = ceil_div(win, p.dilation[2]), 1
            wlen = wq * p.dilation[2]
            at = np.arange(cols) * p.stride[2]
            pixels = at % p.dilation[2] * wq + at // p.dilation[2]
        plane_len = rin * wlen * step
        unit_len = p.kernel[0] * plane_len
        units = first_and_count(p.icg, mr) if channel_rows else [(c, 1) for c in range(p.icg)]
        tiles = []
        for z in range(p.kernel[0]):
            for r in range(p.kernel[1]):
                at_row = z * plane_len + r * p.dilation[1] * wlen * step
                first = (z * p.kernel[1] + r) * p.kernel[2]
                if channel_rows:
                    tiles += [(at_row + s * p.dilation[2] * mr, first + s, 0) for s in range(p.kernel[2])]
                else:
                    tiles += [(at_row + s, first + s, c) for s, c in first_and_count(p.kernel[2], mr)]
        kbs = ceil_div(p.ocg, nr)
        sums = p.groups * kbs * nr * p.depth * size
        blocks = ceil_div(p.n, images) * p.output[0] * ceil_div(p.output[1], rows) * ceil_div(p.output[2], cols)
        segments = max(1, min(SEGMENTS, blocks, PARTIAL_BYTES // max(sums, 1)))
        chunks = 1 if count == 1 else min(kbs, ceil_div(2 * count, segments * p.groups))
        return cls(
            channel_rows, images, rows, cols, segments, max(1, ceil_div(kbs, max(chunks, 1))),
            max(1, min(len(units), block_bytes(BAND) // (images * unit_len * size))),
            np.array(units, np.intp), np.array(tiles, np.intp), pixels.astype(np.intp), rin, win, wlen, wq, plane_len,
            unit_len, wlen * step * p.stride[1], p.taps if channel_rows else 1,
        )  # fmt: skip

    @property
    def table_bytes(self) -> int:
        return self.units.nbytes + self.tiles.nbytes + self.pixels.nbytes

    def scratch(self, mr: int, nr: int) -> int:
        """Elements that one thread needs: packed y, the band, rows before they are copied into it, one tile."""
        packed = self.images * self.kb_chunk * self.rows * self.cols * nr
        return packed + self.images * self.unit_chunk * self.unit_len + mr * self.rin * self.wlen + mr * nr + 192


def first_and_count(total: int, most: int) -> list[tuple[int, int]]:
    """Near-equal parts of at most `most`: (first, count) of each."""
    return [(first, end - first) for first, end in near_equal(total, ceil_div(total, most))]


def panel_rows(total: int, mr: int) -> float:
    """Average rows of a tile when `total` rows are split into near-equal tiles."""
    return total / ceil_div(total, mr) if total else 0.0


def block(p: ConvProblem) -> tuple[int, int, int]:
    """Images, output rows and output columns of a block of about `PIXELS` pixels."""
    oh, ow = max(p.output[1], 1), max(p.output[2], 1)
    cols = ow if ow <= 2 * PIXELS else even_part(ow, PIXELS)
    rows = max(1, min(oh, PIXELS // cols))
    rows = even_part(oh, rows)
    whole = rows == oh and cols == ow
    return max(1, min(p.n, PIXELS // (rows * cols))) if whole else 1, rows, cols


class Weight(Kernel[ConvProblem]):
    """Gradients of weights of float32 or float64."""

    backend = "cython"
    algorithm = "direct"
    relative = "weight"
    row = "cython.conv_weight.direct"
    revision = 2

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: ConvProblem) -> str | None:
        return problem.not_weight or native.reject_common(self.isa, problem.dtype)

    def features(self, problem: ConvProblem) -> Features:
        p = problem
        size = p.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        kbs = ceil_div(max(p.ocg, 1), nr)
        rows = max(panel_rows(p.icg, mr), panel_rows(p.kernel[2], mr), 1)
        used = p.ocg / (kbs * nr) * min(1.0, rows / (5 if self.isa == "avx512" else 4))
        _, height, width = block(p)
        band = span(height, p.stride[1], p.kernel[1], p.dilation[1]) * span(
            width, p.stride[2], p.kernel[2], p.dilation[2]
        )
        blocks = p.n * p.output[0] * ceil_div(max(p.output[1], 1), height) * ceil_div(max(p.output[2], 1), width)
        return Features({
            "call": 1,
            "multiply": p.flops * size / 4 / max(used, 1e-3),
            "copy": blocks * p.ic * p.kernel[0] * band * (4 if p.layout == "NHWC" else 1),
            "pack": p.groups * kbs * nr * (p.n * p.pixels + 2 * p.depth),
        })

    def workspace(self, problem: ConvProblem) -> int:
        p = problem
        size = p.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        layout = Layout.of(p, self.isa, 1)
        return (layout.scratch(mr, nr) + layout.segments * p.groups * ceil_div(p.ocg, nr) * nr * p.depth) * size

    def error(self, problem: ConvProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), max(problem.n, 1) * problem.pixels)

    def bound(self, problem: ConvProblem) -> float:
        p = problem
        images, rows, cols = block(p)
        blocks = ceil_div(p.n, images) * p.output[0] * ceil_div(p.output[1], rows) * ceil_div(p.output[2], cols)
        segments = Layout.of(p, self.isa, 1).segments
        return rounding_bound(p, images * rows * cols + ceil_div(blocks, segments) + segments)

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], count: int) -> Run:
        _direct = native.compiled("conv_weight._direct")
        p = problem
        size = p.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        count = count if p.flops > native.FLOPS_PER_THREAD else 1
        layout = Layout.of(p, self.isa, count)
        prepared = _direct.Weight(native.table(self.isa, p.acc), p, native.padded_axes(p, p.mode), layout)
        own, sums = layout.scratch(mr, nr), layout.segments * p.groups * ceil_div(p.ocg, nr) * nr * p.depth
        return native.weight_gradient(
            p, prepared, own * size, count, native.seconds(self, p), sums * size, constants[0]
        )


KERNELS = tuple(Weight(isa) for isa in machine.ISAS)
