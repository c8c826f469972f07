"""Direct convolution with output channels in lanes: the kernel objects and their block sizes.

Register tile: MR pixels x 2 vectors of output channels (14 x 2 with AVX-512, 6 x 2 with AVX2).  The band of input rows
takes a small part of the L2 cache, where every block of output channels reads it; the rest is for weights.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.caches import keep_few
from fastconv.core.kernel import Bind, Specialised, summation_error
from fastconv.core.machine import Machine
from fastconv.core.problems.conv import ConvProblem

BAND_BYTES = 160 << 10
SUMS_BYTES = 64 << 10  # accumulators of one block of NR channels, so that they are stored from the L1 or L2 cache
ALL_SUMS_BYTES = 1 << 20  # of all blocks, where channels come in parts
RATE = {"avx512": 0.85, "avx2": 0.97, "portable": 0.66}  # of peak, on layers that fill the tile
CACHED = 1.5  # times the memory's bandwidth, where images stay in the L3 cache
START_SECONDS = 1e-6
ITEM_SECONDS = 2e-7

# In steps: the time in which a tile without stalls multiplies one pixel by NR weights.
TILE_STEPS = 4.3  # at least: few sums depend on each other's latency
TILE_START = 0.3
ROW_SECONDS, ELEMENT_SECONDS = 1e-8, 1.4e-10  # to copy a row into a band
UNROLLED_STRIDE = 4  # longer strides are split an element at a time
GATHER_SECONDS = 8e-10  # such an element, or one of a flat band

FLAT_COLS = 32  # wider rows have full tiles of their own
FLAT_CHANNELS = 64  # at least, at a time: accumulators are kept in memory until the next part
MANY_TAPS = 128  # a single channel at a time is enough work with them


def row_steps(pixels: int, mr: int) -> float:
    """Steps for a row of adjacent pixels, in near-equal parts."""
    pieces = -(-pixels // mr)
    return max(pixels + TILE_START * pieces, TILE_STEPS * pieces)


@dataclass(frozen=True, slots=True)
class Flat:
    """Shape of a band in which output pixels follow each other without gaps, so that narrow maps fill tiles, too.

    Each kernel column has a copy of the columns that it reads, and rows are split by stride phase: for every tap the
    next output row is `cols` elements further on.  Lowering along one axis, as in Cho and Brand, "MEC: memory-efficient
    convolution for deep neural networks", ICML 2017.
    """

    cols: int
    rq: int  # input rows of one phase

    @classmethod
    def of(cls, p: ConvProblem, rows: int) -> Flat:
        rin = native.span(rows, p.stride[1], p.kernel[1], p.dilation[1])
        return cls(p.output[2], -(-rin // p.stride[1]))

    def channel(self, p: ConvProblem) -> int:
        """Elements of one channel."""
        return p.kernel[2] * p.stride[1] * self.rq * self.cols

    def tap(self, p: ConvProblem, h: int, w: int) -> int:
        """Offset of kernel element (h, w) from the first pixel."""
        row = h * p.dilation[1]
        return ((w * p.stride[1] + row % p.stride[1]) * self.rq + row // p.stride[1]) * self.cols


@dataclass(frozen=True, slots=True)
class Blocks:
    """Block sizes of one problem; see `native.Band` and `Flat` for the layout of the band."""

    rows: int
    cols: int
    channels: int
    band: native.Band | Flat
    steps: float  # for one block of output channels and one tap of one channel of a whole output plane
    fill: float  # seconds, for one channel of a whole output plane
    k_chunk: int = 0

    @property
    def flat(self) -> bool:
        return isinstance(self.band, Flat)

    def channel(self, p: ConvProblem) -> int:
        """Elements of one channel of the band."""
        return self.band.channel(p)

    def taps(self, p: ConvProblem) -> np.ndarray:
        """Offsets of the taps of one channel."""
        return np.array([self.band.tap(p, h, w) for h in range(p.kernel[1]) for w in range(p.kernel[2])], np.intp)

    def sums(self, nr: int, depth: int) -> int:
        """Accumulators that are kept at a time."""
        return self.rows * self.cols * nr * (1 if self.channels >= depth else self.k_chunk)

    def bytes(self, p: ConvProblem, nr: int) -> int:
        """Scratch: the table of sources of a flat band, the band, accumulators."""
        depth, channel = p.icg * p.kernel[0], self.channel(p)
        elements = self.channels * channel + native.SLACK + self.sums(nr, depth)
        return self.table_bytes(p) + elements * p.acc.itemsize

    def seconds(self, p: ConvProblem, isa: str, machine: Machine) -> float:
        """Predicted seconds, for one channel of a whole output plane."""
        nr = native.tile(isa, p.acc.itemsize)[1]
        step = 2 * nr / (RATE[isa] * machine.flops(isa, p.acc.itemsize))
        fill = self.fill * (4 if p.layout == "NHWC" else 1)  # one channel of one row is a strided gather
        return -(-p.ocg // nr) * p.kernel[1] * p.kernel[2] * self.steps * step + fill

    def table_bytes(self, p: ConvProblem) -> int:
        return -(-self.channel(p) * 8 // 64) * 64 if self.flat else 0

    @classmethod
    @keep_few()
    def of(cls, p: ConvProblem, isa: str, threads: int) -> Blocks:
        mr, nr = native.tile(isa, p.acc.itemsize)
        depth, kbs = max(1, p.icg * p.kernel[0]), -(-p.ocg // nr)
        best = cls.in_rows(p, mr, nr, 1)  # chosen for one thread: the parts of channels determine the rounding
        if p.output[1] > 1 and 0 < p.output[2] < FLAT_COLS:
            flat = cls.flattened(p, mr, nr)
            best = min(best, flat, key=lambda b: b.seconds(p, isa, machine.host()))
        if threads > 1 and not best.flat:
            best = cls.in_rows(p, mr, nr, threads)
        items = p.n * p.groups * p.output[0] * -(-p.output[1] // best.rows) * -(-p.output[2] // best.cols)
        chunks = 1 if items >= 2 * threads else min(kbs, -(-2 * threads // max(items, 1)))
        k_chunk = max(1, -(-kbs // max(chunks, 1)))
        if best.channels < depth:
            k_chunk = min(k_chunk, max(1, ALL_SUMS_BYTES // (best.rows * best.cols * nr * p.acc.itemsize)))
        return replace(best, k_chunk=k_chunk)

    @classmethod
    def in_rows(cls, p: ConvProblem, mr: int, nr: int, threads: int) -> Blocks:
        """Rows of pixels, as wide as the map if that is not very wide."""
        size, depth = p.acc.itemsize, max(1, p.icg * p.kernel[0])
        oh, ow = max(1, p.output[1]), max(1, p.output[2])
        cols = min(ow, max(1, SUMS_BYTES // (nr * size)))
        band = native.Band.of(p, 1, cols, True)
        channels = max(1, min(depth, 4 * BAND_BYTES // (band.rin * band.row_len * size)))
        while cols > nr and channels < depth and channels < 64:
            cols = -(-cols // 2)
            band = native.Band.of(p, 1, cols, True)
            channels = max(1, min(depth, 4 * BAND_BYTES // (band.rin * band.row_len * size)))
        rows = 1
        if cols == ow and channels == depth:
            most = min(oh, max(1, SUMS_BYTES // (cols * nr * size)))
            if threads > 1:  # enough items for all threads
                most = min(most, max(1, oh * p.n * p.groups * p.output[0] // (4 * threads)))
            while rows < most:
                band = native.Band.of(p, rows + 1, cols, True)
                if band.rin * band.row_len * depth * size > BAND_BYTES:
                    break
                rows += 1
            rows = -(-oh // -(-oh // rows))  # near-equal parts
            band = native.Band.of(p, rows, cols, True)
        element = ELEMENT_SECONDS if p.stride[2] <= UNROLLED_STRIDE else GATHER_SECONDS
        fill = -(-oh // rows) * band.rin * (ROW_SECONDS + element * band.row_len) * -(-ow // cols)
        return cls(rows, cols, channels, band, oh * row_steps(ow, mr), fill)

    @classmethod
    def flattened(cls, p: ConvProblem, mr: int, nr: int) -> Blocks:
        """As many rows as one long one; channels in parts where that makes the band too large."""
        size, depth = p.acc.itemsize, max(1, p.icg * p.kernel[0])
        _, oh, ow = p.output
        rows = min(oh, max(1, SUMS_BYTES // (ow * nr * size)))
        least = min(depth, 1 if p.kernel[1] * p.kernel[2] >= MANY_TAPS else FLAT_CHANNELS)
        while True:
            rows = -(-oh // -(-oh // rows))
            band = Flat.of(p, rows)
            channels = BAND_BYTES // (band.channel(p) * size)
            if rows == 1 or channels >= least:
                break
            rows = -(-rows // 2)
        channels = max(1, min(depth, channels))
        channels = -(-depth // -(-depth // channels))
        parts = -(-oh // rows)
        return cls(rows, ow, channels, band, parts * row_steps(rows * ow, mr), parts * GATHER_SECONDS * band.channel(p))


class Direct(Specialised[ConvProblem]):
    """Any forward convolution of float32 or float64."""

    backend = "cython"
    algorithm = "direct"
    activations = frozenset({"relu"})

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: ConvProblem) -> str | None:
        if problem.not_forward:
            return problem.not_forward
        return native.reject_common(self.isa, problem.dtype) or native.wasteful(
            problem, native.tile(self.isa, problem.acc.itemsize)[1]
        )

    def cost(self, problem: ConvProblem, machine: Machine) -> float:
        p = problem
        planes = p.n * p.groups * p.output[0]
        work = planes * p.icg * p.kernel[0] * Blocks.of(p, self.isa, 1).seconds(p, self.isa, machine)
        pack = 0.0 if p.packed else native.PACK_CALL_SECONDS + native.PACK_SECONDS * p.oc * p.depth
        weights = p.oc * p.depth * p.acc.itemsize
        work += native.stream_seconds(weights, machine)
        images = (p.bytes - weights) / machine.bandwidth / (1 if p.bytes > machine.l3 / 2 else CACHED)
        return START_SECONDS + pack + (work + images + ITEM_SECONDS * planes)

    def workspace(self, problem: ConvProblem) -> int:
        return Blocks.of(problem, self.isa, 1).bytes(problem, native.tile(self.isa, problem.acc.itemsize)[1])

    def error(self, problem: ConvProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), problem.depth)

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        _direct = native.compiled("conv._direct")
        p = problem
        size = p.acc.itemsize
        _, nr = native.tile(self.isa, size)
        blocks = Blocks.of(p, self.isa, threads)
        tables = native.padded_axes(p, p.mode)
        prepared = _direct.Direct(native.table(self.isa, size), p, tables, blocks)
        threads = threads if p.flops > native.FLOPS_PER_THREAD else 1
        pack = native.packer(self.isa, p)
        return native.binder(p, prepared, blocks.bytes(p, nr), threads, native.seconds(self, p), pack)


KERNELS = tuple(Direct(isa) for isa in machine.ISAS)
