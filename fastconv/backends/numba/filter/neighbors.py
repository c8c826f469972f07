"""How filters with windows of several axes move over an array: blocks, scratch, and the table of their loop."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from fastconv.backends.numba.base import address
from fastconv.backends.numba.filter.shared import MODES, NV, ArrayLoop, converter, vector_lanes
from fastconv.core.caches import keep_few
from fastconv.core.numbers import ceil_div, even_part, whole_lines
from fastconv.core.problems.filter import FilterProblem
from fastconv.core.problems.neighbors import Lines, Neighbors, merged
from fastconv.machines import block_bytes

BAND = "numba.filter/band"  # what an item has loaded
NARROWEST = 64  # results of a row of an item, at least
WASTE = 8  # a row has that many times as many results as a window is wide, if rows are combined together


class Blocks(NamedTuple):
    """How an array is cut into items; in elements.

    Attributes
    ----------
    lines : Lines
    rows, cols : int
        Results of an item.
    together : int
        Rows that are combined at once, with what lies between them.
    pitch : int
        From a row in scratch to the next.
    slack : int
        Elements that are read, or written, after the last one.
    """

    lines: Lines
    rows: int
    cols: int
    together: int
    pitch: int
    slack: int

    @property
    def items(self) -> int:
        (height, _, _), (width, _, _) = self.lines.height, self.lines.width
        return self.lines.outer * ceil_div(height, self.rows) * ceil_div(width, self.cols)

    @property
    def held(self) -> int:
        """Elements of the rows that an item loads."""
        return self.lines.planes * (self.rows + self.lines.height[1] - 1) * self.pitch + self.slack

    @property
    def made(self) -> int:
        """Of the results that are not stored yet."""
        return self.together * self.pitch + self.slack

    def offsets(self, window: Neighbors) -> np.ndarray:
        """Where the taps of a window lie in scratch, for the first result."""
        tall, wide = self.lines.height[1], self.lines.width[1]
        row, column = np.divmod(window.flat_offsets(), wide)
        plane, row = np.divmod(row, tall)
        return (plane * (self.rows + tall - 1) + row) * self.pitch + column * self.lines.inner

    @property
    def computed(self) -> float:
        """Results, those that are none included."""
        (height, _, _), (width, _, _), inner = self.lines.height, self.lines.width, self.lines.inner
        row = width * inner if self.together == 1 else ceil_div(width, self.cols) * self.pitch
        return float(self.lines.outer * height * row)

    @property
    def loaded(self) -> tuple[float, float]:
        """Elements that are loaded, and rows."""
        (height, tall, _), (width, wide, _) = self.lines.height, self.lines.width
        across = ceil_div(width, self.cols)
        rows = self.lines.outer * self.lines.planes * (height + ceil_div(height, self.rows) * (tall - 1))
        return float(rows * (width + across * (wide - 1)) * self.lines.inner), float(rows * across)

    def counts(self, held: np.dtype, made: np.dtype) -> dict[str, float]:
        """What loading elements and storing results takes, in these dtypes."""
        loaded, rows = self.loaded
        vectors = loaded / vector_lanes(held) + 2 * self.computed / vector_lanes(made)
        return {"vector": vectors, "row": rows, "item": self.items}


@keep_few()
def blocks_of_windows(shape: tuple[int, ...], window: Neighbors, dtype: np.dtype) -> Blocks:
    """For elements that are combined in a dtype."""
    lines = merged(shape, window)
    (height, tall, _), (width, wide, _), inner = lines.height, lines.width, lines.inner
    most = block_bytes(BAND) // (dtype.itemsize * inner * lines.planes)  # elements of all rows of a plane
    cols = even_part(max(width, 1), max(NARROWEST, most // (3 * tall) - wide))
    pitch = (cols + wide - 1) * inner
    rows = even_part(max(height, 1), max(tall, most * inner // pitch - tall + 1))
    together = rows if cols >= WASTE * (wide - 1) else 1
    return Blocks(lines, rows, cols, together, pitch, NV * vector_lanes(dtype))


def neighbors_scratch(blocks: Blocks, held: np.dtype, made: np.dtype, spare: int = 0) -> int:
    """Bytes of one item: loaded rows, results, and `spare` bytes of the function that combines."""
    return whole_lines(blocks.held * held.itemsize) + whole_lines(blocks.made * made.itemsize) + whole_lines(spare)


def neighbors_loop(
    p: FilterProblem, window: Neighbors, blocks: Blocks, dtypes: tuple[np.dtype, np.dtype], fill: np.ndarray,
    combine: Any, threads: int, seconds: float, scratch: int,
) -> ArrayLoop:  # fmt: skip
    """The loop of a problem, whose elements are loaded and made in these dtypes by the function `combine`.

    `fill` is the constant value, an array of one loaded element.
    """
    lines, (held, acc) = blocks.lines, dtypes
    load, copy, store = converter(p.dtype, held), converter(held, held), converter(acc, p.out)
    (height, tall, above), (width, wide, left) = lines.height, lines.width
    made = whole_lines(blocks.held * held.itemsize)
    table = [
        load.address, copy.address, store.address, combine.address, address(fill),
        MODES.index(window.mode), height, tall, above, width, wide, left, lines.inner,
        blocks.rows, ceil_div(height, blocks.rows), blocks.cols, ceil_div(width, blocks.cols), blocks.together,
        blocks.pitch, held.itemsize, lines.planes, len(lines.extents),
        made, made + whole_lines(blocks.made * acc.itemsize), *lines.extents, *lines.sizes, *lines.before,
    ]  # fmt: skip
    items = blocks.items if prod(p.shape) else 0
    return ArrayLoop("neighbors", table, items, threads, seconds, scratch, (load, copy, store, combine, fill))
