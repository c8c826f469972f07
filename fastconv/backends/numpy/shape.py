"""Padding and windows on NumPy: the middle as one strided copy, borders and taps as slices.

Pad copies what x holds, then gathers each border.  Unfold writes one tap of all windows at a time, fold adds
one; no padded copy of the image is made.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastconv.core.kernel import Kernel, Run
from fastconv.core.machine import Machine
from fastconv.core.problems.shape import FoldProblem, PadProblem, pad_source

BLOCK_BYTES = 1 << 18
CALL_SECONDS = 2e-6  # interpreter time per NumPy call


class Pad(Kernel[PadProblem]):
    """One copy for the middle, two gathers per axis for the borders."""

    backend = "numpy"
    algorithm = "slices"

    def reject(self, problem: PadProblem) -> str | None:
        return None

    def cost(self, problem: PadProblem, machine: Machine) -> float:
        return problem.bytes / machine.bandwidth + (1 + 2 * len(problem.pads)) * 3 * CALL_SECONDS

    def workspace(self, problem: PadProblem) -> int:
        p = problem
        line = p.output[-1] * p.dtype.itemsize if p.output else 0
        indices = sum(map(abs, p.output)) * 8
        return indices + (0 if p.mode == "constant" else max(BLOCK_BYTES, line))

    def error(self, problem: PadProblem) -> float:
        return 0.0

    def prepare(self, problem: PadProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        inside = [(max(lo, 0), max(lo, 0) + max(0, e + min(lo, 0) + min(hi, 0)))
                  for e, (lo, hi) in zip(p.input, p.pads, strict=True)]  # fmt: skip
        middle = tuple(slice(*at) for at in inside)
        taken = tuple(slice(max(-lo, 0), max(0, e - max(-hi, 0))) for e, (lo, hi) in zip(p.input, p.pads, strict=True))
        empty = any(start >= stop for start, stop in inside)
        borders = list(_borders(middle, p.output))
        sources = None
        if p.mode != "constant":
            sources = [pad_source(e, lo, hi, p.mode) for e, (lo, hi) in zip(p.input, p.pads, strict=True)]

        def run(x: np.ndarray, out: np.ndarray) -> None:
            if not (empty and p.mode == "constant"):
                out[:, *middle] = x[:, *taken]
            elif p.mode == "constant":
                out[...] = np.asarray(p.value).astype(p.dtype)
                return
            for border in borders:
                if sources is None:
                    out[:, *border] = np.asarray(p.value).astype(p.dtype)
                else:
                    _gather(x, out[:, *border], [s[b] for s, b in zip(sources, border, strict=True)])

        return run


def _borders(middle: tuple[slice, ...], output: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Boxes that cover the output but for its middle, without overlap."""
    for axis, (inner, extent) in enumerate(zip(middle, output, strict=True)):
        rest = tuple(slice(0, e) for e in output[axis + 1 :])
        for start, stop in ((0, inner.start), (inner.stop, extent)):
            if start < stop:
                yield (*middle[:axis], slice(start, stop), *rest)


def _gather(x: np.ndarray, target: np.ndarray, index: list[np.ndarray]) -> None:
    """target[n, i, j, ...] = x[n, index0[i], index1[j], ...], in parts of bounded size."""
    per_row = target[:1, :1].nbytes
    if per_row == 0:
        return
    rows = max(1, BLOCK_BYTES // per_row)
    step = max(1, rows // max(target.shape[1], 1))
    for n in range(0, target.shape[0], step):
        for i in range(0, target.shape[1], rows):
            part: tuple[Any, ...] = np.ix_(index[0][i : i + rows], *index[1:])
            target[n : n + step, i : i + rows] = x[n : n + step][(slice(None), *part)]


class Fold(Kernel[FoldProblem]):
    """One strided copy, or addition, per tap of the kernel."""

    backend = "numpy"
    algorithm = "taps"

    def reject(self, problem: FoldProblem) -> str | None:
        return None

    def _images(self, p: FoldProblem) -> int:
        """Images per block: their sums, widened or not, stay in the L2 cache where one image does."""
        return max(1, 2 * BLOCK_BYTES // max(1, p.c * p.image[0] * p.image[1] * p.acc.itemsize))

    def cost(self, problem: FoldProblem, machine: Machine) -> float:
        p = problem
        taps = p.kernel[0] * p.kernel[1]
        return 2 * p.bytes / machine.bandwidth + taps * (p.n / self._images(p) + 1) * 3 * CALL_SECONDS

    def workspace(self, problem: FoldProblem) -> int:
        p = problem
        if p.kind == "unfold" or p.acc == p.dtype:
            return 1 << 13
        return min(p.n, self._images(p)) * p.image[0] * p.image[1] * p.acc.itemsize * p.c + (1 << 17)

    def error(self, problem: FoldProblem) -> float:
        p = problem
        if p.kind == "unfold" or p.dtype.kind == "b":
            return 0.0
        taps = p.kernel[0] * p.kernel[1]
        if p.acc != p.dtype:
            return 2**-11 if p.dtype == np.float16 else 2**-8
        return float(np.finfo(p.acc).eps) * taps**0.5

    def prepare(self, problem: FoldProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        taps: list[Any] = [(t, r) for t in itertools.product(*map(range, p.kernel)) if (r := _ranges(p, t)) is not None]

        def unfold(x: np.ndarray, out: np.ndarray) -> None:
            out[...] = np.zeros((), p.dtype)
            for tap, (windows, pixels) in taps:
                out[:, :, *tap, *windows] = x[:, :, *pixels]

        def fold(x: np.ndarray, out: np.ndarray) -> None:
            step = self._images(p)
            for n in range(0, p.n, step):
                part = out[n : n + step]
                acc = part if p.acc == p.dtype else np.empty(part.shape, p.acc)
                acc[...] = np.zeros((), p.acc)
                for tap, (windows, pixels) in taps:
                    acc[:, :, *pixels] += x[n : n + step, :, *tap, *windows]
                if acc is not part:
                    with np.errstate(over="ignore"):  # a half float that overflows is infinite, as everywhere
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


PADS = (Pad(),)
FOLDS = (Fold(),)
