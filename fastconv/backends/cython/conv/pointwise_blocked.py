"""1x1 convolution with output channels in lanes, any stride, both layouts: the kernel objects and their block sizes.

For small maps of many channels, where pixels do not fill vectors: the register tile is MR pixels x 2 vectors of output
channels, on pixels laid out in blocks of VL channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.caches import keep_few
from fastconv.core.kernel import Bind, Specialised, summation_error
from fastconv.core.machine import Machine
from fastconv.core.problems.conv import ConvProblem

V_BYTES = 384 << 10  # pixels of all channels of an item: they stay in the L2 cache for every output channel
TOGETHER = 256  # channels summed at a time: their weights stay in the L1 cache for all pixels
# Largest map, and most blocks of output channels, for which the image is read in place, because rearranging it into
# blocks of VL channels costs more than it gains; then so many channels are summed at a time.
SMALL_PIXELS = 400
IN_PLACE_BLOCKS = {"avx512": 1 << 30, "avx2": 15, "portable": 15}
IN_PLACE_TOGETHER = {"avx512": 256, "avx2": 128, "portable": 128}
RATE = {"avx512": 0.79, "avx2": 0.93, "portable": 0.6}  # of peak
FULL_ROWS = {"avx512": 3, "avx2": 5, "portable": 4}  # pixels of a tile; with fewer, sums wait for each other
MOVE_SECONDS = 2.2e-10  # per element rearranged into blocks or back
START_SECONDS = 1.2e-6


@dataclass(frozen=True, slots=True)
class Blocks:
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
    v, s, row : int
        Elements of the pixels in blocks, of their sums, and of one row before its columns are selected.
    """

    line: int
    pixels: int
    k_chunk: int
    together: int
    in_place: bool
    v: int
    s: int
    row: int

    @classmethod
    @keep_few()
    def of(cls, p: ConvProblem, isa: str, threads: int) -> Blocks:
        size = p.acc.itemsize
        vl, (mr, nr) = native.lanes(isa, size), native.tile(isa, size)
        depth = -(-max(1, p.icg) // vl) * vl
        most = max(mr, V_BYTES // (depth * size))
        pixels = -(-p.pixels // -(-p.pixels // most)) if p.pixels else 1  # near-equal parts
        kbs = -(-p.ocg // nr)
        items = p.n * p.groups * -(-p.pixels // pixels)
        chunks = 1 if items >= 2 * threads else min(kbs, -(-2 * threads // max(items, 1)))
        plain = p.stride == (1, 1, 1)
        in_place = plain and p.layout == "NCHW" and 1 < p.pixels <= SMALL_PIXELS and kbs <= IN_PLACE_BLOCKS[isa]
        together = IN_PLACE_TOGETHER[isa] if in_place else TOGETHER
        return cls(
            p.pixels if plain else p.output[2], pixels, max(1, -(-kbs // max(1, chunks))), together, in_place,
            0 if in_place else depth * pixels + vl, (pixels + vl) * nr, 0 if plain else (p.input[2] + 1) * vl,
        )  # fmt: skip

    def bytes(self, size: int) -> int:
        return (self.v + self.s + self.row) * size


class PointwiseBlocked(Specialised[ConvProblem]):
    """1x1 without padding."""

    backend = "cython"
    algorithm = "pointwise"
    relative = "blocked"
    activations = frozenset({"relu"})

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_forward:
            return p.not_forward
        if p.taps != 1 or any(pad != (0, 0) for pad in p.pads):
            return "not 1x1 without padding"
        if p.depth == 0:
            return "no channels"
        return native.reject_common(self.isa, p.dtype)

    def cost(self, problem: ConvProblem, machine: Machine) -> float:
        p = problem
        mr, nr = native.tile(self.isa, p.acc.itemsize)
        blocks = Blocks.of(p, self.isa, 1)
        rows = blocks.pixels / -(-blocks.pixels // mr)
        lanes_used = p.ocg / (-(-max(p.ocg, 1) // nr) * nr) if p.ocg else 1.0
        used = max(lanes_used * min(1.0, rows / FULL_ROWS[self.isa]), 1e-3)
        peak = machine.flops(self.isa, p.acc.itemsize) * RATE[self.isa] * used
        pack = 0.0 if p.packed else native.PACK_CALL_SECONDS + native.PACK_SECONDS * p.oc * p.icg
        entered = 0 if blocks.in_place else p.ic * (p.stride[2] if p.layout == "NCHW" else 1)  # whole rows are copied
        moves = MOVE_SECONDS * p.n * p.pixels * (entered + p.oc)
        # Weights stream from the L3 cache while tiles compute.
        products = max(p.flops / peak, native.stream_seconds(p.oc * p.icg * p.acc.itemsize, machine))
        return START_SECONDS + pack + (products + moves)

    def workspace(self, problem: ConvProblem) -> int:
        return Blocks.of(problem, self.isa, 1).bytes(problem.acc.itemsize)

    def error(self, problem: ConvProblem) -> float:
        together = Blocks.of(problem, self.isa, 1).together
        terms = min(problem.depth, together) + problem.depth // together
        return summation_error(float(np.finfo(problem.acc).eps), terms)

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        _pointwise_blocked = native.compiled("conv._pointwise_blocked")
        p = problem
        size = p.acc.itemsize
        table = native.table(self.isa, size)
        threads = threads if p.flops > native.FLOPS_PER_THREAD else 1
        blocks = Blocks.of(p, self.isa, threads)
        prepared = _pointwise_blocked.PointwiseBlocked(table, p, blocks)
        pack = native.packer(self.isa, p)
        return native.binder(p, prepared, blocks.bytes(size), threads, native.seconds(self, p), pack)


KERNELS = tuple(PointwiseBlocked(isa) for isa in machine.ISAS)
