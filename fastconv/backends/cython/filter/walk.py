"""How native filters walk over an image: see _walk.pyx."""

from __future__ import annotations

from math import gcd, prod
from typing import NamedTuple

import numpy as np

from fastconv.core.numbers import ceil_div, round_up, whole_lines
from fastconv.core.problems.neighbors import Lines, Neighbors

MOST_AXES = 64

HELD_BYTES = 256 << 10  # of rows that an item holds, unless windows need more
MOST_BYTES = 4 << 20  # of scratch
RUN = 4096  # numbers of a strip that is read from memory, about
NARROWEST = 64  # results of a strip of held rows, at least
ROWS = 32  # of an item, at least
TOGETHER = 4  # rows of a tile of a correlation; simd/windows/windows.h says the same
WIDE = 2  # vectors of such a tile at the ends of rows, at least
# Of a column of results whose sums roll: long runs of fewer rows come faster from memory than short ones of many.
TALL_BYTES = 32


class Walk(NamedTuple):
    """Blocks of an image, as _walk.pyx takes them; widths in elements, `pitch` in bytes; see `of`."""

    rows: int
    together: int
    block: int
    run: int
    step: int
    pitch: int
    slots: int
    vl: int
    least: int = 1
    edge: int = 0

    @classmethod
    def of(
        cls, lines: Lines, together: int, vl: int, size: int, direct: bool, least: int | None = None, edge: int = 0
    ) -> Walk:
        """`together` rows at once, or what is left of them if that is `least` or more, by default never.

        `vl` numbers of `size` bytes in a vector; `direct`: as memory has them; `edge`: of numbers at each end of a row,
        so many are filtered at once, at least.
        """
        (_, tall, _), (width, wide, _), inner = lines.height, lines.width, lines.inner
        slots, least = tall + together - 1, together if least is None else least
        step, edge = (edge or vl) // gcd(edge or vl, inner), ceil_div(edge, inner)
        if direct:
            block = wide - 1 + 4 * vl if not edge else wide - 1 + edge + step + vl
        else:
            block = max(NARROWEST, HELD_BYTES // (lines.planes * slots * size * inner) - wide)
        block = max(1, min(block, width))
        pitch = whole_lines(((block + wide - 1) * inner + vl) * size)
        run = round_up(max(1, RUN // inner), step) if direct else 0
        rows = round_up(max(ROWS, 2 * tall), together)
        return cls(rows, together, block, run, step, pitch, slots, vl, least, edge)

    def scratch(self, lines: Lines, window: Neighbors, size: int) -> int:
        """Bytes for one item."""
        wide, most = lines.width[1], max(self.block, self.run)
        fill = whole_lines(((most + wide - 1) * lines.inner + self.vl) * size) if window.mode == "constant" else 0
        pointers = whole_lines(lines.planes * 8) + whole_lines(lines.planes * self.slots * 8)
        return pointers + fill + lines.planes * self.slots * self.pitch

    def most(self, lines: Lines) -> int:
        """Results of a row that are computed at once."""
        return max(self.block, self.run) * lines.inner


def tap_offsets(lines: Lines, window: Neighbors) -> np.ndarray:
    """(row among those of all planes, number from its start) of each tap."""
    tall, wide = lines.height[1], lines.width[1]
    assert prod(window.sizes) == lines.planes * tall * wide
    flat = window.flat_offsets()
    return np.ascontiguousarray(np.stack((flat // wide, flat % wide * lines.inner), 1), np.intp)
