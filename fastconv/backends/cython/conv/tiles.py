"""Convolutions of bfloat16 in matrix registers (AMX): the kernel object and its block sizes.

Weights are the left operand of a product whose right one is a band of pixels, in pairs of channels: every tap reads it
at another offset, so no matrix of windows is made.  A tile is 32 output channels x 32 pixels, which may span rows.
With few channels, the columns of the kernel are channels, too, so that a step of the product has enough to sum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastconv.backends.cython.gemm.tiles import EPS, FLOPS_PER_THREAD, ISAS, NOTE, TILE, reject_bfloat16, steps_of
from fastconv.backends.cython.runtime import native
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Kernel, Run, Specialised, epsilon, rounding_bound, summation_error
from fastconv.core.numbers import ceil_div, span, whole_lines
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.scratch import aligned_empty
from fastconv.machines import block_bytes, traffic

BAND = "cython.conv.tiles/band"  # block: of a band
LARGEST = 8 << 20  # bytes of a band of one output row of a tile's width
PAIR, STEP = 0.6, 1.0  # time of a pair of 16 pixels in a band, of 16 channels and pixels in a step


@dataclass(frozen=True, slots=True)
class TiledBlocks:
    """Sizes of a block of outputs and of its band.

    Attributes
    ----------
    rows, cols : int
        Of outputs.
    height, width : int
        Of the input that it reads.
    hq, wq, plane : int
        Rows and columns of one stride phase of the band, and pixels from one pair of channels to the next.
    channels, taps : int
        Numbers of a step's sum, and how often they are summed, each time at another offset.
    steps, pairs : int
        See `steps_of`.
    combined : bool
        Whether columns of the kernel count as channels.
    staged : int
        Bytes of a padded row of all channels.
    """

    rows: int
    cols: int
    height: int
    width: int
    hq: int
    wq: int
    plane: int
    channels: int
    taps: int
    steps: int
    pairs: int
    combined: bool
    staged: int

    @classmethod
    def sized(cls, p: ConvProblem, rows: int, cols: int, combined: bool) -> TiledBlocks:
        height = span(rows, p.stride[1], p.kernel[1], p.dilation[1])
        width = span(cols, p.stride[2], p.kernel[2], p.dilation[2])
        hq, phases = ceil_div(height, p.stride[1]), p.stride[1]
        wq = cols
        if not combined:
            wq, phases = ceil_div(width, p.stride[2]), phases * p.stride[2]
        plane = (phases * hq * wq + 2 * TILE) // 16 | 1  # an odd number of cache lines: rows of a tile differ in sets
        channels = p.icg * (p.kernel[2] if combined else 1)
        taps = p.kernel[1] * (1 if combined else p.kernel[2])
        staged = whole_lines(width * p.icg * 2) if combined else 0
        steps, pairs = steps_of(ceil_div(channels, 2))
        return cls(rows, cols, height, width, hq, wq, plane * 16, channels, taps, steps, pairs, combined, staged)

    @classmethod
    @keep_few()
    def of(cls, p: ConvProblem, count: int) -> TiledBlocks:
        oh, ow = max(1, p.output[1]), max(1, p.output[2])
        combined = p.kernel[2] > 1 and (p.layout == "NCHW" or p.dilation[2] == 1) and cls._combines(p)
        rows, cols = oh, ow
        if count > 1:
            rows = max(1, min(oh, oh * p.n * p.groups // (4 * count)))
        while rows > 1 and cls.sized(p, rows, cols, combined).band_bytes > block_bytes(BAND):
            rows = ceil_div(rows, 2)
        while cols > TILE and cls.sized(p, rows, cols, combined).band_bytes > block_bytes(BAND):
            cols = ceil_div(cols, 2)
        rows, cols = ceil_div(oh, ceil_div(oh, rows)), ceil_div(ow, ceil_div(ow, cols))
        return cls.sized(p, rows, cols, combined)

    @staticmethod
    def _combines(p: ConvProblem) -> bool:
        """Whether fewer steps are worth more pairs."""
        oc, kw = ceil_div(p.ocg, 16), p.kernel[2]
        alone = kw * ceil_div(p.icg, TILE) * oc * STEP + p.icg / 2 * PAIR
        together = ceil_div(p.icg * kw, TILE) * oc * STEP + p.icg * kw / 2 * PAIR
        return together < alone

    @property
    def band_bytes(self) -> int:
        return self.steps * self.pairs * self.plane * 4

    @property
    def scratch(self) -> int:
        """Bytes: sums, offsets, the band, a padded row."""
        return 4 * TILE * TILE + whole_lines(self.taps * 8) + self.band_bytes + self.staged

    def tap_at(self, p: ConvProblem) -> np.ndarray:
        """Offset of each tap in the band, in numbers."""
        columns = 1 if self.combined else p.kernel[2]
        phases = 1 if self.combined else p.stride[2]
        row = np.arange(p.kernel[1], dtype=np.intp) * p.dilation[1]
        col = np.arange(columns, dtype=np.intp) * p.dilation[2]
        down = (row % p.stride[1] * phases * self.hq + row // p.stride[1]) * self.wq
        across = col % p.stride[2] * self.hq * self.wq + col // p.stride[2]
        return np.ascontiguousarray((down[:, None] + across).ravel() * 2)


class TiledConv(Specialised[ConvProblem]):
    """Signals and images, padded with zeros."""

    backend = "cython"
    algorithm = "direct"
    relative = "tiles"
    row = "cython.conv.tiles"
    activations = frozenset({"relu"})
    flushes = True
    note = NOTE

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_forward:
            return p.not_forward
        if p.icg == 0:
            return "no channels"
        if p.input[0] != 1 or p.kernel[0] != 1 or p.output[0] != 1 or p.pads[0] != (0, 0):
            return "more than one plane"
        if (p.mode != "zeros" and any(map(any, p.pads))) or p.fill != 0:
            return "padding that is not zero"
        if TiledBlocks.of(p, 1).band_bytes > LARGEST:
            return "a row is too long for scratch"
        return reject_bfloat16(self.isa, p.dtype)

    def features(self, problem: ConvProblem) -> Features:
        p, b = problem, TiledBlocks.of(problem, 1)
        items = max(p.n, 1) * p.groups * ceil_div(max(p.output[1], 1), b.rows) * ceil_div(max(p.output[2], 1), b.cols)
        pixels = (b.rows - 1) * b.wq + b.cols
        panels, strips = ceil_div(pixels, TILE), ceil_div(max(p.ocg, 1), TILE)
        squares = ceil_div(max(p.ocg, 1), TILE // 2) * ceil_div(pixels, TILE // 2)
        runs = panels if b.wq == p.output[2] else panels + b.rows
        filled = (b.plane - 2 * TILE) * b.steps * b.pairs * 2
        rows = b.height if p.layout == "NCHW" else 0
        weights = 0 if p.packed else p.oc * b.taps * b.steps * b.pairs * 2
        counts = {
            "call": 1, "item": items, "tile": items * strips * runs, "row": items * rows, "pack": items * filled,
            "weights": weights,
        }  # fmt: skip
        return Features(counts, {"step": items * squares * b.steps * b.taps}, traffic(p.bytes))

    def workspace(self, problem: ConvProblem) -> int:
        return TiledBlocks.of(problem, 1).scratch

    def error(self, problem: ConvProblem) -> float:
        return epsilon(problem.out) + summation_error(EPS, problem.depth)

    def bound(self, problem: ConvProblem) -> float:
        return rounding_bound(problem, problem.terms + 2) * (1 + epsilon(problem.out))

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        _tiles = native.compiled("conv._tiles")
        p = problem
        count = threads if p.flops > FLOPS_PER_THREAD else 1
        b = TiledBlocks.of(p if p.n else replace(p, n=1), count)
        tables = native.table(self.isa, p.dtype), native.simd().tiles()
        prepared = _tiles.TiledConv(*tables, p, b, b.tap_at(p))
        native.schedule(prepared, b.scratch, count, native.seconds(self, p), *native.images(p))
        packed_bytes = p.oc * b.taps * b.steps * b.pairs * 4

        def bind(constants: tuple[Any, ...]) -> Run:
            weights, bias = constants
            if b.combined:
                order = (0, 1, 3, 2) if p.layout == "NCHW" else (0, 3, 1, 2)
                weights = np.ascontiguousarray(weights.reshape(p.oc, p.icg, *p.kernel[1:]).transpose(order))
            return prepared.operands(weights, aligned_empty(packed_bytes), bias)

        return bind


CONVOLUTIONS: tuple[Kernel[ConvProblem], ...] = tuple(map(TiledConv, ISAS))
