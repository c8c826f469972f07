"""The gradient of padding on NumPy: the middle as a copy, each border added to where it came from, axis by axis."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from fastconv.core.kernel import Kernel, Run, summation_error
from fastconv.core.machine import Machine
from fastconv.core.problems.shape import PadProblem, pad_source

BLOCK = 1 << 16  # elements of the padded array
CALL_SECONDS = 2e-6  # interpreter time per NumPy call


class Fold(NamedTuple):
    """What becomes of one padded axis."""

    extent: int
    kept: slice  # of the input
    middle: slice  # of the result: what `kept` became
    borders: tuple[tuple[slice, np.ndarray], ...]  # of the result, and where they came from, each source once
    edges: tuple[tuple[slice, int], ...]  # of the result, and the one element that all of it came from


def fold_of(extent: int, lo: int, hi: int, mode: str) -> Fold:
    """How the gradient along an axis goes back."""
    length = lo + extent + hi
    kept = slice(min(max(-lo, 0), extent), max(0, extent - max(-hi, 0)))
    if kept.start >= kept.stop:
        kept = middle = slice(0, 0)
        first, last = (length, length) if lo > 0 else (0, 0)  # all of it came from one side
    else:
        middle = slice(kept.start + lo, kept.stop + lo)
        first, last = middle.start, middle.stop
    if mode == "constant":
        return Fold(extent, kept, middle, (), ())
    source = pad_source(extent, lo, hi, mode)
    sides = [part for part in (slice(0, first), slice(last, length)) if part.start < part.stop]
    if mode == "replicate":
        return Fold(extent, kept, middle, (), tuple((side, int(source[side.start])) for side in sides))
    return Fold(extent, kept, middle, tuple((side, source[side]) for side in sides), ())


class PadBackward(Kernel[PadProblem]):
    """Blocks of leading rows; within one, each padded axis is folded in turn, the first one first."""

    backend = "numpy"
    algorithm = "slices"

    def reject(self, problem: PadProblem) -> str | None:
        return None

    def _rows(self, p: PadProblem) -> int:
        return max(1, min(p.n, BLOCK // max(1, prod(p.output))))

    def cost(self, problem: PadProblem, machine: Machine) -> float:
        p = problem
        calls = -(-p.n // self._rows(p)) * len(p.pads) * 4
        return 2 * p.bytes / machine.bandwidth + calls * CALL_SECONDS

    def workspace(self, problem: PadProblem) -> int:
        p = problem
        if p.mode == "constant" or not p.pads:
            return np.getbufsize() * 16
        return self._rows(p) * p.input[0] * prod(p.output[1:]) * p.dtype.itemsize * 2 + np.getbufsize() * 16

    def error(self, problem: PadProblem) -> float:
        p = problem
        if p.mode == "constant":
            return 0.0
        return summation_error(float(np.finfo(p.dtype).eps), prod(1 + max(lo, 0) + max(hi, 0) for lo, hi in p.pads))

    def prepare(self, problem: PadProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        folds = [fold_of(e, lo, hi, p.mode) for e, (lo, hi) in zip(p.input, p.pads, strict=True)]
        rows = self._rows(p)
        kept, middle = tuple(f.kept for f in folds), tuple(f.middle for f in folds)

        def crop(dy: np.ndarray, out: np.ndarray) -> None:
            if any(k != slice(0, e) for k, e in zip(kept, p.input, strict=True)):
                out[...] = np.zeros((), p.dtype)
            out[:, *kept] = dy[:, *middle]

        @np.errstate(all="ignore")
        def run(dy: np.ndarray, out: np.ndarray) -> None:
            for n in range(0, p.n, rows):
                current = dy[n : n + rows]
                for axis, fold in enumerate(folds, start=1):
                    last = axis == len(folds)
                    shape = (*current.shape[:axis], fold.extent, *current.shape[axis + 1 :])
                    target = out[n : n + rows] if last else np.empty(shape, p.dtype)
                    fold_axis(current, target, axis, fold)
                    current = target

        return crop if p.mode == "constant" else run


def fold_axis(given: np.ndarray, target: np.ndarray, axis: int, fold: Fold) -> None:
    """One padded axis of `given` into `target`."""
    given, target = np.moveaxis(given, axis, 0), np.moveaxis(target, axis, 0)
    target[: fold.kept.start] = 0
    target[fold.kept.stop :] = 0
    target[fold.kept] = given[fold.middle]
    for border, source in fold.borders:
        target[source] += given[border]
    for border, to in fold.edges:
        target[to] += np.add.reduce(given[border], 0)


PADS = (PadBackward(),)
