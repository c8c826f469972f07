"""Padding, native: rows of the result are copied from rows of the input, borders position by position."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from fastconv.backends.cython.runtime import native, shared
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.problems.shape import PadProblem
from fastconv.machines import traffic
from fastconv.typing import PadMode

AXES = 3  # that are padded, or between two that are
BLOCK_BYTES = 32 << 10  # of the result for one item of work
PATTERN = 64  # bytes that are filled at a time
SHARED_BYTES = 1 << 20  # less does not justify a second thread


class AxisOfPad(NamedTuple):
    """One axis: `numbers` are (extent, lo, size, mode) of `fc_axis`, of what is left after `skip` elements."""

    extent: int
    skip: int
    numbers: tuple[int, int, int, int]


NO_AXIS = AxisOfPad(1, 0, (1, 0, 1, 0))


def merged(p: PadProblem) -> tuple[list[tuple[int, tuple[int, int]]], int]:
    """Extents and pads without the last axes that have no padding, and how many elements those have."""
    axes, unit = list(zip(p.input, p.pads, strict=True)), 1
    while axes and axes[-1][1] == (0, 0):
        unit *= axes.pop()[0]
    return axes, unit


class PaddedRows:
    """A run of a padding: of contiguous arrays, whatever their shapes.

    Of others a copy is padded: of what is read, since a view may have more elements than memory.
    """

    __slots__ = ("_bound", "_of_copy", "_read", "plain")

    def __init__(self, bound: Any, read: tuple[slice, ...], of_copy: Any) -> None:
        self._bound, self._read, self._of_copy, self.plain = bound, read, of_copy, bound.plain

    def __call__(self, x: np.ndarray, out: np.ndarray) -> None:
        if x.flags.c_contiguous:
            self._bound(x, out)
        else:
            self._of_copy(np.ascontiguousarray(x[:, *self._read]), out)


class Pad(Kernel[PadProblem]):
    """Every mode and every dtype."""

    backend = "cython"
    algorithm = "rows"
    row = "cython.pad"

    def reject(self, problem: PadProblem) -> str | None:
        if len(merged(problem)[0]) > AXES:
            return f"more than {AXES} axes from the first to the last that is padded"
        return native.reject_any(native.FLOAT32)

    def features(self, problem: PadProblem) -> Features:
        p = problem
        axes, _ = merged(p)
        rows = p.n * prod(lo + e + hi for e, (lo, hi) in axes[:-1])
        border = rows * sum(max(v, 0) for v in axes[-1][1]) if axes and p.mode != "constant" else 0
        return Features({"call": 1, "row": rows, "border": border, **traffic(p.bytes)})

    def workspace(self, problem: PadProblem) -> int:
        return 0

    def error(self, problem: PadProblem) -> float:
        return 0.0

    def prepare(self, problem: PadProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        axes, unit = merged(p)
        read = tuple(_read(e, lo, hi, p.mode) for e, (lo, hi) in axes)
        left = [
            (r.stop - r.start, (lo + r.start, hi + e - r.stop)) for r, (e, (lo, hi)) in zip(read, axes, strict=True)
        ]
        bound = self._bound(p, axes, unit, threads)
        return PaddedRows(bound, read, bound if left == axes else self._bound(p, left, unit, threads))

    def _bound(self, p: PadProblem, axes: list[tuple[int, tuple[int, int]]], unit: int, threads: int) -> Any:
        """A native run of contiguous arrays, with these extents and pads."""
        _pad = native.compiled("shape._pad")
        padded = [_axis(e, lo, hi, p.mode) for e, (lo, hi) in axes]
        nbytes = unit * p.dtype.itemsize
        pattern = np.full(PATTERN // p.dtype.itemsize, p.value, p.dtype).tobytes()
        row_bytes = nbytes * (padded[-1].numbers[2] if padded else 1)
        block = max(1, BLOCK_BYTES // max(1, row_bytes))
        three = [NO_AXIS] * (AXES - len(padded)) + padded
        prepared = _pad.Padded(native.any_table(native.FLOAT32), p.n, three, nbytes, pattern, block)
        count = threads if p.bytes > SHARED_BYTES else 1
        anything = native.Contiguous(0, (), 5)
        native.schedule(prepared, 0, count, native.seconds(self, p), anything, anything)
        return prepared.bind()


def _read(extent: int, lo: int, hi: int, mode: PadMode) -> slice:
    """All that is read of an axis: what cropping leaves, and what is repeated on the other side."""
    first, last = max(-lo, 0), extent - max(-hi, 0)
    if mode not in ("constant", "circular"):  # those repeat nothing, or what cropping leaves
        far = mode != "replicate"  # a border repeats more than the last element
        if hi > 0:
            first = min(first, max(0, extent - 1 - hi * far))
        if lo > 0:
            last = max(last, min(extent, 1 + lo * far))
    return slice(first, last)


def _axis(extent: int, lo: int, hi: int, mode: PadMode) -> AxisOfPad:
    code = 0 if mode == "constant" else shared.FC_MODES.index(mode)
    if mode == "circular":  # what is left after cropping repeats
        skip, left = max(-lo, 0), extent + min(lo, 0) + min(hi, 0)
        return AxisOfPad(extent, skip, (left, max(lo, 0), max(lo, 0) + left + max(hi, 0), code))
    return AxisOfPad(extent, 0, (extent, lo, lo + extent + hi, code))


KERNELS = (Pad(),)
