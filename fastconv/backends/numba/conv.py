"""Convolution with Numba: when each kernel applies, how it blocks, how weights are packed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from fastconv.backends.numba.axes import Window, make_bands, slots
from fastconv.backends.numba.base import (
    CALL_SECONDS,
    NumbaKernel,
    address,
    each_isa,
    packed_zeros,
    run_items,
    steps,
)
from fastconv.core.kernel import Run
from fastconv.core.machine import Machine
from fastconv.core.problems.conv import ConvProblem

BAND_BYTES = 256 << 10  # of input in scratch, so that it and a block of weights stay in L2
WEIGHT_BYTES = 128 << 10  # of one block of weights
SUM_BYTES = 128 << 10  # of finished sums in scratch
ROW_SLOTS = 48
PACK_SECONDS = 1.5e-9  # per weight

# (rows, vectors) of tiles by number of vector registers, and their speed relative to the best.
TILES: dict[int, tuple[tuple[int, int, float], ...]] = {
    32: ((14, 2, 1.0), (7, 4, 0.95), (14, 1, 0.75)),
    16: ((6, 2, 1.0), (3, 4, 0.9), (12, 1, 0.55)),
}


def window(p: ConvProblem) -> Window:
    return Window(p.input, p.kernel, p.stride, p.dilation, p.pads, p.output, p.mode, p.layout, p.ic)


def band_slots(w: Window, rows: int, cols: int) -> int:
    """Elements of one plane of a band."""
    return slots(rows, w.kernel[1], w.stride[1], w.dilation[1]) * slots(cols, w.kernel[2], w.stride[2], w.dilation[2])


@lru_cache(maxsize=512)
def choose_block(w: Window, planes: int, size: int, unit: int, sums: int, limit: int = BAND_BYTES) -> tuple[int, int]:
    """Output rows and columns per band that read the input least often within the bounds on scratch.

    `planes` lie in scratch at once, of elements of `size` bytes; `unit` columns make one tile; `sums`
    elements are kept per output.
    """
    best = (1, min(w.output[2], unit))
    least = float("inf")
    cols = w.output[2]
    while True:
        rows = 0
        for r in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64):
            band = planes * band_slots(w, r, cols) * size
            if band > limit or r * (cols + unit) * sums * size > SUM_BYTES:
                break
            rows = min(r, w.output[1])
        if rows:
            # A row costs about as much as ROW_SLOTS of its slots, however short it is.
            height = slots(rows, w.kernel[1], w.stride[1], w.dilation[1])
            reads = (band_slots(w, rows, cols) + height * ROW_SLOTS) / (rows * cols)
            if reads < least:
                best, least = (rows, cols), reads
        if cols <= unit:
            return best
        cols = max(unit, -(-cols // 2 // unit) * unit)


class NumbaConv(NumbaKernel[ConvProblem]):
    """What the convolutions share."""

    activations = frozenset({"relu"})

    def reject(self, problem: ConvProblem) -> str | None:
        if problem.direction != "forward":
            return "transposed: done by phases"
        if problem.icg == 0:
            return "no input channels"
        return super().reject(problem)


class DirectPlan(NamedTuple):
    """Blocking of one direct convolution."""

    mr: int
    nv: int
    rows: int
    cols: int
    entries: int  # (depth tap, channel) pairs in a band
    chain: int  # entries added up in registers at a time
    items: int
    speed: float  # useful share of the best tiles' rate


class Direct(NumbaConv):
    """Output channels in lanes, pixels in rows; any kernel, stride, dilation, padding, groups and layout."""

    algorithm = "direct"

    @lru_cache(maxsize=512)  # noqa: B019  (kernels live as long as the process)
    def blocking(self, p: ConvProblem) -> DirectPlan:
        w, lanes, size = window(p), self.lanes(p.dtype), p.dtype.itemsize
        ocg, ow = max(p.ocg, 1), max(p.output[2], 1)

        def useful(tile: tuple[int, int, float]) -> float:
            mr, nv, speed = tile
            nr = nv * lanes
            return speed * (ow / (-(-ow // mr) * mr)) * (ocg / (-(-ocg // nr) * nr))

        mr, nv, _ = best = max(TILES[self.registers], key=useful)
        nr = nv * lanes
        depth = max(1, p.kernel[0] * p.icg)
        rows, cols = choose_block(w, depth, size, mr, nr)
        entries = max(1, min(depth, BAND_BYTES // (size * band_slots(w, rows, cols))))
        chain = max(1, WEIGHT_BYTES // (size * nr * p.kernel[1] * p.kernel[2]))
        chain = -(-depth // -(-depth // chain))
        items = p.n * p.groups * p.output[0] * -(-p.output[1] // rows) * -(-ow // cols) * -(-p.ocg // nr)
        return DirectPlan(mr, nv, rows, cols, entries, chain, items, useful(best))

    def cost(self, problem: ConvProblem, machine: Machine) -> float:
        p, b = problem, self.blocking(problem)
        w = window(p)
        band = p.n * p.ic * p.kernel[0] * p.pixels * band_slots(w, b.rows, b.cols) / (b.rows * b.cols)
        if b.entries < p.kernel[0] * p.icg:
            band *= -(-p.ocg // (b.nv * self.lanes(p.dtype)))
        fill = band * (0.4e-9 if p.stride[2] == 1 else 1e-9)
        store = p.n * p.oc * p.pixels * p.out.itemsize * 3 / machine.bandwidth
        pack = 0.0 if p.packed else p.oc * p.depth * PACK_SECONDS + 20e-6
        work = p.flops / (self.rate(machine, p.dtype) * b.speed) + fill + store
        return CALL_SECONDS + pack + work / self.share(b.items, machine.threads)

    def workspace(self, problem: ConvProblem) -> int:
        p, b = problem, self.blocking(problem)
        wide = -(-b.cols // b.mr) * b.mr
        sums = b.rows * wide * b.nv * self.lanes(p.dtype)
        band = b.entries * band_slots(window(p), b.rows, b.cols)
        return (sums + band) * p.dtype.itemsize + 4 * self.vbytes + b.mr * p.dtype.itemsize

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p, b = problem, self.blocking(problem)
        bands = make_bands(window(p), b.rows, b.cols)
        nr = b.nv * self.lanes(p.dtype)
        weights = pack_direct(p, constants, nr)
        filler = self.loop("band", p.dtype)
        loop = self.loop("direct", p.dtype, b.mr, b.nv)
        scratch = self.workspace(p)
        seconds = p.flops / 2e10
        ycol = p.oc if p.layout == "NHWC" else 1
        fixed = (p.groups, p.icg, p.ocg, b.entries, b.chain, int(p.activation == "relu"), filler.address, float(p.fill))

        def run(x: np.ndarray, out: np.ndarray, keep: object = filler) -> None:
            where = (address(x), *steps(x, 0, 1), address(weights), address(out), *steps(out, 0, 1), ycol)

            def call(lo: int, hi: int, memory: int) -> None:
                loop(lo, hi, *where, memory, address(bands.table), *fixed)

            run_items(call, b.items, threads, seconds, scratch)

        return run


def pack_direct(p: ConvProblem, constants: tuple[Any, ...], nr: int) -> np.ndarray:
    """[group][block of nr channels]: nr of bias, then [depth tap][input channel][tap][nr] of weights."""
    weights, bias = constants
    blocks, taps = -(-p.ocg // nr), p.kernel[1] * p.kernel[2]
    count = p.kernel[0] * p.icg * taps
    packed = packed_zeros((p.groups, blocks, 1 + count, nr), p.dtype)
    w = weights.reshape(p.groups, p.ocg, p.icg, p.kernel[0], taps).transpose(0, 3, 2, 4, 1)
    w = w.reshape(p.groups, count, p.ocg) if p.kernel[0] == 1 else np.ascontiguousarray(w).reshape(p.groups, count, -1)
    for k in range(blocks):
        part = slice(k * nr, min((k + 1) * nr, p.ocg))
        packed[:, k, 1:, : part.stop - part.start] = w[:, :, part]
        if bias is not None:
            packed[:, k, 0, : part.stop - part.start] = bias.reshape(p.groups, p.ocg)[:, part]
    return packed


KERNELS = each_isa(Direct)
