"""Direct convolution with output channels in lanes: the kernel objects and their block sizes.

Register tile: MR pixels x 2 vectors of output channels (14 x 2 with AVX-512, 6 x 2 with AVX2).  The band of
input rows takes at most half of the L2 cache, so that it meets every block of output channels there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fastconv.backends.cython import native
from fastconv.core import machine
from fastconv.core.kernel import Bind, summation_error
from fastconv.core.machine import Machine
from fastconv.core.problems.conv import ConvProblem

BAND_BYTES = 256 << 10
SUMS_BYTES = 64 << 10  # accumulators of one block of NR channels: they go to the output from the L1 or L2 cache
RATE = 0.85  # of peak, on layers that fill the tile
START_SECONDS = 2e-6
ITEM_SECONDS = 4e-7


@dataclass(frozen=True, slots=True)
class Blocks:
    """Block sizes of one problem; see `native.Band` for the layout of the band."""

    rows: int
    cols: int
    channels: int
    k_chunk: int
    rin: int
    between: int  # input rows from row to row of the band
    wq: int
    row_len: int
    band: int

    @classmethod
    @lru_cache(maxsize=512)
    def of(cls, p: ConvProblem, isa: str, threads: int) -> Blocks:
        size = p.acc.itemsize
        _, nr = native.tile(isa, size)
        depth = max(1, p.icg * p.kernel[0])
        oh, ow = max(1, p.output[1]), max(1, p.output[2])
        cols = min(ow, max(1, SUMS_BYTES // (nr * size)))
        one_row = native.Band.of(p, 1, cols, True)
        channels = max(1, min(depth, 4 * BAND_BYTES // (one_row.rin * one_row.row_len * size)))
        while cols > nr and channels < depth and channels < 64:
            cols = -(-cols // 2)
            one_row = native.Band.of(p, 1, cols, True)
            channels = max(1, min(depth, 4 * BAND_BYTES // (one_row.rin * one_row.row_len * size)))
        rows = 1
        if cols == ow and channels == depth:
            most = min(oh, max(1, SUMS_BYTES // (cols * nr * size)))
            outer = p.n * p.groups * p.output[0]
            if threads > 1:  # enough items to share out
                most = min(most, max(1, oh * outer // (4 * threads)))
            while rows < most:
                b = native.Band.of(p, rows + 1, cols, True)
                if b.rin * b.row_len * depth * size > BAND_BYTES:
                    break
                rows += 1
            rows = -(-oh // -(-oh // rows))  # near-equal parts
        kbs = -(-p.ocg // nr)
        items = p.n * p.groups * p.output[0] * -(-oh // rows) * -(-ow // cols)
        chunks = 1 if items >= 2 * threads else min(kbs, -(-2 * threads // max(items, 1)))
        b = native.Band.of(p, rows, cols, True)
        return cls(
            rows, cols, channels, max(1, -(-kbs // max(chunks, 1))), b.rin, p.dilation[1] // b.apart, b.wq, b.row_len,
            channels * b.rin * b.row_len + native.SLACK,
        )  # fmt: skip

    def bytes(self, nr: int, size: int) -> int:
        return (self.band + self.rows * self.cols * nr) * size


class Direct(native.Native):
    """Any forward convolution of float32 or float64."""

    backend = "cython"
    algorithm = "direct"
    activations = frozenset({"relu"})

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: ConvProblem) -> str | None:
        if problem.not_forward:
            return problem.not_forward
        return native.reject_common(self.isa, problem.dtype)

    def cost(self, problem: ConvProblem, machine: Machine) -> float:
        p = problem
        mr, nr = native.tile(self.isa, p.acc.itemsize)
        ow = max(1, p.output[2])
        pieces = -(-ow // mr)
        lanes_used = p.ocg / (-(-max(p.ocg, 1) // nr) * nr) if p.ocg else 1.0
        # A tile of few rows waits for loads, one of hardly any for its own additions.
        rows_used = max(0.25, min(1.0, ow / pieces / (8 if self.isa == "avx512" else 6)))
        peak = machine.flops(self.isa, p.acc.itemsize) * RATE * max(lanes_used * rows_used, 1e-3)
        fill = p.n * p.ic * p.pixels * p.stride[1] * p.stride[2] * p.acc.itemsize / machine.bandwidth
        if p.layout == "NHWC":
            fill *= 4  # one channel of one row is a strided gather
        pack = 0.0 if p.packed else native.PACK_SECONDS * p.oc * p.depth
        share = min(machine.threads, max(1, round(p.flops / native.FLOPS_PER_THREAD)))
        items = ITEM_SECONDS * p.n * p.groups * p.output[0]
        weights = float(p.oc * p.depth * p.acc.itemsize)
        # Weights stream from the L3 cache while tiles are worked out; images come and go in between.
        products = max(p.flops / peak, weights / (2 * machine.bandwidth))
        images = (p.bytes - weights) / machine.bandwidth
        return START_SECONDS + pack + (products + fill + images + items) / share

    def workspace(self, problem: ConvProblem) -> int:
        size = problem.acc.itemsize
        return Blocks.of(problem, self.isa, 1).bytes(native.tile(self.isa, size)[1], size)

    def error(self, problem: ConvProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), problem.depth)

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        from fastconv.backends.cython import _direct

        p = problem
        size = p.acc.itemsize
        _, nr = native.tile(self.isa, size)
        blocks = Blocks.of(p, self.isa, threads)
        band = native.Band.of(p, blocks.rows, blocks.cols, True)
        taps = band.taps(p, 0)[: p.kernel[1] * p.kernel[2]].copy()
        tables = native.index_tables(p, p.mode)
        prepared = _direct.Direct(native.table(self.isa, size), p, tables, taps, blocks)
        threads = threads if p.flops > native.FLOPS_PER_THREAD else 1
        pack = native.packer(self.isa, p)
        return native.binder(p, prepared, blocks.bytes(nr, size), threads, native.seconds(self, p), pack)


KERNELS = tuple(Direct(isa) for isa in machine.ISAS)
