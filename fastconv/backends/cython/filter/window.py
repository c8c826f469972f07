"""Means and extrema of windows, native; of few elements see _boxes.pyx, else _window.pyx and simd/filter/window.inc.

The last two axes of an image are filtered at once: a band of rows is in the cache when it is filtered along.
"""

from __future__ import annotations

import numpy as np

from fastconv.backends.common.means import mean_error
from fastconv.backends.cython.filter import boxes
from fastconv.backends.cython.filter.flat import filter_type, reject_filter, schedule_flat, without_weights
from fastconv.backends.cython.filter.stages import (
    BOTH_BYTES,
    JoinStage,
    JoinWindow,
    along_stage,
    columns_of_item,
    rows_of_item,
)  # fmt: skip
from fastconv.backends.cython.runtime import native, shared
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Specialised
from fastconv.core.numbers import ceil_div, whole_lines
from fastconv.core.problems.separable import lines
from fastconv.core.problems.window import WindowProblem

MOST_PASSES = 16
BAND = 16  # rows that are joined together, at least
STRIP_BYTES = 1 << 10  # of a row that is joined while it stays in the first cache, at least
STRIPS_BYTES = 32 << 10  # of a band of such rows
MOST_BYTES = 4 << 20  # of scratch at all


def join_scratch(p: WindowProblem, s: JoinStage) -> int:
    """Bytes for one item."""
    size, (rows, columns) = p.acc.itemsize, s.block
    if s.across is None:
        assert s.along is not None
        return _line_bytes(rows, s.along.taps, size) + whole_lines(s.along.taps * size)
    taps, pitch = s.across.taps, whole_lines(columns * size)
    held, strip = s.band + taps - 1, whole_lines(s.strip * size)
    total = whole_lines(held * 8) + (1 + held + taps) * pitch + (held + s.band + 1) * strip
    if s.along is not None:
        total += s.band * whole_lines(columns * p.out.itemsize) + _line_bytes(columns, s.along.taps, size)
    return total


def _line_bytes(n: int, taps: int, size: int) -> int:
    """Of a line that is joined: its elements, twice those of longer windows, sums, and where what lies beyond is."""
    return 3 * whole_lines((n + taps - 1) * size) + 2 * whole_lines(n * size) + whole_lines(taps * 8)


def join_stages(p: WindowProblem) -> list[JoinStage]:
    """The passes, the last two axes together where they are filtered one after the other."""
    found: list[JoinStage] = []
    while len(p.passes) > (i := sum(s.passes for s in found)):
        step, in_place = p.passes[i], i > 0
        window, at = JoinWindow.of(p, step), lines(p.shape, step.axis)
        _, length, inner = at
        if inner == 1:
            found.append(along_stage(window, at, 4 * window.taps, in_place))
            continue
        size, band, rows = p.acc.itemsize, max(BAND, window.taps), rows_of_item(window, length, in_place)
        strip = max(STRIP_BYTES, STRIPS_BYTES // (band + window.taps)) // size
        if i + 1 < len(p.passes):
            after = lines(p.shape, p.passes[i + 1].axis)
            along = JoinWindow.of(p, p.passes[i + 1])
            columns = max(1, inner)
            both = JoinStage("both", in_place, window, along, at, (rows, columns), band, min(strip, columns))
            if after[2] == 1 < inner == after[1] and join_scratch(p, both) <= BOTH_BYTES:
                found.append(both)
                continue
        columns = columns_of_item(inner, size * (1 + band + 2 * window.taps))
        found.append(JoinStage("across", in_place, window, None, at, (rows, columns), band, min(strip, columns)))
    return found


def _window_types(p: WindowProblem) -> np.dtype:
    """The types of the table that joins elements: that of floats has the integers, too."""
    return np.dtype(np.float64 if p.acc == np.float64 else np.float32)


class Joined(Specialised[WindowProblem]):
    """Any dtype; integers are SciPy's to the bit."""

    backend = "cython"
    algorithm = "joined"
    row = "cython.window"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: WindowProblem) -> str | None:
        p = problem
        if len(p.passes) > MOST_PASSES:
            return f"more than {MOST_PASSES} passes"
        if self.workspace(p) > MOST_BYTES:
            return "windows are too long for scratch"
        return reject_filter(self.isa, _window_types(p), p)

    def features(self, problem: WindowProblem) -> Features:
        p = problem
        if (joined := boxes.box_type(p)) is not None:
            return self._box_features(p, joined)
        lanes = native.lanes(self.isa, 4) * 4 / p.acc.itemsize
        found = join_stages(p)
        changed = 1 if p.acc != p.out or p.join == "mean" else 0
        joins = sum(step.taps.bit_length() + 2 for step in p.passes)
        calls = sum(_calls(s) for s in found)
        work = {"join": p.size * joins / lanes, "element": p.size * len(p.passes) * changed, "row": calls}
        return Features({"call": 1}, work, {"bytes": p.bytes * len(found)})

    def _box_features(self, p: WindowProblem, joined: np.dtype) -> Features:
        lanes = native.lanes(self.isa, 4) * 4 / (2 if p.acc == np.uint16 else joined.itemsize)
        found = boxes.box_stages(p, joined)
        changed = sum(not same for same in boxes.direct(p, joined))
        work = {
            "box": p.size / lanes * sum(boxes.joins(p, step.taps) for step in p.passes),
            "element": p.size * len(p.passes) * changed,
            "row": sum(boxes.calls(s) for s in found),
        }
        return Features({"call": 1}, work, {"bytes": p.bytes * len(found)})

    def workspace(self, problem: WindowProblem) -> int:
        if (joined := boxes.box_type(problem)) is not None:
            return max(boxes.scratch_of(problem, joined, s) for s in boxes.box_stages(problem, joined))
        return max(join_scratch(problem, s) for s in join_stages(problem))

    def error(self, problem: WindowProblem) -> float:
        return mean_error(problem)

    def specialise(self, problem: WindowProblem, threads: int) -> Bind:
        p = problem
        if (joined := boxes.box_type(p)) is not None:
            return self._box(p, joined, threads)
        _window = native.compiled("filter._window")
        types = filter_type(p.dtype), filter_type(p.out), filter_type(p.acc)
        sizes = p.dtype.itemsize, p.out.itemsize, p.acc.itemsize
        table = native.table(self.isa, _window_types(p))
        join = shared.WINDOW_OPS.index("sum" if p.join == "mean" else p.join)
        prepared = _window.Window(table, p.size, join, types, sizes, p.cval, join_stages(p))
        schedule_flat(self, p, prepared, threads)
        return without_weights(prepared)

    def _box(self, p: WindowProblem, joined: np.dtype, threads: int) -> Bind:
        types = _window_types(p)
        names = native.table_name(self.isa, types), native.table(self.isa, types)
        kind = boxes.kind_of(p, joined)
        sizes = p.dtype.itemsize, p.out.itemsize, joined.itemsize
        numbers, stages = (filter_type(p.dtype), filter_type(p.out)), boxes.box_stages(p, joined)
        prepared = native.compiled("filter._boxes").Boxes(
            *names, p.size, kind, numbers, sizes, boxes.direct(p, joined), boxes.constant(p, joined), stages)
        schedule_flat(self, p, prepared, threads)
        return without_weights(prepared)


def _calls(s: JoinStage) -> int:
    """Rows and lines that are joined, in strips."""
    outer, length, inner = s.lines
    if s.kind == "along":
        return outer * ceil_div(length, s.block[0])
    return outer * length * (ceil_div(inner, s.strip) + (s.along is not None))


KERNELS = tuple(Joined(isa) for isa in machine.ISAS)
