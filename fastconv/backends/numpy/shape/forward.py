"""Padding and windows on NumPy: the middle as one strided copy, borders and taps as slices.

Borders of pad are copies, too: see `runs`.  Unfold writes one tap of all windows at a time, fold adds
one; no padded copy of the image is made.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from fastconv.backends.numpy.shape.runs import boxes
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, rounding
from fastconv.core.numbers import rectangles
from fastconv.core.problems.shape import FoldProblem, PadProblem

BLOCK_BYTES = 1 << 18
OBJECT_BYTES = 1 << 9  # of the views and slices of one such call


class NumpyPad(Kernel[PadProblem]):
    """One copy for the middle, and for each part of the border: of the input itself, or of the fill value."""

    backend = "numpy"
    algorithm = "slices"
    row = "numpy.pad"

    def reject(self, problem: PadProblem) -> str | None:
        return None

    def features(self, problem: PadProblem) -> Features:
        p = problem
        calls = 1 + 2 * len(p.pads) if p.mode == "constant" else 3 ** len(p.pads)
        rows = p.n * prod(p.output[:-1]) * (1 + sum(pad > 0 for pad in p.pads[-1])) if p.pads else 0
        return Features({"call": calls, "row": rows, "bytes": p.bytes})

    def workspace(self, problem: PadProblem) -> int:
        return OBJECT_BYTES * 3 ** min(len(problem.pads), 3)

    def error(self, problem: PadProblem) -> float:
        return 0.0

    def prepare(self, problem: PadProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        copies = [(tuple(r.out for r in box), tuple(r.inp for r in box)) for box in boxes(p)]
        filled: list[tuple[slice, ...]] = []
        if p.mode == "constant":
            filled = list(_borders(copies[0][0] if copies else (slice(0, 0),) * len(p.pads), p.output))
        value = np.asarray(p.value).astype(p.dtype)

        def run(x: np.ndarray, out: np.ndarray) -> None:
            for to, of in copies:
                out[:, *to] = x[:, *of]
            for border in filled:
                out[:, *border] = value

        return run


def _borders(middle: tuple[slice, ...], output: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Boxes that cover the output except its middle, without overlap."""
    for axis, (inner, extent) in enumerate(zip(middle, output, strict=True)):
        rest = tuple(slice(0, e) for e in output[axis + 1 :])
        for start, stop in ((0, inner.start), (inner.stop, extent)):
            if start < stop:
                yield (*middle[:axis], slice(start, stop), *rest)


class NumpyFold(Kernel[FoldProblem]):
    """One strided copy, or addition, per tap of the kernel."""

    backend = "numpy"
    algorithm = "taps"
    row = "numpy.fold"

    def reject(self, problem: FoldProblem) -> str | None:
        return None

    @staticmethod
    def _block(p: FoldProblem) -> tuple[int, int]:
        """Images and channels per block: their sums stay in the L2 cache where those of a channel do."""
        channels = max(1, 2 * BLOCK_BYTES // max(1, prod(p.image) * p.acc.itemsize))
        return (max(1, channels // p.c), p.c) if channels >= p.c else (1, channels)

    def features(self, problem: FoldProblem) -> Features:
        p = problem
        images, channels = self._block(p)
        blocks = (p.n / images + 1) * (p.c / channels)
        return Features({"call": prod(p.kernel) * blocks * 3, "bytes": 2 * p.bytes})

    def workspace(self, problem: FoldProblem) -> int:
        p = problem
        if p.kind == "unfold" or p.acc == p.dtype:
            return 1 << 13
        images, channels = self._block(p)
        return min(p.n, images) * channels * prod(p.image) * p.acc.itemsize + (1 << 17)

    def error(self, problem: FoldProblem) -> float:
        p = problem
        if p.kind == "unfold" or p.dtype.kind == "b":
            return 0.0
        taps = prod(p.kernel)
        if p.acc != p.dtype:
            return rounding(p.dtype)
        return float(np.finfo(p.acc).eps) * taps**0.5

    def prepare(self, problem: FoldProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        taps: list[Any] = [(t, r) for t in itertools.product(*map(range, p.kernel)) if (r := _ranges(p, t)) is not None]

        @np.errstate(all="ignore")
        def unfold(x: np.ndarray, out: np.ndarray) -> None:
            out[...] = np.zeros((), p.dtype)
            for tap, (windows, pixels) in taps:
                out[:, :, *tap, *windows] = x[:, :, *pixels]

        @np.errstate(all="ignore")
        def fold(x: np.ndarray, out: np.ndarray) -> None:
            images, channels = self._block(p)
            for at in rectangles(p.n, p.c, images, channels):
                given, part = x[at], out[at]
                acc = part if p.acc == p.dtype else np.empty(part.shape, p.acc)
                acc[...] = np.zeros((), p.acc)
                for tap, (windows, pixels) in taps:
                    acc[:, :, *pixels] += given[:, :, *tap, *windows]
                if acc is not part:
                    part[...] = acc

        return unfold if p.kind == "unfold" else fold


def _ranges(p: FoldProblem, tap: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[slice, ...]] | None:
    """Which windows read the image with this tap, and the pixels that they read; None if all read padding."""
    windows, pixels = [], []
    for t, e, o, d, pad, s in zip(tap, p.image, p.windows, p.dilation, p.padding, p.stride, strict=True):
        shift = t * d - pad
        first = max(0, -(shift // s))
        last = min(o, (e - 1 - shift) // s + 1)
        if first >= last:
            return None
        windows.append(slice(first, last))
        pixels.append(slice(first * s + shift, (last - 1) * s + shift + 1, s))
    return tuple(windows), tuple(pixels)


PADS = (NumpyPad(),)
FOLDS = (NumpyFold(),)
