"""Ranks of the elements of windows, native; see _rank.pyx.

Medians of 3x3 and 5x5 elements by networks; all else by bisection of values, in lanes.
"""

from __future__ import annotations

import numpy as np

from fastconv.backends.cython.filter.flat import MODES, filter_type, reject_filter, schedule_flat, without_weights
from fastconv.backends.cython.filter.walk import MOST_AXES, MOST_BYTES, Walk, tap_offsets
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Specialised
from fastconv.core.numbers import ceil_div, whole_lines
from fastconv.core.problems.neighbors import Lines, RankProblem, merged

SQUARES = {3: 18, 5: 110}  # sides of windows with a network; its minima and maxima, with those that sort columns
MOST_TAPS = 1 << 15
ROUNDS = 8  # of the bisection of bytes
ROUNDS_PER_BIT = 1.5  # of that of floats, for each bit of the number of taps
PART_BYTES = 2048  # of medians that are found from columns that stay in the first cache
MOST_ROW = 1 << 20  # bytes of a row that is read as it lies
FLOAT_OPERATIONS = 3.5  # of a tap in a round, in place of one


@keep_few()
def _laned(p: RankProblem, isa: str) -> tuple[Lines, Walk]:
    lines, size = merged(p.shape, p.window), p.acc.itemsize
    vl = native.lanes(isa, size)
    return lines, Walk.of(lines, 1, vl, size, p.dtype == p.acc)


def _square(p: RankProblem, lines: Lines) -> int:
    """Rows of the window, if a network finds its median; else 0."""
    side = lines.width[1]
    is_square = side in SQUARES and side == lines.height[1] and lines.planes == 1 and p.window.taps is None
    return side if is_square and p.rank == side * side // 2 else 0


def _column_bytes(p: RankProblem, lines: Lines, walk: Walk) -> int:
    """Bytes of a column of an item, if medians next to the ends of rows are computed apart; else 0."""
    square, size, width = _square(p, lines), p.acc.itemsize, lines.width[0]
    if not square or lines.inner > 1 or not p.dtype == p.acc == p.out or width * size > MOST_ROW:
        return 0
    return whole_lines((walk.rows + square - 1 + walk.vl) * size) if width - square + 1 >= walk.vl else 0


def _rank_types(p: RankProblem) -> np.dtype:
    """The types of the table that has the ranks of p.acc: that of floats has those of bytes, too."""
    return np.dtype(np.float32) if p.acc == np.uint8 else p.acc


class Rank(Specialised[RankProblem]):
    """Any dtype: bytes, float32, and all others as float64."""

    backend = "cython"
    algorithm = "lanes"
    row = "cython.rank"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: RankProblem) -> str | None:
        p = problem
        if p.window.total > MOST_TAPS:
            return f"more than {MOST_TAPS} taps"
        if self.workspace(p) > MOST_BYTES:
            return "the window is too large for scratch"
        if len(_laned(p, self.isa)[0].extents) > MOST_AXES:
            return f"more than {MOST_AXES} axes"
        return reject_filter(self.isa, _rank_types(p), p)

    def features(self, problem: RankProblem) -> Features:
        p = problem
        lines, walk = _laned(p, self.isa)
        square, taps = _square(p, lines), p.window.total
        vectors = p.size / native.lanes(self.isa, p.acc.itemsize)
        rounds = ROUNDS if p.acc == np.uint8 else FLOAT_OPERATIONS * ROUNDS_PER_BIT * (taps.bit_length() + 1)
        converted = (p.dtype != p.acc) * lines.planes + (p.out != p.acc)
        work = {
            "network": vectors * SQUARES[square] if square else 0, "tap": 0 if square else vectors * taps * rounds,
            "element": p.size * converted, "row": lines.outer * lines.height[0] * lines.planes,
            "item": lines.outer * ceil_div(lines.height[0], walk.rows),
        }  # fmt: skip
        return Features({"call": 1}, work, {"bytes": p.bytes})

    def workspace(self, problem: RankProblem) -> int:
        p = problem
        lines, walk = _laned(p, self.isa)
        found, ordered = self._pitches(p)
        taps = whole_lines(p.window.total * 8)
        square, size, apart = _square(p, lines), p.acc.itemsize, _column_bytes(p, lines, walk)
        rows = walk.scratch(lines, p.window, size) + found
        if apart:
            rows = whole_lines(2 * square * 8) + whole_lines(lines.width[0] * size) + (2 * square - 1) * apart
        return rows + square * ordered + 2 * taps + 64

    def _pitches(self, p: RankProblem) -> tuple[int, int]:
        """Bytes of a row of results that are not stored as they are, and of a row of sorted columns."""
        lines, walk = _laned(p, self.isa)
        size, most, square = p.acc.itemsize, walk.most(lines), _square(p, lines)
        sorted_ = 2 * PART_BYTES // size + (square - 1) * lines.inner + 2 * walk.vl
        ordered = whole_lines(sorted_ * size) if square else 0
        return 0 if p.out == p.acc else whole_lines((most + walk.vl) * size), ordered

    def error(self, problem: RankProblem) -> float:
        return 0.0

    def specialise(self, problem: RankProblem, threads: int) -> Bind:
        _rank = native.compiled("filter._rank")
        p = problem
        lines, walk = _laned(p, self.isa)
        of_bytes = p.acc == np.uint8
        key = _rank_types(p)
        prepared = _rank.Rank(
            filter_type(p.dtype), filter_type(p.out), p.window.cval, p.rank, of_bytes, _square(p, lines),
            self._pitches(p), PART_BYTES // p.acc.itemsize, _column_bytes(p, lines, walk),
        )  # fmt: skip
        prepared.walk(
            native.table_name(self.isa, key), native.table(self.isa, key), lines, walk, p.acc.itemsize,
            (p.dtype.itemsize, p.out.itemsize), p.dtype == p.acc, p.out == p.acc, MODES.index(p.window.mode),
            tap_offsets(lines, p.window),
        )  # fmt: skip
        schedule_flat(self, p, prepared, threads)
        return without_weights(prepared)


KERNELS = tuple(Rank(isa) for isa in machine.ISAS)
