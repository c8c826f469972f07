"""Transposed convolution of integers on NumPy: columns by one product of matrices, then a sum tap by tap.

A product of the weights, (output channels x taps, input channels), and of the pixels of a block gives every term of
the result; the terms of one tap land on pixels that lie a stride apart, so that one addition of a slice takes them all
(col2im, the transpose of im2col by Chellapilla, Puri and Simard 2006).  A block is some images, or some planes, rows or
columns of one, and its columns take `COLUMNS` bytes.

The phases of `common.phases` have a convolution each, with a bound on its sums and dozens of calls of NumPy;
for the small problems that integers are used for, those calls were most of the time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

import numpy as np

from fastconv.backends.common import integers, phases
from fastconv.backends.numpy.conv import forward as conv
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Run, Specialised
from fastconv.core.problems.base import named
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes

COLUMNS = "numpy.conv.col2im/columns"  # of a block
LARGEST_BYTES = 16 << 20  # of the columns of one pixel
MOST_TAPS = 4096  # each is a call


class NumpyCol2im(Specialised[ConvProblem]):
    """Integers, zeros as padding.  Sums that may not fit the result are left to the phases."""

    backend = "numpy"
    algorithm = "col2im"
    relative = "transposed"
    row = "numpy.conv.col2im"
    activations = frozenset({"relu"})

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.direction != "transposed":
            return f"direction {p.direction}: transposed only"
        if p.out.kind not in "iu":
            return f"dtype {named(p.dtype)}: integers only"
        if p.mode != "zeros":
            return f"padding mode {p.mode}: zeros only"
        if p.taps > MOST_TAPS:
            return f"more than {MOST_TAPS} taps"
        if self._pixel_bytes(p) > LARGEST_BYTES:
            return f"columns of one pixel of more than {LARGEST_BYTES >> 20} MiB"
        return None

    @staticmethod
    def _pixel_bytes(p: ConvProblem) -> int:
        """Of the columns of one pixel and of its copy."""
        return max(1, p.ocg * p.taps + p.icg) * 8

    def _block(self, p: ConvProblem) -> tuple[int, ...]:
        """Images, planes, rows and columns of a block of pixels."""
        left = max(1, block_bytes(COLUMNS) // self._pixel_bytes(p))
        extents = []
        for extent in reversed((p.n, *p.input)):
            extents.append(max(1, min(extent, left)))
            left //= extents[-1]
        return tuple(reversed(extents))

    def features(self, problem: ConvProblem) -> Features:
        p = problem
        blocks = math.prod(e / b for e, b in zip((p.n, *p.input), self._block(p), strict=True))
        kind = "product" if integers.compute_dtype(p.dtype, p.depth).kind == "f" else "integer"
        return Features({
            "call": p.groups * blocks * (p.taps / 2 + 2),
            kind: p.flops,
            "element": p.n * p.oc * p.taps * math.prod(p.input),
            "bytes": p.bytes,
        })

    def workspace(self, problem: ConvProblem) -> int:
        p = problem
        return math.prod(self._block(p)) * self._pixel_bytes(p) + 3 * np.getbufsize() * 8

    def error(self, problem: ConvProblem) -> float:
        return 0.0

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        p, block, dtype = problem, self._block(problem), integers.compute_dtype(problem.dtype, problem.depth)
        whole = list(blocks_of(p, block)) if block == (p.n, *p.input) else None  # small problems keep their slices
        fits = float(np.iinfo(p.out).max)  # every sum stays in the result while terms are added to it

        def bind(constants: tuple[Any, ...]) -> Run:
            weights, bias = constants
            w = weights.reshape(p.groups, p.icg, p.ocg * p.taps).transpose(0, 2, 1)
            gain = integers.gain(w.reshape(p.oc, p.taps * p.icg))
            offset = 0.0 if bias is None else integers.magnitude(bias)

            def bound(largest: float) -> float:
                sums = largest * gain + offset
                return sums if sums * integers.SLACK <= fits else math.inf

            def in_dtype(dtype: np.dtype) -> Run:
                if dtype == integers.PYTHON:
                    return BY_PHASES.prepare(p, constants, threads)
                matrices = np.ascontiguousarray(w, dtype)

                def run(x: np.ndarray, out: np.ndarray) -> None:
                    out[...] = 0 if bias is None else bias[:, None, None, None]
                    add_blocks(p, whole or blocks_of(p, block), matrices, x, out)
                    if p.activation == "relu":
                        np.maximum(out, 0, out=out)

                return run

            return integers.exactly(p, dtype, bound, in_dtype)

        return bind


Slices = tuple[slice, ...]
Block = tuple[Slices, list[tuple[int, Slices, Slices]]]


def blocks_of(p: ConvProblem, block: tuple[int, ...]) -> Iterator[Block]:
    """Every block of pixels, as slices, and the taps that reach the result from it."""
    for firsts in product(*(range(0, e, b) for e, b in zip((p.n, *p.input), block, strict=True))):
        yield (
            tuple(slice(f, f + b) for f, b in zip(firsts, block, strict=True)),
            list(tap_slices(p, firsts[1:], block[1:])),
        )


def add_blocks(p: ConvProblem, blocks: Iterable[Block], w: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
    """Add the terms of all blocks to the result; `w` is (groups, output channels x taps, input channels)."""
    for (images, *pixels), taps in blocks:
        for g in range(p.groups):
            values = x[images, g * p.icg : (g + 1) * p.icg, *pixels]
            count, _, *box = values.shape
            columns = np.matmul(w[g], values.astype(w.dtype, order="C").reshape(count, p.icg, math.prod(box)))
            columns = columns.reshape(count, p.ocg, p.taps, *box)
            result = out[images, g * p.ocg : (g + 1) * p.ocg]
            for tap, source, target in taps:
                where = result[:, :, *target]
                np.add(where, columns[:, :, tap, *source], out=where, casting="unsafe")


def tap_slices(
    p: ConvProblem, firsts: tuple[int, ...], extents: tuple[int, ...]
) -> Iterator[tuple[int, Slices, Slices]]:
    """Each tap that reaches the result from a block of pixels: its number, from which of them, and where it adds."""
    axes = zip(firsts, extents, p.input, p.kernel, p.stride, p.dilation, p.pads, p.output, strict=True)
    reached = [
        [reach(first, min(b, e - first), s, t * d - lo, o) for t in range(k)]
        for first, b, e, k, s, d, (lo, _), o in axes
    ]
    for tap, ways in enumerate(product(*reached)):
        if all(way is not None for way in ways):
            source, target = zip(*ways, strict=True)
            yield tap, source, target


def reach(first: int, pixels: int, stride: int, shift: int, outputs: int) -> tuple[slice, slice] | None:
    """Which of `pixels` from `first` on a tap puts on `outputs`, and where: pixel i on output i*stride + shift."""
    lo, hi = max(first, -(shift // stride)), min(first + pixels, -((shift - outputs) // stride))
    if lo >= hi:
        return None
    start = lo * stride + shift
    return slice(lo - first, hi - first), slice(start, start + (hi - lo - 1) * stride + 1, stride)


(BY_PHASES,) = phases.wrap((conv.NumpyIm2col(),))
KERNELS = (NumpyCol2im(),)
