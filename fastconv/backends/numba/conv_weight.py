"""Gradients of convolution weights with Numba: tiles, blocks, and the reduction of partial sums."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastconv.backends.numba.axes import axis_slots, band_slots, make_bands
from fastconv.backends.numba.base import NumbaKernel, address, each_isa, run_items, steps
from fastconv.backends.numba.conv import BAND, conv_window
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Run
from fastconv.core.numbers import ceil_div, even_part, round_up
from fastconv.core.problems.conv import ConvProblem, weight_operands
from fastconv.core.scratch import borrow
from fastconv.machines import block_bytes

PIXELS = 256  # of a block, so that its part of y, NR channels wide, fills the L1 cache
SEGMENTS = 8
PARTIAL_BYTES = 4 << 20  # of all segments' sums
NV = 2
# Rows of tiles by number of vector registers, and their speed relative to the best; rows of taps have any number.
TILES: dict[int, tuple[tuple[int, float], ...]] = {
    32: ((14, 1.0), (8, 1.0), (4, 0.8), (2, 0.55), (1, 0.3)),
    16: ((6, 1.0), (4, 0.9), (2, 0.55), (1, 0.3)),
}


class WeightPlan(NamedTuple):
    """Blocking of one gradient."""

    mr: int
    taps: bool  # whether rows are taps of a kernel row; otherwise channels
    rows: int
    cols: int
    entries: int  # (depth tap, channel) planes in a band
    planes: int  # of sums, with those of a last, partial tile
    row_step: int  # elements between the rows of a tile, in the band
    segments: int
    speed: float  # useful share of the best tiles' rate


class NumbaWeight(NumbaKernel[ConvProblem]):
    """Any stride, dilation, padding, groups and layout."""

    algorithm = "direct"
    relative = "weight"
    row = "numba.conv_weight.direct"

    def reject(self, problem: ConvProblem) -> str | None:
        if problem.not_weight is not None:
            return problem.not_weight
        return "no input channels" if problem.icg == 0 else super().reject(problem)

    def error(self, problem: ConvProblem) -> float:
        terms = max(problem.n, 1) * problem.pixels
        return float(np.finfo(problem.dtype).eps) * (1.0 + 0.4 * terms**0.5)

    @keep_few()
    def blocking(self, p: ConvProblem) -> WeightPlan:
        size, nr = p.dtype.itemsize, NV * self.lanes(p.dtype)
        entries = p.kernel[0] * p.icg
        w = conv_window(p)
        cols = max(1, p.output[2])
        if cols > 2 * PIXELS:
            cols = even_part(cols, PIXELS)
        rows = max(1, min(max(p.output[1], 1), PIXELS // cols))

        def useful(tile: tuple[int, float]) -> float:
            return tile[1] * entries / round_up(entries, tile[0])

        mr, speed = best = max(TILES[self.registers], key=useful)
        offset, _ = axis_slots(cols, p.kernel[2], p.stride[2], p.dilation[2])
        gaps = set(np.diff(offset).tolist())
        by_taps = 1 < p.kernel[2] <= TILES[self.registers][0][0] and len(gaps) == 1 and min(gaps) > 0
        if by_taps and min(1.0, 0.2 * p.kernel[2]) > useful(best):
            mr, row_step, step, speed = p.kernel[2], gaps.pop(), 1, min(1.0, 0.2 * p.kernel[2])
        else:
            by_taps, row_step, step, speed = False, 0, mr, useful(best)
        plane = band_slots(w, rows, cols)
        fit = max(1, block_bytes(BAND) // (size * plane) // step) * step
        planes = round_up(entries, step)
        sums = p.groups * ceil_div(p.ocg, nr) * planes * p.kernel[1] * p.kernel[2] * nr * size
        blocks = p.n * p.output[0] * ceil_div(p.output[1], rows) * ceil_div(p.output[2], cols)
        segments = max(1, min(SEGMENTS, blocks, PARTIAL_BYTES // max(sums, 1)))
        return WeightPlan(mr, by_taps, rows, cols, min(fit, planes), planes, row_step, segments, speed)

    def _elements(self, p: ConvProblem) -> tuple[int, int]:
        """(partial sums, scratch of one thread) in elements."""
        b, nr = self.blocking(p), NV * self.lanes(p.dtype)
        sums = b.segments * p.groups * ceil_div(p.ocg, nr) * b.planes * p.kernel[1] * p.kernel[2] * nr
        band = b.entries * band_slots(conv_window(p), b.rows, b.cols)
        return sums, b.rows * b.cols * nr + band + (b.mr + 4) * self.lanes(p.dtype)

    def features(self, problem: ConvProblem) -> Features:
        p, b = problem, self.blocking(problem)
        nr = NV * self.lanes(p.dtype)
        kbs = ceil_div(max(p.ocg, 1), nr)
        blocks = p.n * p.output[0] * ceil_div(max(p.output[1], 1), b.rows) * ceil_div(max(p.output[2], 1), b.cols)
        used = b.speed * max(p.ocg / (kbs * nr), 1e-3)
        return Features({
            "call": 1,
            "multiply": p.flops * p.dtype.itemsize / 4 / used,
            "copy": blocks * p.ic * p.kernel[0] * band_slots(conv_window(p), b.rows, b.cols),
            "pack": p.n * p.groups * kbs * nr * p.pixels,
            "join": 2 * b.segments * p.groups * kbs * nr * p.depth,
        })

    def workspace(self, problem: ConvProblem) -> int:
        return sum(self._elements(problem)) * problem.dtype.itemsize

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p, b = problem, self.blocking(problem)
        nr = NV * self.lanes(p.dtype)
        kbs, taps = ceil_div(p.ocg, nr), p.kernel[1] * p.kernel[2]
        bands = make_bands(conv_window(p), b.rows, b.cols)
        filler, packer = self.loop("band", p.dtype), self.loop("pack", p.dtype)
        loop = self.loop("weight", p.dtype, b.mr, NV)
        sums, scratch = self._elements(p)
        step, tap_step, row_step = (1, p.kernel[2], b.row_step) if b.taps else (b.mr, 1, bands.height * bands.pitch)
        chunks = 1 if threads == 1 else min(kbs, ceil_div(2 * threads, b.segments * p.groups))
        kb = max(1, ceil_div(kbs, max(chunks, 1)))
        fixed = (
            address(bands.table), p.n, p.groups, p.icg, p.ocg, b.planes, b.entries, step, tap_step, row_step,
            b.segments, kb, filler.address, packer.address, float(p.fill),
        )  # fmt: skip
        items = b.segments * p.groups * ceil_div(kbs, kb)
        seconds = p.flops / 2e10
        constant = constants[0]
        ycol = p.oc if p.layout == "NHWC" else 1

        def run(changing: np.ndarray, out: np.ndarray, alive: object = (bands, filler, packer)) -> None:
            x, y = weight_operands(p, changing, constant)
            with borrow(sums * p.dtype.itemsize) as memory:
                partial = memory[: sums * p.dtype.itemsize].view(p.dtype)
                partial[...] = 0
                where = (address(x), *steps(x, 0, 1), address(y), *steps(y, 0, 1), ycol, address(partial))

                def call(lo: int, hi: int, own: int) -> None:
                    loop(lo, hi, *where, own, *fixed)

                run_items(call, items, threads, seconds, scratch * p.dtype.itemsize)
                join(p, partial.reshape(b.segments, p.groups, kbs, b.planes, taps, nr), out)

        return run


def join(p: ConvProblem, partial: np.ndarray, out: np.ndarray) -> None:
    """Add the segments in order, and transpose (plane, tap, channel) to weights."""
    _, groups, kbs, _, taps, nr = partial.shape
    partial = partial[:, :, :, : p.kernel[0] * p.icg]  # the rest are no sums
    total = partial[0]
    with np.errstate(all="ignore"):
        for part in partial[1:]:
            total += part
    total = total.reshape(groups, kbs, p.kernel[0], p.icg, taps, nr)
    weights = out.reshape(groups, p.ocg, p.icg, p.kernel[0], taps)
    for kb in range(kbs):
        count = min(nr, p.ocg - kb * nr)
        weights[:, kb * nr : kb * nr + count] = total[:, kb, ..., :count].transpose(0, 4, 2, 1, 3)


KERNELS = each_isa(NumbaWeight)
