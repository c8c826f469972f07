"""Ranks of bytes in large windows by histograms, native; see _histogram.pyx: the time does not grow with the window."""

from __future__ import annotations

import numpy as np

from fastconv.backends.cython.filter.flat import MODES, schedule_flat, without_weights
from fastconv.backends.cython.filter.walk import MOST_AXES, MOST_BYTES, Walk
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Specialised
from fastconv.core.numbers import ceil_div, whole_lines
from fastconv.core.problems.neighbors import Lines, RankProblem, merged

COLUMN_BYTES = 16 + 256  # the histogram of a column
HELD_BYTES = 384 << 10  # of a block of them
MOST_TALL = 255  # rows of windows, of all planes: a count is a byte
MOST_TAPS = (1 << 15) - 1
ROWS = 64  # of an item, at least


@keep_few()
def _walked(p: RankProblem, isa: str) -> tuple[Lines, Walk]:
    lines, vl = merged(p.shape, p.window), native.lanes(isa, 1)
    (_, tall, _), (width, wide, _), inner = lines.height, lines.width, lines.inner
    most = max(HELD_BYTES // (COLUMN_BYTES * inner) - wide, wide)
    block = max(1, ceil_div(width, ceil_div(width, most))) if width else 1  # of equal width
    pitch = whole_lines((block + wide - 1) * inner + vl)
    return lines, Walk(max(ROWS, 4 * tall), 1, block, 0, 1, pitch, 2, vl)


class Histogram(Specialised[RankProblem]):
    """Bytes, in windows all of whose elements count."""

    backend = "cython"
    algorithm = "histogram"
    row = "cython.rank_histogram"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: RankProblem) -> str | None:
        p = problem
        if p.acc != np.uint8:
            return "a dtype other than uint8, or a constant that is none"
        if p.window.taps is not None:
            return "a window with elements that do not count"
        lines, _ = _walked(p, self.isa)
        if lines.planes * lines.height[1] > MOST_TALL or p.window.total > MOST_TAPS:
            return f"windows of more than {MOST_TALL} rows or {MOST_TAPS} elements"
        if self.workspace(p) > MOST_BYTES:
            return "the window is too large for scratch"
        if len(lines.extents) > MOST_AXES:
            return f"more than {MOST_AXES} axes"
        return native.unavailable(self.isa)

    def features(self, problem: RankProblem) -> Features:
        p = problem
        lines, walk = _walked(p, self.isa)
        (height, tall, _), (width, wide, _) = lines.height, lines.width
        blocks, items = ceil_div(width, walk.block), ceil_div(height, walk.rows)
        columns = lines.outer * (width + blocks * (wide - 1)) * lines.inner
        counted = columns * (height + items * (tall - 1)) * lines.planes
        work = {
            "count": counted, "clear": columns * items, "element": p.size,
            "window": lines.outer * height * blocks * lines.inner * wide, "row": lines.outer * height * blocks,
        }  # fmt: skip
        return Features({"call": 1}, work, {"bytes": p.bytes})

    def workspace(self, problem: RankProblem) -> int:
        lines, walk = _walked(problem, self.isa)
        columns = (walk.block + lines.width[1] - 1) * lines.inner
        return whole_lines(columns * 16) + columns * 256 + walk.slots * walk.pitch

    def error(self, problem: RankProblem) -> float:
        return 0.0

    def specialise(self, problem: RankProblem, threads: int) -> Bind:
        _histogram = native.compiled("filter._histogram")
        p = problem
        lines, walk = _walked(p, self.isa)
        single = np.dtype(np.float32)  # its table has the functions of bytes
        prepared = _histogram.Histogram(int(p.window.cval) if p.window.mode == "constant" else 0, p.rank)
        prepared.walk(
            native.table_name(self.isa, single), native.table(self.isa, single), lines, walk, 1, (1, 1), False, True,
            MODES.index(p.window.mode), None,
        )  # fmt: skip
        schedule_flat(self, p, prepared, threads)
        return without_weights(prepared)


KERNELS = tuple(Histogram(isa) for isa in machine.ISAS)
