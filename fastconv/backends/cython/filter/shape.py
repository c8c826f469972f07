"""Extrema of windows of any shape, native; see _shape.pyx."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from fastconv.backends.cython.filter.flat import MODES, filter_type, reject_filter, schedule_flat, without_weights
from fastconv.backends.cython.filter.walk import MOST_AXES, MOST_BYTES, Walk
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Specialised
from fastconv.core.numbers import ceil_div, whole_lines
from fastconv.core.problems.footprint import FootprintProblem
from fastconv.core.problems.neighbors import Lines, Neighbors, merged

HELD_BYTES = 256 << 10  # of rows that an item holds, unless windows need more
NARROWEST = 64  # results of a strip, at least
WIDEST = 1 << 14  # numbers of a strip, about
ROWS = 64  # of an item, at least
LINE = 64
ALIASES = 128  # bytes between rows, beyond a multiple of 2 KiB, at least: stores delay loads that are 4 KiB apart
SHORT_RUN = 4  # taps; longer ones are two loads of a level
BYTES, REALS, OTHERS = range(3)  # what is compared; _shape.pyx says the same


class Runs(NamedTuple):
    """Taps of a window as loads: of each the row, the level, and the number from the start of the row."""

    loads: np.ndarray
    levels: int


@keep_few()
def tap_runs(lines: Lines, window: Neighbors, single: bool) -> Runs:
    """Runs of taps along rows; a long one is two overlapping loads of a level.  `single`: each tap is a load."""
    flat, wide = window.flat_offsets(), lines.width[1]
    rows, columns = flat // wide, flat % wide
    if single:
        return Runs(np.stack((rows, np.zeros_like(rows), columns * lines.inner), 1), 1)
    starts = np.flatnonzero(np.diff(flat, prepend=-2) != 1)
    starts = np.union1d(starts, np.flatnonzero(columns == 0)).astype(np.intp)
    lengths = np.diff(starts, append=flat.size)
    longest = int(lengths.max())
    levels = 1 if longest < SHORT_RUN else longest.bit_length()
    found = []
    for row, first, length in zip(rows[starts].tolist(), columns[starts].tolist(), lengths.tolist(), strict=True):
        level = min(length.bit_length(), levels) - 1
        step = 1 << level
        at = [*range(0, length - step + 1, step)]
        if at[-1] + step < length:
            at.append(length - step)
        found += [(row, level, (first + i) * lines.inner) for i in at]
    return Runs(np.array(found, np.intp), levels)


class HeldRows(NamedTuple):
    """How windows walk over an image.

    Attributes
    ----------
    lines : Lines
    runs : Runs
    walk : Walk
    level, front : int
        Bytes of a level of a row, and before the first one, so that results begin on a cache line.
    """

    lines: Lines
    runs: Runs
    walk: Walk
    level: int
    front: int

    @property
    def scratch(self) -> int:
        """Bytes of one item, without a row of results."""
        pointers = whole_lines(self.lines.planes * 8) + whole_lines(len(self.runs.loads) * 8)
        pointers += whole_lines(self.lines.planes * self.walk.slots * 8)
        return pointers + (1 + self.lines.planes * self.walk.slots) * self.walk.pitch

    def loads(self, size: int) -> np.ndarray:
        """Of each load the row, and bytes from its start."""
        row, level, at = self.runs.loads.T
        return np.ascontiguousarray(np.stack((row, level * self.level + at * size), 1), np.intp)


@keep_few()
def held_rows(shape: tuple[int, ...], window: Neighbors, size: int, vl: int, single: bool = False) -> HeldRows:
    """Strips whose rows fit the cache; `single`: taps are no runs."""
    lines = merged(shape, window)
    runs = tap_runs(lines, window, single)
    (_, tall, _), (width, wide, _), inner = lines.height, lines.width, lines.inner

    def level(block: int) -> int:
        found = whole_lines(LINE + ((block + wide - 1) * inner + vl) * size)
        return found + ALIASES if found % (ALIASES << 4) < ALIASES else found

    most = max(1, min(width, ceil_div(WIDEST, inner)))
    held = lines.planes * tall * runs.levels
    block = max(1, min(most, max(NARROWEST, HELD_BYTES // (held * size * inner) - (wide - 1))))
    block = max(1, ceil_div(width, ceil_div(width, block))) if width else 1
    pitch = runs.levels * level(block)
    rows = max(ROWS, 4 * (tall - 1))
    front = -lines.width[2] * inner * size % LINE
    return HeldRows(lines, runs, Walk(rows, 1, block, 0, 1, pitch, tall, vl), pitch // runs.levels, front)


def counts_of(rows: HeldRows, size: int, lanes: float) -> dict[str, float]:
    lines, walk = rows.lines, rows.walk
    (height, tall, _), (width, wide, _) = lines.height, lines.width
    items, strips = ceil_div(height, walk.rows), ceil_div(width, walk.block)
    computed = lines.outer * height
    entered = lines.outer * (height + items * (tall - 1)) * lines.planes
    vectors = (width + strips * (wide - 1)) * lines.inner / lanes
    return {
        "tap": computed * vectors * len(rows.runs.loads),
        "held": entered * vectors * (2 * rows.runs.levels - 1),
        "row": (computed + entered * rows.runs.levels) * strips, "item": lines.outer * items * strips,
    }  # fmt: skip


def walk_held(
    shape: Any, rows: HeldRows, isa: str, types: np.dtype, converted: np.dtype, sizes: tuple[int, int, int],
    plain: tuple[bool, bool], mode: str,
) -> None:  # fmt: skip
    given, made, size = sizes
    shape.walk(
        native.table_name(isa, types), native.table(isa, converted), rows.lines, rows.walk, size, (given, made), *plain,
        MODES.index(mode), None,
    )


class Footprint(Specialised[FootprintProblem]):
    """Any dtype, without heights."""

    backend = "cython"
    algorithm = "runs"
    row = "cython.footprint"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def _rows(self, p: FootprintProblem) -> HeldRows:
        return held_rows(p.shape, neighbors_of(p), p.acc.itemsize, native.lanes(self.isa, p.acc.itemsize))

    def reject(self, problem: FootprintProblem) -> str | None:
        p = problem
        if p.heights:
            return "heights"
        rows = self._rows(p)
        if self.workspace(p) > MOST_BYTES:
            return "the window is too large for scratch"
        if len(rows.lines.extents) > MOST_AXES:
            return f"more than {MOST_AXES} axes"
        return reject_filter(self.isa, types_of(p.acc), p)

    def features(self, problem: FootprintProblem) -> Features:
        p, rows = problem, self._rows(problem)
        counts = counts_of(rows, p.acc.itemsize, native.lanes(self.isa, p.acc.itemsize))
        changed = (p.dtype != p.acc) * rows.lines.planes + (p.out != p.acc)
        return Features({"call": 1}, counts | {"element": p.size * changed}, {"bytes": p.bytes})

    def workspace(self, problem: FootprintProblem) -> int:
        p, rows = problem, self._rows(problem)
        result = 0 if p.out == p.acc else whole_lines(rows.walk.block * rows.lines.inner * p.acc.itemsize)
        return rows.scratch + result

    def error(self, problem: FootprintProblem) -> float:
        return 0.0

    def specialise(self, problem: FootprintProblem, threads: int) -> Bind:
        _shape = native.compiled("filter._shape")
        p, rows = problem, self._rows(problem)
        same = p.dtype if p.dtype.kind != "b" else np.dtype(np.uint8)
        kind = BYTES if p.acc == np.uint8 else REALS if p.acc.kind == "f" else OTHERS
        prepared = _shape.Shape(
            (filter_type(p.dtype), filter_type(p.out), filter_type(p.acc)), kind, p.join == "max",
            constant_of(p, p.acc), (rows.runs.levels, rows.level, rows.front), rows.loads(p.acc.itemsize),
        )  # fmt: skip
        sizes = p.dtype.itemsize, p.out.itemsize, p.acc.itemsize
        stored = p.out == p.acc or (p.out.kind == "b" and p.acc == np.uint8)
        types = types_of(p.acc)
        walk_held(prepared, rows, self.isa, types, types, sizes, (same == p.acc, stored), p.mode)
        schedule_flat(self, p, prepared, threads)
        return without_weights(prepared)


@keep_few()
def neighbors_of(p: FootprintProblem) -> Neighbors:
    taps = np.zeros(prod(p.window), np.uint8)
    taps[list(p.chosen)] = 1
    return Neighbors(p.window, p.before, p.mode, p.cval, taps.tobytes() if len(p.chosen) < taps.size else None)


def types_of(acc: np.dtype) -> np.dtype:
    """The types of the table that compares elements: that of floats has the integers, too."""
    return np.dtype(np.float64 if acc == np.float64 else np.float32)


def constant_of(p: FootprintProblem, acc: np.dtype) -> np.ndarray:
    """The constant in the dtype of the input, where it wraps around, as one of those that are compared."""
    dtype = p.dtype if p.dtype.kind != "b" else np.dtype(np.uint8)
    if dtype.kind == "f":
        with np.errstate(all="ignore"):
            return np.array([p.cval], dtype).astype(acc)
    value = np.array([int(p.cval)], object) % (1 << 8 * dtype.itemsize) if np.isfinite(p.cval) else np.array([0])
    return value.astype(f"u{dtype.itemsize}").view(dtype).astype(acc)


KERNELS = tuple(Footprint(isa) for isa in machine.ISAS)
