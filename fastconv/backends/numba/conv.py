"""Convolution with Numba: what each kernel accepts, its block sizes, how weights are packed."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from fastconv.backends.numba.axes import (
    Window,
    band_slots,
    choose_block,
    make_bands,
    row_cost,
    slots,
    tap_sources,
)
from fastconv.backends.numba.base import (
    NumbaKernel,
    address,
    each_isa,
    packed_zeros,
    run_items,
    run_ranges,
    steps,
)
from fastconv.core.caches import keep_few
from fastconv.core.costs import Counts, Features
from fastconv.core.kernel import Run, wasteful_bytes
from fastconv.core.numbers import ceil_div, even_part, round_up
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes, l3_bytes

# Blocks: of input in scratch, so that it and a block of weights stay in L2; of one channel in scratch; of weights.
BAND, CHANNEL, WEIGHTS = (f"numba.conv/{block}" for block in ("band", "channel", "weights"))
MAX_TABLE = 1 << 20  # entries of a table of sources
OVERLAP = 0.7  # of pointwise arithmetic and memory traffic

# (rows, vectors) of tiles by number of vector registers, and their speed relative to the best.
TILES: dict[int, tuple[tuple[int, int, float], ...]] = {
    32: ((14, 2, 1.0), (7, 3, 0.9), (14, 1, 0.75)),
    16: ((6, 2, 1.0), (3, 3, 0.8), (12, 1, 0.55)),
}

POINTWISE_TILES: dict[int, tuple[tuple[int, int, float], ...]] = {
    32: ((14, 2, 1.0), (12, 2, 0.98), (4, 2, 0.6)),
    16: ((6, 2, 1.0), (4, 2, 0.8)),
}


def conv_window(p: ConvProblem) -> Window:
    return Window(p.input, p.kernel, p.stride, p.dilation, p.pads, p.output, p.mode, p.layout, p.ic)


def conv_packing(p: ConvProblem) -> Counts:
    """Counts of packing the weights."""
    return {} if p.packed else {"pack_call": 1, "pack": p.oc * p.depth}


class NumbaConv(NumbaKernel[ConvProblem]):
    """Base of the convolutions."""

    activations = frozenset({"relu"})

    def reject(self, problem: ConvProblem) -> str | None:
        if problem.not_forward:
            return problem.not_forward
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
    chain: int  # entries summed in registers at a time
    items: int
    speed: float  # useful share of the best tiles' rate


class NumbaDirect(NumbaConv):
    """Output channels in lanes, pixels in rows; any kernel, stride, dilation, padding, groups and layout."""

    algorithm = "direct"
    row = "numba.conv.direct"

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        reason = super().reject(p)
        if reason is not None:
            return reason
        size, nr = p.dtype.itemsize, self.blocking(p).nv * self.lanes(p.dtype)
        return wasteful_bytes(p.groups * ceil_div(p.ocg, nr) * nr * p.depth * size, p.oc * p.depth * size)

    @keep_few()
    def blocking(self, p: ConvProblem) -> DirectPlan:
        w, lanes, size = conv_window(p), self.lanes(p.dtype), p.dtype.itemsize
        ocg, ow = max(p.ocg, 1), max(p.output[2], 1)

        def useful(tile: tuple[int, int, float]) -> float:
            mr, nv, speed = tile
            nr = nv * lanes
            return speed * (ow / round_up(ow, mr)) * (ocg / round_up(ocg, nr))

        mr, nv, _ = best = max(TILES[self.registers], key=useful)
        nr = nv * lanes
        depth = max(1, p.kernel[0] * p.icg)
        rows, cols = choose_block(w, depth, size, mr, nr, block_bytes(BAND))
        entries = max(1, min(depth, block_bytes(BAND) // (size * band_slots(w, rows, cols))))
        chain = max(1, block_bytes(WEIGHTS) // (size * nr * p.kernel[1] * p.kernel[2]))
        chain = even_part(depth, chain)
        items = p.n * p.groups * p.output[0] * ceil_div(p.output[1], rows) * ceil_div(ow, cols) * ceil_div(p.ocg, nr)
        return DirectPlan(mr, nv, rows, cols, entries, chain, items, useful(best))

    def features(self, problem: ConvProblem) -> Features:
        p, b = problem, self.blocking(problem)
        w = conv_window(p)
        band = p.n * p.ic * p.kernel[0] * p.pixels * band_slots(w, b.rows, b.cols) / (b.rows * b.cols)
        if b.entries < p.kernel[0] * p.icg:
            band *= ceil_div(p.ocg, b.nv * self.lanes(p.dtype))
        return Features({
            "call": 1,
            "multiply": p.flops * p.dtype.itemsize / 4 / b.speed,
            "copy" if p.stride[2] == 1 else "gather": band,
            "bytes": p.n * p.oc * p.pixels * p.out.itemsize * 3,
            "bytes_read": prod(p.x_shape) * p.dtype.itemsize if p.bytes > l3_bytes() / 2 else 0,
            **conv_packing(p),
        })

    def workspace(self, problem: ConvProblem) -> int:
        p, b = problem, self.blocking(problem)
        wide = round_up(b.cols, b.mr)
        sums = b.rows * wide * b.nv * self.lanes(p.dtype)
        band = b.entries * band_slots(conv_window(p), b.rows, b.cols)
        return (sums + band) * p.dtype.itemsize + 4 * self.vbytes + b.mr * p.dtype.itemsize

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p, b = problem, self.blocking(problem)
        bands = make_bands(conv_window(p), b.rows, b.cols)
        nr = b.nv * self.lanes(p.dtype)
        weights = pack_direct(p, constants, nr)
        filler = self.loop("band", p.dtype)
        loop = self.loop("direct", p.dtype, b.mr, b.nv)
        scratch = self.workspace(p)
        seconds = p.flops / 2e10
        ycol = p.oc if p.layout == "NHWC" else 1
        relu = int(p.activation == "relu")
        fixed = (address(bands.table), p.groups, p.icg, p.ocg, b.entries, b.chain, relu, filler.address, float(p.fill))
        w = address(weights)

        def run(x: np.ndarray, out: np.ndarray, alive: object = (weights, bands, filler)) -> None:
            where = (address(x), *steps(x, 0, 1), w, address(out), *steps(out, 0, 1), ycol)

            def call(lo: int, hi: int, memory: int) -> None:
                loop(lo, hi, *where, memory, *fixed)

            run_items(call, b.items, threads, seconds, scratch)

        return run


def pack_direct(p: ConvProblem, constants: tuple[Any, ...], nr: int) -> np.ndarray:
    """[group][block of nr channels]: nr of bias, then [depth tap][input channel][tap][nr] of weights."""
    weights, bias = constants
    blocks, taps = ceil_div(p.ocg, nr), p.kernel[1] * p.kernel[2]
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


class NumbaPointwise(NumbaConv):
    """1x1, stride 1, no padding, channels first: the input is read in place."""

    algorithm = "pointwise"
    row = "numba.conv.pointwise"

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.taps != 1 or p.stride != (1, 1, 1) or any(pad != (0, 0) for pad in p.pads):
            return "not 1x1 with stride 1 and no padding"
        if p.layout != "NCHW":
            return "channels last: pixels are not adjacent"
        return super().reject(p)

    def _tile(self, p: ConvProblem) -> tuple[int, int, float]:
        nr = 2 * self.lanes(p.dtype)

        def useful(tile: tuple[int, int, float]) -> float:
            mr, _, speed = tile
            return speed * (p.ocg / round_up(p.ocg, mr)) * (p.pixels / round_up(p.pixels, nr))

        return max(POINTWISE_TILES[self.registers], key=useful) if p.ocg and p.pixels else (4, 2, 1.0)

    def features(self, problem: ConvProblem) -> Features:
        p = problem
        mr, nv, speed = self._tile(p)
        nr = nv * self.lanes(p.dtype)
        blocks = ceil_div(p.pixels, nr)
        filled = max(1, p.ocg) * max(1, p.pixels) / (max(1, round_up(p.ocg, mr)) * max(1, blocks * nr))
        multiply, memory = p.flops * p.dtype.itemsize / 4 / (speed * filled), p.bytes
        # Arithmetic and memory traffic overlap for the most part.
        return Features(
            {"call": 1, "multiply": (1 - OVERLAP) * multiply, "bytes": (1 - OVERLAP) * memory, **conv_packing(p)},
            {"multiply": OVERLAP * multiply},
            {"bytes": OVERLAP * memory},
        )

    def workspace(self, problem: ConvProblem) -> int:
        return 0

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        mr, nv, _ = self._tile(p)
        weights = pack_rows(p, constants, mr)
        loop = self.loop("pointwise", p.dtype, mr, nv)
        tiles = ceil_div(p.ocg, mr)
        chunk = max(1, block_bytes(WEIGHTS) // (mr * p.icg * p.dtype.itemsize))
        chunk = ceil_div(tiles, max(1, ceil_div(tiles, chunk)))
        blocks = ceil_div(p.pixels, nv * self.lanes(p.dtype))
        items = p.n * p.groups * ceil_div(tiles, max(1, chunk)) * blocks
        fixed = (p.pixels, p.groups, p.icg, p.ocg, chunk, int(p.activation == "relu"))
        seconds = p.flops / 2e10

        w = address(weights)

        def run(x: np.ndarray, out: np.ndarray, alive: object = weights) -> None:
            where = (address(x), *steps(x, 0, 1), w, address(out), *steps(out, 0, 1))

            def call(lo: int, hi: int) -> None:
                loop(lo, hi, *where, *fixed)

            run_ranges(call, items, threads, seconds)

        return run


def pack_rows(p: ConvProblem, constants: tuple[Any, ...], mr: int) -> np.ndarray:
    """[group][tile of mr output channels]: mr of bias, then [input channel][mr] of weights."""
    weights, bias = constants
    tiles = ceil_div(p.ocg, mr)
    packed = packed_zeros((p.groups, tiles * mr, 1 + p.icg), p.dtype)
    packed[:, : p.ocg, 1:] = weights.reshape(p.groups, p.ocg, p.icg)
    if bias is not None:
        packed[:, : p.ocg, 0] = bias.reshape(p.groups, p.ocg)
    result = packed_zeros((p.groups, tiles, 1 + p.icg, mr), p.dtype)
    result[...] = packed.reshape(p.groups, tiles, mr, 1 + p.icg).swapaxes(2, 3)
    return result


class NumbaDepthwise(NumbaConv):
    """One input channel per group, any multiplier: pixels in lanes, from a band of one channel."""

    algorithm = "depthwise"
    row = "numba.conv.depthwise"

    def reject(self, problem: ConvProblem) -> str | None:
        return "more than one input channel per group" if problem.icg > 1 else super().reject(problem)

    @staticmethod
    def _in_place(p: ConvProblem) -> bool:
        """Whether channels can be lanes in place: channels last, as many out as in, and small tables."""
        table = sum(k * o for k, o in zip(p.kernel, p.output, strict=True))
        return p.layout == "NHWC" and p.ocg == 1 and table <= MAX_TABLE

    @keep_few()
    def blocking(self, p: ConvProblem) -> tuple[int, int, int, int]:
        """(tile rows, vectors, band rows, band columns)"""
        lanes, size = self.lanes(p.dtype), p.dtype.itemsize
        rb, nv = (4, 2) if p.output[2] > lanes else (8, 1)
        if self.registers < 32:
            rb //= 2
        rows, cols = choose_block(conv_window(p), p.kernel[0], size, nv * lanes, 0, block_bytes(CHANNEL))
        return rb, nv, rows, cols

    def features(self, problem: ConvProblem) -> Features:
        p, size = problem, problem.dtype.itemsize / 4
        counts: dict[str, float] = {"call": 1, "bytes": p.bytes, "pack_call": not p.packed}
        if self._in_place(p):
            lanes = 4 * self.lanes(p.dtype)
            used = p.oc / round_up(p.oc, lanes)
            return Features({"multiply_channels": p.flops * size / used, **counts})
        rb, nv, rows, cols = self.blocking(p)
        lanes = nv * self.lanes(p.dtype)
        ow, oh = max(1, p.output[2]), max(1, p.output[1])
        used = ow / round_up(ow, lanes) * oh / round_up(oh, rb)
        return Features({
            "multiply": p.flops * size / used,
            "copy": row_cost(conv_window(p), rows, cols) * p.n * p.ic * p.kernel[0] * p.pixels * size,
            "scatter": p.n * p.oc * p.pixels if p.layout == "NHWC" else 0,
            **counts,
        })

    def workspace(self, problem: ConvProblem) -> int:
        p = problem
        if self._in_place(p):
            return 0
        rb, nv, rows, cols = self.blocking(p)
        sums = rb * nv * self.vbytes
        band = (p.kernel[0] * band_slots(conv_window(p), rows, cols) + self._slack(p)) * p.dtype.itemsize
        return sums + band + 4 * self.vbytes

    def _slack(self, p: ConvProblem) -> int:
        """Elements after a band that a last tile reads for rows and columns that do not exist."""
        rb, nv, _, cols = self.blocking(p)
        pitch = slots(cols, p.kernel[2], p.stride[2], p.dilation[2])
        return rb * pitch + nv * self.lanes(p.dtype)

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        if self._in_place(problem):
            return self._prepare_in_place(problem, constants, threads)
        p = problem
        weights, bias = constants
        rb, nv, rows, cols = self.blocking(p)
        bands = make_bands(conv_window(p), rows, cols)
        packed = packed_zeros((p.oc, 1 + p.taps), p.dtype)
        packed[:, 1:] = weights.reshape(p.oc, p.taps)
        if bias is not None:
            packed[:, 0] = bias
        filler = self.loop("band", p.dtype)
        loop = self.loop("depthwise", p.dtype, rb, nv)
        scratch = self.workspace(p)
        items = p.n * p.groups * p.output[0] * bands.nr * bands.nq
        ycol = p.oc if p.layout == "NHWC" else 1
        fixed = (address(bands.table), p.groups, p.ocg, int(p.activation == "relu"), filler.address, float(p.fill))
        w = address(packed)
        seconds = p.flops / 4e9

        def run(x: np.ndarray, out: np.ndarray, alive: object = (packed, bands, filler)) -> None:
            where = (address(x), *steps(x, 0, 1), w, address(out), *steps(out, 0, 1), ycol)

            def call(lo: int, hi: int, memory: int) -> None:
                loop(lo, hi, *where, memory, *fixed)

            run_items(call, items, threads, seconds, scratch)

        return run

    def _prepare_in_place(self, p: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        weights, bias = constants
        nv = 4
        nr = nv * self.lanes(p.dtype)
        wide = round_up(p.oc, nr)
        packed = packed_zeros((1 + p.taps, wide), p.dtype)
        packed[1:, : p.oc] = weights.reshape(p.oc, p.taps).T
        if bias is not None:
            packed[0, : p.oc] = bias
        sources = np.concatenate([[int(p.activation == "relu")], tap_sources(conv_window(p))]).astype(np.int64)
        loop = self.loop("depthwise_last", p.dtype, nv)
        fixed = (p.oc, wide, *p.input[1:], *p.output, *p.kernel, address(sources), float(p.fill))
        w = address(packed)
        seconds = p.flops / 4e9

        def run(x: np.ndarray, out: np.ndarray, alive: object = (packed, sources)) -> None:
            where = (address(x), *steps(x, 0), w, address(out), *steps(out, 0))

            def call(lo: int, hi: int) -> None:
                loop(lo, hi, *where, *fixed)

            run_ranges(call, p.n * p.output[0] * p.output[1], threads, seconds)

        return run


KERNELS = each_isa(NumbaPointwise, NumbaDepthwise, NumbaDirect)
