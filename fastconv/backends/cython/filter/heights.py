"""Extrema of windows whose elements have heights: non-flat grey erosion and dilation; see _shape.pyx."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.common.integers import as_stored
from fastconv.backends.cython.filter.flat import WeightsBinding, filter_type, reject_filter, schedule_flat
from fastconv.backends.cython.filter.shape import (
    BYTES,
    OTHERS,
    REALS,
    HeldRows,
    constant_of,
    counts_of,
    held_rows,
    neighbors_of,
    types_of,
    walk_held,
)
from fastconv.backends.cython.filter.walk import MOST_AXES, MOST_BYTES
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Run, Specialised
from fastconv.core.numbers import whole_lines
from fastconv.core.problems.filter import numeric
from fastconv.core.problems.footprint import FootprintProblem

DOUBLES = np.dtype(np.float64)
COMPARED = 3 * 1024 * 8  # bytes of doubles that are compared at a time; _shape.pyx says the same
KNOWN = np.dtype([("exact", "i8"), ("after", "i8"), ("first", "i8"), ("height", "f8")])  # as there


class Heights(Specialised[FootprintProblem]):
    """Any dtype."""

    backend = "cython"
    algorithm = "heights"
    row = "cython.heights"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def _rows(self, p: FootprintProblem) -> HeldRows:
        size = numeric(p.dtype).itemsize
        return held_rows(p.shape, neighbors_of(p), size, native.lanes(self.isa, size), True)

    def reject(self, problem: FootprintProblem) -> str | None:
        p = problem
        if not p.heights:
            return "no heights"
        if self.workspace(p) > MOST_BYTES:
            return "the window is too large for scratch"
        if len(self._rows(p).lines.extents) > MOST_AXES:
            return f"more than {MOST_AXES} axes"
        return reject_filter(self.isa, DOUBLES, p)

    def features(self, problem: FootprintProblem) -> Features:
        p, rows, size = problem, self._rows(problem), numeric(problem.dtype).itemsize
        counts = counts_of(rows, size, native.lanes(self.isa, size)) | {"element": p.size}
        return Features({"call": 1}, counts, {"bytes": p.bytes})

    def workspace(self, problem: FootprintProblem) -> int:
        rows = self._rows(problem)
        result = whole_lines(rows.walk.block * rows.lines.inner * numeric(problem.dtype).itemsize)
        return rows.scratch + COMPARED + result

    def error(self, problem: FootprintProblem) -> float:
        return 0.0

    def specialise(self, problem: FootprintProblem, threads: int) -> Bind:
        p, rows, held = problem, self._rows(problem), numeric(problem.dtype)
        prepared = native.compiled("filter._shape").Shape(
            (filter_type(held), filter_type(p.out), filter_type(held)),
            BYTES if held == np.uint8 else REALS if held.kind == "f" else OTHERS, p.join == "max",
            constant_of(p, held), (1, rows.level, rows.front), rows.loads(held.itemsize),
            native.table_name(self.isa, DOUBLES),
        )  # fmt: skip
        sizes = held.itemsize, p.out.itemsize, held.itemsize
        walk_held(prepared, rows, self.isa, types_of(held), DOUBLES, sizes, (True, held == p.out), p.mode)
        schedule_flat(self, p, prepared, threads)
        return HeightsBinding(p, prepared)


class HeightsBinding(WeightsBinding):
    """Runs with heights, which are converted as SciPy does."""

    __slots__ = ("_prepared", "_problem")

    def __init__(self, problem: FootprintProblem, prepared: Any) -> None:
        super().__init__()
        self._problem, self._prepared = problem, prepared

    def bound(self, constants: tuple[Any, ...]) -> Run:
        run: Run = self._prepared.bind(*known_heights(self._problem, constants[0]))
        return run


def known_heights(p: FootprintProblem, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What simd/windows/heights.inc takes: see there; and the heights of all taps."""
    held, given, minima = numeric(p.dtype), p.signed(heights), p.join == "min"
    first, bits = float(given[0]), 8 * held.itemsize
    after = whole = 0
    with np.errstate(all="ignore"):
        converted = as_stored(given, held)
        if held.kind == "f":
            exact = held == p.out and float(converted[0]) == first
            added = -converted if minima else converted
        else:
            exact = held == p.out and bits <= 32 and len(given) > 1 and first.is_integer() and abs(first) < 1 << bits
            whole = int(first) if exact else 0
            flip = np.array([1 << (bits - 1) if (held.kind == "i") == (bits == 8) else 0], f"u{held.itemsize}")
            unsigned, one = converted.view(flip.dtype), flip.dtype.type(minima)
            added = -one - flip - unsigned if minima else unsigned + flip
            after = int((-one - flip).view(f"i{held.itemsize}")[0])
    known = np.array([(exact, after, whole, -first if minima else first)], KNOWN)
    return known, np.ascontiguousarray(added)


KERNELS = tuple(Heights(isa) for isa in machine.ISAS)
