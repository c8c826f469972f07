"""Direct convolution of images with channels last: the kernel objects and their block sizes.

Register tile: MR pixels x 2 vectors of output channels, or one where no more are left.  Pixels are read as they lie,
and results are stored as they lie: nothing is transposed, and there are no sums in memory.  A row of taps is one long
sum over its columns and channels, so few input channels cost no more than many.  Where there is padding, pixels come
from a band: rows with their padding, channels innermost, a small part of the L2 cache.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastconv.backends.cython.conv.direct import row_steps
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.arrays import aligned_empty
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Specialised, summation_error
from fastconv.core.numbers import ceil_div, even_part, span
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes, streamed, traffic

BAND, WEIGHTS = (f"cython.conv.direct_last/{block}" for block in ("band", "weights"))
SET_BYTES = 4096  # pixels a multiple of this apart map to one set of the L1 cache
PACKED_BYTES = 16 << 10  # of weights that are packed at a time, and then sorted by taps


@dataclass(frozen=True, slots=True)
class LastBlocks:
    """Block sizes of one problem; the band has `kd` planes of `rin` rows of `win` pixels of `pitch` elements.

    Attributes
    ----------
    output : tuple of int
        Planes, rows and columns; where all pixels are one row in memory, they are one row here.
    rows, cols, k_chunk : int
        Output rows and columns, and blocks of NR output channels, of an item.
    in_place : bool
        Whether pixels are read in the image.
    down, across : int
        Input rows and columns from one row or column of the band to the next: the stride, where there is a single tap.
    depth : int
        Of a run: elements that follow each other in memory, for one output.
    together : int
        Blocks of NR output channels that are computed for a few pixels at a time, so that whole pixels are stored.
    """

    output: tuple[int, int, int]
    rows: int
    cols: int
    in_place: bool
    pitch: int
    rin: int
    win: int
    down: int
    across: int
    depth: int
    together: int
    k_chunk: int

    @classmethod
    @keep_few()
    def of(cls, p: ConvProblem, isa: str, threads: int) -> LastBlocks:
        size = p.acc.itemsize
        mr, nr = native.tile(isa, size)
        vl = native.lanes(isa, size)
        padded = any(pad != (0, 0) for pad in p.pads)
        in_place = not padded and p.ic * p.stride[2] * size % SET_BYTES != 0
        plain = in_place and p.taps == 1 and p.stride == (1, 1, 1)
        output = (1, 1, p.pixels) if plain else p.output
        _, oh, ow = (max(e, 1) for e in output)
        pitch = p.icg + vl if p.icg * size % (SET_BYTES // 4) == 0 else p.icg
        down = p.stride[1] if p.kernel[1] == 1 else 1
        across = p.stride[2] if p.kernel[2] == 1 else 1

        def shape(rows: int, cols: int) -> tuple[int, int]:
            return (
                span(rows, p.stride[1] // down, p.kernel[1], p.dilation[1]),
                span(cols, p.stride[2] // across, p.kernel[2], p.dilation[2]),
            )

        def fits(rows: int, cols: int) -> bool:
            rin, win = shape(rows, cols)
            return p.kernel[0] * rin * win * (p.ic if p.groups > 1 else pitch) * size <= block_bytes(BAND)

        cols = ow
        while cols > mr and not fits(1, cols):
            cols = ceil_div(cols, 2)
        cols = even_part(ow, cols, mr) if cols < ow else ow
        most = oh
        if threads > 1:  # enough items for all threads
            most = max(1, oh * p.n * p.groups * max(output[0], 1) // (4 * threads))
            if plain:
                cols = min(cols, max(mr, ow * p.n * p.groups // (4 * threads) // mr * mr))
        rows = 1
        while rows < most and fits(rows + 1, cols):
            rows += 1
        rows = even_part(oh, rows)
        rin, win = shape(rows, cols)
        whole = p.dilation[2] == 1 and (p.ic if in_place else pitch) == p.icg
        depth = p.icg * (p.kernel[2] if whole else 1)
        kbs = ceil_div(p.ocg, nr)
        items = p.n * p.groups * max(output[0], 1) * ceil_div(oh, rows) * ceil_div(ow, cols)
        together = max(1, block_bytes(WEIGHTS) // max(p.depth * nr * size, 1))
        k_chunk = native.blocks_together(kbs, items, threads)
        return cls(output, rows, cols, in_place, pitch, rin, win, down, across, depth, together, k_chunk)

    def band(self, p: ConvProblem) -> int:
        """Elements of the band."""
        return 0 if self.in_place else p.kernel[0] * self.rin * self.win * self.pitch + native.SLACK

    def runs(self, p: ConvProblem) -> np.ndarray:
        """Where each run of products begins, for the first output of a block."""
        kd, kh, kw = p.kernel
        if self.in_place:
            steps = tuple(d * e for d, e in zip(p.dilation, (p.input[1] * p.input[2] * p.ic, p.input[2] * p.ic, p.ic),
                                                strict=True))  # fmt: skip
        else:
            row = self.win * self.pitch
            steps = (self.rin * row, p.dilation[1] * row, p.dilation[2] * self.pitch)
        columns = range(kw if self.depth == p.icg else 1)
        at = [z * steps[0] + r * steps[1] + s * steps[2] for z in range(kd) for r in range(kh) for s in columns]
        return np.array(at, np.intp)


def in_order(p: ConvProblem) -> bool:
    """Whether weights have their channels innermost as they are given."""
    return p.taps == 1 or p.icg == 1


class DirectLast(Specialised[ConvProblem]):
    """Any forward convolution of float32 or float64 with channels last."""

    backend = "cython"
    algorithm = "direct"
    relative = "last"
    row = "cython.conv.direct_last"
    activations = frozenset({"relu"})

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_forward:
            return p.not_forward
        if p.layout != "NHWC":
            return "layout NCHW: channels must be contiguous"
        if p.depth == 0:
            return "no channels"
        return native.reject_common(self.isa, p.dtype) or native.wasteful(p, native.tile(self.isa, p.acc.itemsize)[1])

    def features(self, problem: ConvProblem) -> Features:
        p, size = problem, problem.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        blocks = LastBlocks.of(p, self.isa, 1)
        od, oh, ow = (max(e, 1) for e in blocks.output)
        planes = p.n * p.groups * od
        kbs = ceil_div(p.ocg, nr)
        wide = native.used_lanes(self.isa, size, p.ocg) / nr  # tiles, in units of those of two vectors
        row_blocks, col_blocks = ceil_div(oh, blocks.rows), ceil_div(ow, blocks.cols)
        tiles = planes * oh * col_blocks * ceil_div(blocks.cols, mr) * kbs
        steps = oh * col_blocks * row_steps(blocks.cols, mr)
        copied = 0 if blocks.in_place else planes * row_blocks * col_blocks * blocks.band(p)
        weights = p.oc * p.depth * size
        packing = {} if p.packed else {"pack_call": 1, "pack" if in_order(p) else "pack_sorted": p.oc * p.depth}
        return Features({
            "call": 1,
            "multiply": planes * steps * wide * p.depth * 2 * nr * size / 4,
            "tile": tiles,
            "partial": tiles // kbs if p.ocg % native.lanes(self.isa, size) else 0,  # not whole vectors are stored
            "run": tiles * (p.depth // max(blocks.depth, 1)),
            "copy": copied,
            "row": 0 if blocks.in_place else planes * row_blocks * col_blocks * p.kernel[0] * blocks.rin,
            "bytes_streamed": streamed(weights),
            **traffic(p.bytes, p.bytes - weights),
            **packing,
        })

    def workspace(self, problem: ConvProblem) -> int:
        return LastBlocks.of(problem, self.isa, 1).band(problem) * problem.acc.itemsize

    def error(self, problem: ConvProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), problem.depth)

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        _direct_last = native.compiled("conv._direct_last")
        p = problem
        threads = threads if p.flops > native.FLOPS_PER_THREAD else 1
        blocks = LastBlocks.of(p, self.isa, threads)
        table = native.table(self.isa, p.acc)
        outside = np.full(p.icg, p.fill, p.acc)
        prepared = _direct_last.DirectLast(table, p, native.padded_axes(p, p.mode), blocks, blocks.runs(p), outside)
        scratch = blocks.band(p) * p.acc.itemsize
        pack = native.Packer(self.isa, p) if in_order(p) else self._packer(p)
        return native.binder(p, prepared, scratch, threads, native.seconds(self, p), pack)

    def _packer(self, p: ConvProblem) -> Callable[[np.ndarray], np.ndarray]:
        """From (oc, icg, taps) to panels (groups, blocks, taps, icg, NR), zero after the last output channel."""
        _direct_last = native.compiled("conv._direct_last")
        size, table = p.acc.itemsize, native.table(self.isa, p.acc)
        nr = native.tile(self.isa, size)[1]
        elements = p.groups * ceil_div(p.ocg, nr) * nr * p.depth + native.SLACK
        channels = min(p.icg, max(1, PACKED_BYTES // (p.taps * nr * size)))
        aside = channels * p.taps * nr + native.SLACK

        def pack(weights: np.ndarray) -> np.ndarray:
            packed, room = aligned_empty((elements,), p.acc), aligned_empty((aside,), p.acc)
            _direct_last.pack(table, weights, packed, room, p.ocg, p.icg, p.taps, p.groups)
            return packed

        return pack


KERNELS = tuple(DirectLast(isa) for isa in machine.ISAS)
