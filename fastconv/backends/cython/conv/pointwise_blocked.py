"""1x1 convolution with output channels in lanes, both layouts: the kernel objects and their block sizes.

For small maps of many channels, where pixels do not fill vectors: the register tile is MR pixels x 2 vectors of output
channels, on pixels laid out in blocks of VL channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastconv.backends.cython.conv import images
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Specialised, summation_error
from fastconv.core.numbers import ceil_div, even_part, round_up
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes, streamed

# Of all channels of an item: they stay in the L2 cache for every output channel.
PIXELS = "cython.conv.pointwise_blocked/pixels"
TOGETHER = 256  # channels summed at a time: their weights stay in the L1 cache for all pixels
# Largest map, and most blocks of output channels, for which the image is read in place, because rearranging it into
# blocks of VL channels costs more than it gains; then so many channels are summed at a time.
SMALL_PIXELS = 400
IN_PLACE_BLOCKS = {"avx512": 1 << 30, "avx2": 15, "neon": 15, "portable": 15}
IN_PLACE_TOGETHER = {"avx512": 256, "avx2": 128, "neon": 128, "portable": 128}
FULL_ROWS = {"avx512": 3, "avx2": 5, "neon": 4, "portable": 4}  # pixels of a tile; with fewer, sums wait for each other


@dataclass(frozen=True, slots=True)
class PixelBlocks:
    """Block sizes of one problem.

    Attributes
    ----------
    line : int
        Adjacent pixels in memory: a row, or without strides the whole image.
    pixels, k_chunk : int
        Pixels, and blocks of NR output channels, of an item of work.
    together : int
        Channels summed at a time.
    in_place : bool
        Whether pixels are read in place.
    v, s : int
        Elements of the pixels in blocks, and of their sums.
    """

    line: int
    pixels: int
    k_chunk: int
    together: int
    in_place: bool
    v: int
    s: int

    @classmethod
    @keep_few()
    def of(cls, p: ConvProblem, isa: str, threads: int) -> PixelBlocks:
        size = p.acc.itemsize
        vl, (mr, nr) = native.lanes(isa, size), native.tile(isa, size)
        depth = round_up(max(1, p.icg), vl)
        most = max(mr, block_bytes(PIXELS) // (depth * size))
        pixels = even_part(p.pixels, most) if p.pixels else 1
        kbs = ceil_div(p.ocg, nr)
        items = p.n * p.groups * ceil_div(p.pixels, pixels)
        plain = p.stride == (1, 1, 1)
        in_place = plain and p.layout == "NCHW" and 1 < p.pixels <= SMALL_PIXELS and kbs <= IN_PLACE_BLOCKS[isa]
        together = IN_PLACE_TOGETHER[isa] if in_place else TOGETHER
        return cls(
            p.pixels if plain else p.output[2], pixels, native.blocks_together(kbs, items, threads), together, in_place,
            0 if in_place else depth * pixels + vl, (pixels + vl) * nr,
        )  # fmt: skip

    def bytes(self, size: int) -> int:
        return (self.v + self.s) * size


class PointwiseBlocked(Specialised[ConvProblem]):
    """1x1 without padding."""

    backend = "cython"
    algorithm = "pointwise"
    relative = "blocked"
    row = "cython.conv.pointwise_blocked"
    activations = frozenset({"relu"})

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_forward:
            return p.not_forward
        if p.taps != 1 or any(pad != (0, 0) for pad in p.pads):
            return "not 1x1 without padding"
        if p.layout == "NCHW" and p.stride[2] != 1:
            return "a stride along rows"
        if p.depth == 0:
            return "no channels"
        return native.reject_common(self.isa, p.dtype)

    def features(self, problem: ConvProblem) -> Features:
        p, size = problem, problem.acc.itemsize
        mr, _ = native.tile(self.isa, size)
        blocks = PixelBlocks.of(p, self.isa, 1)
        rows = blocks.pixels / ceil_div(blocks.pixels, mr)
        lanes_used = p.ocg / native.used_lanes(self.isa, size, p.ocg) if p.ocg else 1.0
        used = max(lanes_used * min(1.0, rows / FULL_ROWS[self.isa]), 1e-3)
        entered = round_up(p.icg, native.lanes(self.isa, size))  # whole vectors of channels are copied
        moved = p.n * p.groups * p.pixels * ((0 if blocks.in_place else entered) + p.ocg)
        # Weights stream from the L3 cache while tiles compute.
        alone = Features(
            {"call": 1, "move": moved, **native.packing(p)},
            {"multiply": p.flops * size / 4 / used},
            {"bytes_streamed": streamed(p.oc * p.icg * size)},
        )
        return images.better(p, self.isa, alone.of(self.rates))

    def _side_by_side(self, p: ConvProblem) -> list[int]:
        """The parts of a sum, see `images`, if small images are processed side by side; else nothing."""
        if not images.faster(p, self.isa, native.seconds(self, p)):
            return []
        vl, together = native.lanes(self.isa, p.acc.itemsize), PixelBlocks.of(p, self.isa, 1).together
        parts = [0]
        while parts[-1] < p.icg:
            left = p.icg - parts[-1]
            parts.append(parts[-1] + max(1, min(together, left) // vl) * min(vl, left))
        return parts

    def workspace(self, problem: ConvProblem) -> int:
        if self._side_by_side(problem):
            return images.lanes_bytes(problem, self.isa)
        return PixelBlocks.of(problem, self.isa, 1).bytes(problem.acc.itemsize)

    def error(self, problem: ConvProblem) -> float:
        together = PixelBlocks.of(problem, self.isa, 1).together
        terms = min(problem.depth, together) + problem.depth // together
        return summation_error(float(np.finfo(problem.acc).eps), terms)

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        _pointwise_blocked = native.compiled("conv._pointwise_blocked")
        p = problem
        size = p.acc.itemsize
        parts = self._side_by_side(p)
        if parts:
            return images.specialise(p, self.isa, threads, parts)
        table = native.table(self.isa, p.acc)
        threads = threads if p.flops > native.FLOPS_PER_THREAD else 1
        blocks = PixelBlocks.of(p, self.isa, threads)
        prepared = _pointwise_blocked.PointwiseBlocked(table, p, blocks)
        pack = native.Packer(self.isa, p)
        return native.binder(p, prepared, blocks.bytes(size), threads, native.seconds(self, p), pack)


KERNELS = tuple(PointwiseBlocked(isa) for isa in machine.ISAS)
