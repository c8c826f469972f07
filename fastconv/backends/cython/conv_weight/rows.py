"""Gradients of convolution weights with pixels in lanes: depthwise, and layers with too few channels to fill lanes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, rounding_bound, summation_error
from fastconv.core.numbers import ceil_div, even_part, span
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes

BAND = "cython.conv_weight.rows/band"  # of one input channel
SUMS = "cython.conv_weight.rows/sums"  # of the channels of an item
BLOCK_COLS = 1024
POINTER = 8
ITEMS = 8  # least number of items for threads; if channels are too few, parts of the sum are items
CHAINS = 4  # sums that keep the units busy


@dataclass(frozen=True, slots=True, eq=False)
class WeightRowBlocks:
    """Block sizes of `_rows.WeightRows`."""

    in_place: bool  # rows are read from the image, edges through masks
    rows: int
    cols: int
    inputs: int  # channels of one item
    outputs: int  # channels of one item, of each group
    segments: int  # parts of the sum over all blocks
    count: int  # of blocks
    alone: bool  # some windows may be padding only
    band: native.Band

    @classmethod
    @keep_few()
    def of(cls, p: ConvProblem, vl: int) -> WeightRowBlocks:
        size = p.acc.itemsize
        oh, ow = max(p.output[1], 1), max(p.output[2], 1)
        cols = even_part(ow, BLOCK_COLS)
        row_bytes = p.kernel[0] * native.Band.of(p, 1, cols).row_len * size
        halo = span(1, p.stride[1], p.kernel[1], p.dilation[1])
        rows = even_part(oh, max((block_bytes(BAND) // row_bytes - halo) // p.stride[1] + 1, 8))
        sums = block_bytes(SUMS)
        outputs = even_part(max(p.ocg, 1), max(1, sums // (p.taps * vl * size)))
        inputs = even_part(max(p.ic, 1), max(1, min(sums // (outputs * p.taps * vl * size), p.ic // ITEMS)))
        count = p.n * p.output[0] * ceil_div(oh, rows) * ceil_div(ow, cols)
        items = ceil_div(p.ic, inputs) * ceil_div(p.ocg, outputs)
        segments = 1 if items >= ITEMS else max(1, min(ITEMS, count))
        axes = zip(p.input, p.pads, p.kernel, p.dilation, strict=True)
        alone = any(max(pads) > (k - 1) * d or extent < d for extent, pads, k, d in axes)
        band = native.Band.of(p, rows, cols)
        return cls(reads_image(p, vl), rows, cols, inputs, outputs, segments, count, alone, band)

    def scratch(self, p: ConvProblem, vl: int) -> int:
        """Bytes that one thread needs: sums, the table of rows, the band, rows of y."""
        floats = self.inputs * self.outputs * p.taps * vl + self.rows * self.cols
        rows = p.kernel[0] * self.band.rin
        return (floats + rows * self.band.row_len) * p.acc.itemsize + rows * POINTER

    def taps(self, p: ConvProblem) -> np.ndarray:
        """Where in a row each tap along width starts, for the first output of a block."""
        return native.tap_columns(p, None if self.in_place else self.band.wq)


def reads_image(p: ConvProblem, vl: int) -> bool:
    """Whether tiles read rows of the image itself: they can select their columns, and masks replace padding."""
    sw, kw = p.stride[2], p.kernel[2]
    halved = sw == 2 and p.dilation[2] == 1 and kw in (3, 5, 7) and kw <= vl + 1 and p.stride[1] == 2
    return p.layout == "NCHW" and native.zero_columns(p) and (sw == 1 or halved)


class WeightRows(Kernel[ConvProblem]):
    """Gradients of weights of float32 or float64."""

    backend = "cython"
    algorithm = "rows"
    relative = "weight"
    row = "cython.conv_weight.rows"
    revision = 2

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: ConvProblem) -> str | None:
        return problem.not_weight or native.reject_common(self.isa, problem.dtype)

    def features(self, problem: ConvProblem) -> Features:
        p = problem
        size = p.acc.itemsize
        vl = native.lanes(self.isa, size)
        blocks = WeightRowBlocks.of(p, vl)
        _, kh, kw = p.kernel
        shared = p.dilation[1] == 1 and p.stride[1] <= 2 and kh > 1 and kw in (3, 5, 7)
        flops = 2.0 * p.n * p.oc * p.depth * p.output[0] * p.output[1] * ceil_div(p.output[2], vl) * vl
        tiles = p.kernel[0] * (1 if shared else kh)
        read = p.n * p.oc * p.icg * p.pixels
        rows = blocks.count * p.ic * ceil_div(p.ocg, blocks.outputs) * p.kernel[0] * blocks.band.rin
        rows = 0 if blocks.in_place else rows
        copied = rows * blocks.band.row_len
        return Features({
            "call": 1,
            # A vector of input may be used by all taps of a kernel, or by one.
            "multiply" if shared else "multiply_row": flops * size / 4 / (1 if shared else min(1.0, kw / CHAINS)),
            "tile": blocks.count * p.oc * p.icg * tiles,
            "gather": read + copied if p.layout == "NHWC" else 0,
            "bytes_near": (p.icg > 1) * read * size,
            "row": rows,
            "copy": copied,
            "bytes": p.bytes,
        })

    def workspace(self, problem: ConvProblem) -> int:
        p = problem
        vl = native.lanes(self.isa, p.acc.itemsize)
        blocks = WeightRowBlocks.of(p, vl)
        partial = blocks.segments * p.oc * p.depth if blocks.segments > 1 else 0
        return blocks.scratch(p, vl) + partial * p.acc.itemsize

    def _chain(self, p: ConvProblem) -> int:
        """Longest chain of additions of a lane."""
        vl = native.lanes(self.isa, p.acc.itemsize)
        blocks = WeightRowBlocks.of(p, vl)
        return blocks.rows * ceil_div(blocks.cols, vl) + ceil_div(blocks.count, blocks.segments) + blocks.segments

    def error(self, problem: ConvProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), self._chain(problem))

    def bound(self, problem: ConvProblem) -> float:
        return rounding_bound(problem, self._chain(problem) + native.lanes(self.isa, problem.acc.itemsize))

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], count: int) -> Run:
        _rows = native.compiled("conv_weight._rows")
        p = problem
        size = p.acc.itemsize
        vl = native.lanes(self.isa, size)
        count = count if p.flops > native.FLOPS_PER_THREAD else 1
        blocks = WeightRowBlocks.of(p, vl)
        tables = native.padded_axes(p, p.mode)
        prepared = _rows.WeightRows(native.table(self.isa, p.acc), p, tables, blocks.taps(p), blocks)
        sums = blocks.segments * p.oc * p.depth * size if blocks.segments > 1 else 0
        return native.weight_gradient(
            p, prepared, blocks.scratch(p, vl), count, native.seconds(self, p), sums, constants[0]
        )


KERNELS = tuple(WeightRows(isa) for isa in machine.ISAS)
