"""Correlations with weights of any shape, native; see _correlation.pyx."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.cython.filter.flat import MODES, WeightsBinding, filter_type, reject_filter, schedule_flat
from fastconv.backends.cython.filter.walk import (
    HELD_BYTES,
    MOST_AXES,
    MOST_BYTES,
    TALL_BYTES,
    TOGETHER,
    WIDE,
    Walk,
    tap_offsets,
)
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Run, Specialised, epsilon, summation_error
from fastconv.core.numbers import ceil_div, whole_lines
from fastconv.core.problems.neighbors import CorrelationProblem, Lines, merged

MOST_COLUMNS = 10  # results next to the ends of rows that are computed by columns are at most one of so many


@keep_few()
def _tiled(p: CorrelationProblem, isa: str) -> tuple[Lines, Walk]:
    lines, size = merged(p.shape, p.window), p.acc.itemsize
    lanes = native.lanes(isa, size)
    given = lanes, size, p.dtype == p.acc
    if not _is_tile(p, lines):
        return lines, Walk.of(lines, 1, *given)
    if lines.planes > 1:
        return lines, Walk.of(lines, TOGETHER, *given, edge=WIDE * lanes)
    return lines, Walk.of(lines, TALL_BYTES // size, *given, least=1, edge=WIDE * lanes)


def _is_tile(p: CorrelationProblem, lines: Lines) -> bool:
    """Rows at the upper and lower edge of a tile meet different weights; taps that are left out are no tile."""
    return p.window.taps is None and lines.height[1] >= TOGETHER - 1


def _apart_bytes(p: CorrelationProblem, isa: str) -> int:
    """Bytes of a column of an item, if results next to the ends of rows are computed apart; else 0."""
    lines, walk = _tiled(p, isa)
    width, taps, _ = lines.width
    if lines.planes > 1 or not _is_tile(p, lines) or not p.dtype == p.acc == p.out:
        return 0
    if (width - taps + 1) * lines.inner < WIDE * walk.vl or (taps - 1) * MOST_COLUMNS > width:
        return 0
    apart = whole_lines((walk.rows + lines.height[1] - 1 + walk.vl) * p.acc.itemsize)
    return apart if 2 * taps * lines.inner * apart <= HELD_BYTES else 0


class Correlation(Specialised[CorrelationProblem]):
    """Any dtype; sums of float32 or of float64, whose bits are SciPy's."""

    backend = "cython"
    algorithm = "tile"
    row = "cython.correlation"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: CorrelationProblem) -> str | None:
        p = problem
        if self.workspace(p) > MOST_BYTES:
            return "the window is too large for scratch"
        if len(_tiled(p, self.isa)[0].extents) > MOST_AXES:
            return f"more than {MOST_AXES} axes"
        return reject_filter(self.isa, p.acc, p)

    def features(self, problem: CorrelationProblem) -> Features:
        p = problem
        lanes = native.lanes(self.isa, p.acc.itemsize)
        lines, walk = _tiled(p, self.isa)
        converted = (p.dtype != p.acc) * lines.planes + (p.out != p.acc)
        loads: float = p.window.total
        if _is_tile(p, lines):
            loads *= (lines.height[1] + TOGETHER - 1) / (lines.height[1] * TOGETHER)
        items = lines.outer * ceil_div(lines.height[0], walk.rows)
        work = {
            "multiply": p.size * p.window.total / lanes, "load": p.size * loads / lanes, "element": p.size * converted,
            "row": lines.outer * lines.height[0] * lines.planes, "item": items,
        }  # fmt: skip
        return Features({"call": 1}, work, {"bytes": p.bytes})

    def workspace(self, problem: CorrelationProblem) -> int:
        p = problem
        lines, walk = _tiled(p, self.isa)
        size = p.acc.itemsize
        rest = 0 if p.window.taps is None else p.window.total * 8  # pointers to taps
        if _is_tile(p, lines) and lines.planes == 1:  # sums that a tile hands on to the one below
            rest = (lines.height[1] - 1) * (walk.most(lines) + 2 * WIDE * walk.vl) * size
        apart, taps = _apart_bytes(p, self.isa), lines.width[1]
        columns = apart * 8 // size + whole_lines(8 * p.window.total) + (2 * taps * lines.inner + 2) * apart
        strip = walk.scratch(lines, p.window, size) + walk.together * self._pitch(p) + whole_lines(rest)
        return max(strip, columns if apart else 0) + 64

    def _pitch(self, p: CorrelationProblem) -> int:
        """Bytes of a row of sums that are not stored as they are."""
        lines, walk = _tiled(p, self.isa)
        return 0 if p.out == p.acc else whole_lines(walk.most(lines) * p.acc.itemsize)

    def error(self, problem: CorrelationProblem) -> float:
        p = problem
        return 0.0 if p.out.kind != "f" else summation_error(epsilon(p.acc), p.terms) + epsilon(p.out)

    def specialise(self, problem: CorrelationProblem, threads: int) -> Bind:
        _correlation = native.compiled("filter._correlation")
        p = problem
        lines, walk = _tiled(p, self.isa)
        offsets = None if p.window.taps is None else tap_offsets(lines, p.window)
        types = filter_type(p.dtype), filter_type(p.out)
        prepared = _correlation.Correlation(*types, p.window.cval, self._pitch(p), _apart_bytes(p, self.isa))
        prepared.walk(
            native.table_name(self.isa, p.acc), native.table(self.isa, p.acc), lines, walk, p.acc.itemsize,
            (p.dtype.itemsize, p.out.itemsize), p.dtype == p.acc, p.out == p.acc, MODES.index(p.window.mode), offsets,
        )  # fmt: skip
        schedule_flat(self, p, prepared, threads)
        return CorrelationBinding(prepared, p.acc)


class CorrelationBinding(WeightsBinding):
    """Of the weights of a window."""

    __slots__ = ("_dtype", "_prepared")

    def __init__(self, prepared: Any, dtype: np.dtype) -> None:
        super().__init__()
        self._prepared, self._dtype = prepared, dtype

    def bound(self, constants: tuple[Any, ...]) -> Run:
        with np.errstate(all="ignore"):
            run: Run = self._prepared.bind(np.ascontiguousarray(constants[0], self._dtype))
        return run


KERNELS = tuple(Correlation(isa) for isa in machine.ISAS)
