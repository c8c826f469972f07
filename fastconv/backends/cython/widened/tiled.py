"""Convolutions of bfloat16 in matrix registers: windows are rows of a product, read in place.

An image becomes a band of pixels whose channels are adjacent, with its padding.  A window is then some runs of the
band, one for each kernel row, and the windows of an output row are rows of a matrix, `stride` pixels apart, which the
matrix registers load as they lie.  Sums of a tile of outputs stay in registers for the whole window.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.backends.cython.gemm import packed
from fastconv.backends.cython.runtime import halves, native
from fastconv.backends.cython.runtime.dtypes import BFLOAT16_TILES, TABLES
from fastconv.backends.cython.widened.pairs import TILES_NOTE
from fastconv.backends.cython.widened.products import FLOAT, floats
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Run, Specialised, epsilon, rounding_bound, summation_error
from fastconv.core.numbers import ceil_div, even_part, span, whole_lines
from fastconv.core.problems.base import is_bfloat16, named
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.gemm import GemmProblem
from fastconv.core.scratch import borrow

BAND_BYTES = 512 << 10  # of a band and of the sums of a block, if more than one output row fits
LARGEST = 8 << 20  # of those of one output row


@dataclass(frozen=True, slots=True)
class TiledBlocks:
    """Sizes of a block of output rows: `pairs` of channels of a pixel, rows and columns of the band."""

    rows: int
    pairs: int
    height: int
    width: int

    @classmethod
    def of(cls, p: ConvProblem) -> TiledBlocks:
        pairs, (_, oh, ow) = ceil_div(p.ic, 2), p.output
        width = max(p.input[2] + sum(p.pads[2]), span(ow, p.stride[2], p.kernel[2], 1))
        one_row = max(width * pairs * p.stride[1], ow * p.oc) * FLOAT.itemsize
        rows = even_part(oh, max(1, BAND_BYTES // max(1, one_row)))
        return cls(rows, pairs, span(rows, p.stride[1], p.kernel[1], p.dilation[1]), width)

    def bytes(self, p: ConvProblem) -> tuple[int, int, int]:
        """Of the band, of its pairs before they are turned, and of sums."""
        band, sums = self.height * self.width * self.pairs, self.rows * p.output[2] * p.oc
        joined = 0 if p.layout == "NHWC" else self.height * p.input[2] * self.pairs
        b, j, s = (whole_lines(n * FLOAT.itemsize) for n in (band, joined, sums))
        return b, j, s


class TiledConv(Specialised[ConvProblem]):
    """Signals and images, padded with zeros."""

    backend = "cython"
    algorithm = "direct"
    relative = "tiles"
    row = "cython.widened_products"
    activations = frozenset({"relu"})
    flushes = True
    note = TILES_NOTE

    def __init__(self, inner: packed.PackedGemm) -> None:
        self.isa, self.inner = inner.isa, copy(inner)
        self.inner.types, self.inner.row = BFLOAT16_TILES, "cython.gemm.tiles"

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if not is_bfloat16(p.dtype):
            return f"dtype {named(p.dtype)}: bfloat16 only"
        if p.not_forward:
            return p.not_forward
        if p.groups != 1 or p.ic == 0:
            return "groups, or no channels"
        if p.input[0] != 1 or p.kernel[0] != 1 or p.output[0] != 1 or p.pads[0] != (0, 0):
            return "more than one plane"
        if (p.mode != "zeros" and any(map(any, p.pads))) or p.fill != 0 or min(map(min, p.pads)) < 0:
            return "padding that is not zero, or cropping"
        if p.dilation[2] != 1:
            return "dilation along rows"
        blocks = TiledBlocks.of(p)
        if sum(blocks.bytes(p)) > LARGEST:
            return "a row is too long for scratch"
        return native.reject_types(self.isa, BFLOAT16_TILES)

    def as_product(self, p: ConvProblem) -> GemmProblem:
        """The product of a block."""
        blocks = TiledBlocks.of(p)
        return GemmProblem(
            batch=blocks.rows, m=p.output[2], n=p.oc, k=p.taps * blocks.pairs, b_batched=False, trans_a=False,
            trans_b=True, alpha=1.0, beta=0.0, c=False, bias=p.bias, dtype=FLOAT, acc=FLOAT, out=FLOAT,
            activation=p.activation, packed=True,
        )  # fmt: skip

    def features(self, problem: ConvProblem) -> Features:
        p, blocks = problem, TiledBlocks.of(problem)
        count = max(p.n, 1) * ceil_div(max(p.output[1], 1), max(blocks.rows, 1))
        band, joined, sums = (size / FLOAT.itemsize for size in blocks.bytes(p))
        weights = 0 if p.packed else p.oc * p.depth
        counts = {"call": 2 * count, "convert": count * (band + 2 * joined + sums) + 3 * weights, "pack": weights}
        return self.inner.work(self.as_product(p)) * count + Features(counts).of(self.rates)

    def workspace(self, problem: ConvProblem) -> int:
        return self.total_workspace(problem, 1)

    def total_workspace(self, problem: ConvProblem, threads: int) -> int:
        inner = self._inner(problem).total_workspace(self.as_product(problem), threads)
        return sum(TiledBlocks.of(problem).bytes(problem)) + inner

    def error(self, problem: ConvProblem) -> float:
        return epsilon(problem.out) + summation_error(epsilon(FLOAT), problem.depth)

    def bound(self, problem: ConvProblem) -> float:
        return rounding_bound(problem, problem.terms + 2) * (1 + epsilon(problem.out))

    def _inner(self, p: ConvProblem) -> packed.PackedGemm:
        """The kernel for windows of `p`."""
        inner, blocks = copy(self.inner), TiledBlocks.of(p)
        inner.parts, inner.apart = p.kernel[1], p.dilation[1] * blocks.width * blocks.pairs
        return inner

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        p, blocks = problem, TiledBlocks.of(problem)
        product = self._inner(p).specialise(self.as_product(p), threads)
        sizes = blocks.bytes(p)
        starts = [min(r, p.output[1] - blocks.rows) for r in range(0, p.output[1], max(blocks.rows, 1))]

        def bind(constants: tuple[Any, ...]) -> Run:
            weights, bias = constants
            run_block = product((self._weights(p, weights), None, bias))

            def run(x: np.ndarray, out: np.ndarray) -> None:
                with borrow(sum(sizes)) as scratch:
                    band = floats(scratch, (blocks.height, blocks.width, blocks.pairs), FLOAT)
                    sums = scratch[sizes[0] + sizes[1] :]
                    for n in range(p.n):
                        for r in starts:
                            self._fill(p, band, x[n, :, 0], r * p.stride[1] - p.pads[1][0], scratch[sizes[0] :])
                            to = out[n, :, 0, r : r + blocks.rows]
                            if p.layout == "NHWC":
                                to = to.transpose(1, 2, 0)
                            result = floats(sums, to.shape, FLOAT)
                            y = result if p.layout == "NHWC" else result.transpose(1, 2, 0)
                            run_block(windows(p, band, blocks), y)
                            halves.convert(self.isa, to, result)

            return run

        return bind

    def _weights(self, p: ConvProblem, weights: np.ndarray) -> np.ndarray:
        """Pairs of channels of each tap, adjacent: (1, oc, depth)."""
        pairs, taps = ceil_div(p.ic, 2), p.taps
        joined, turned = np.empty((p.oc, pairs, taps), FLOAT), np.empty((p.oc, taps, pairs), FLOAT)
        halves.join_pairs(self.isa, joined, weights.reshape(p.oc, p.ic, taps), 1)
        halves.turn(self.isa, turned, joined)
        return turned.reshape(1, p.oc, taps * pairs)

    def _fill(self, p: ConvProblem, band: np.ndarray, x: np.ndarray, first: int, scratch: np.ndarray) -> None:
        """Rows of an image, (channels, height, width), from `first` on, and zeros outside."""
        lo, hi = min(max(-first, 0), band.shape[0]), max(min(p.input[1] - first, band.shape[0]), 0)
        left, right = p.pads[2][0], p.pads[2][0] + p.input[2]
        band[:lo] = 0
        band[max(lo, hi) :] = 0
        if lo >= hi:
            return
        rows = band[lo:hi]
        rows[:, :left] = 0
        rows[:, right:] = 0
        given, inside = x[:, first + lo : first + hi], rows[:, left:right]
        if p.layout == "NHWC":
            pixels = rows.view(p.dtype)[:, left:right]
            pixels[..., p.ic :] = 0
            pixels[..., : p.ic] = given.transpose(1, 2, 0)
            return
        joined = floats(scratch, (band.shape[2], hi - lo, p.input[2]), FLOAT)
        halves.join_pairs(self.isa, joined, given, 0)
        halves.turn(self.isa, inside, joined.transpose(1, 0, 2))


def windows(p: ConvProblem, band: np.ndarray, blocks: TiledBlocks) -> np.ndarray:
    """First parts of the windows of each output row: (rows, columns, elements)."""
    row, pixel, _ = band.strides
    shape = blocks.rows, p.output[2], p.kernel[2] * blocks.pairs
    strides = row * p.stride[1], pixel * p.stride[2], FLOAT.itemsize
    return np.lib.stride_tricks.as_strided(band, shape, strides, writeable=False)


CONVOLUTIONS = tuple(TiledConv(k) for k in packed.KERNELS if TABLES[BFLOAT16_TILES].made_for(k.isa))
