"""How correlations down columns and along rows at once are divided; see _bands.pyx."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from fastconv.backends.cython.filter.flat import MODES
from fastconv.core.numbers import ceil_div, round_up, whole_lines
from fastconv.core.problems.separable import MOST_INNER, Pass

ROWS = 8  # that are summed up at once; simd/windows/windows.h says the same
MOST_PARTS = 8
DIRECT = 7  # weights along rows up to which rows are not transposed
STRIP_BYTES = 16 << 10  # of a band of rows in a strip
BLOCK = 4096  # pixels of an item
LEAST_ROWS = 64  # of an item


class FilterWindow(NamedTuple):
    """One pass, as native kernels take it."""

    extent: int
    taps: int
    before: int
    mode: int
    weight: int
    at: int


class Image(NamedTuple):
    """An array as images: how many, rows, pixels of a row and numbers of a pixel."""

    outer: int
    height: int
    width: int
    inner: int


class Grid(NamedTuple):
    """The axes of an image that some passes filter: `down` may be -1, and `along`, too."""

    image: Image
    down: int
    along: int


def grid_of(shape: tuple[int, ...], axes: tuple[int, ...]) -> Grid | None:
    """The image whose rows and columns run along these axes, one or two of the array; None if there is none."""
    if not 1 <= len(set(axes)) <= 2:
        return None
    first, last = min(axes), max(axes)
    before, after = prod(shape[:first]), prod(shape[last + 1 :])
    if prod(shape[first + 1 : last]) != 1:
        return None
    if first != last:
        return Grid(Image(before, shape[first], shape[last], after), first, last) if after <= MOST_INNER else None
    if after > MOST_INNER or prod(shape[:first]) < ROWS:
        return Grid(Image(before, shape[first], after, 1), first, -1) if after > 1 else None
    return Grid(Image(1, before, shape[first], after), -1, first)


class BandPlan(NamedTuple):
    """Patches of an image and items, as _bands.pyx takes them: in pixels, `pitch` in numbers, `scratch` in bytes."""

    image: Image
    magnitude: bool
    transposed: bool
    straight: bool
    three: bool
    band: int
    strip: int
    rows: int
    block: int
    pitch: int
    scratch: tuple[int, int, int, int]
    parts: tuple[tuple[FilterWindow, FilterWindow], ...]

    @property
    def workspace(self) -> int:
        """Bytes for one item."""
        pointers, fill, sums, kept = self.scratch
        return pointers + fill + len(self.parts) * (sums + kept)

    @property
    def items(self) -> int:
        return self.image.outer * ceil_div(self.image.height, self.rows) * ceil_div(self.image.width, self.block)


def _is_three(found: list[tuple[FilterWindow, FilterWindow]], one: FilterWindow) -> bool:
    """Whether windows have three weights down and along: one filter, or the sum of one of each kind."""
    if len(found) > 2:
        return False
    (down, beside), (above, along) = found[0], found[-1]
    apart = len(found) == 1 or (beside.at == above.at == one.at)
    return apart and all((w.taps, w.before) == (3, 1) for w in (down, along))


def band_plan(
    shape: tuple[int, ...], parts: tuple[tuple[Pass, ...], ...], magnitude: bool, lanes: int, acc: np.dtype, swaps: bool
) -> BandPlan | None:  # fmt: skip
    """Filters of one or two passes each; None if they are not down columns and then along rows.

    `swaps`: whether passes may be in another order.
    """
    grid = grid_of(shape, tuple({step.axis for part in parts for step in part}))
    if grid is None or len(parts) > MOST_PARTS:
        return None
    image, size, weights, at, found = grid.image, acc.itemsize, 0, 0, []
    total = sum(step.taps for part in parts for step in part)
    count = sum(len(part) for part in parts)
    one = FilterWindow(1, 1, 0, MODES.index("nearest"), total, count)  # the weight 1, after all others
    for part in parts:
        if len({step.axis for step in part}) != len(part):
            return None
        if len(part) > 1 and part[0].axis == grid.along and not swaps:
            return None
        down, along = one._replace(extent=image.height), one._replace(extent=image.width)
        for step in part:
            window = FilterWindow(shape[step.axis], step.taps, step.before, MODES.index(step.mode), weights, at)
            if step.axis == grid.down:
                down = window
            else:
                along = window
            weights, at = weights + step.taps, at + 1
        found.append((down, along))
    deep, long = (max(part[i].taps for part in found) for i in (0, 1))
    straight, transposed = len(found) == 1 and found[0][1].at == count and not magnitude, long > DIRECT
    band = lanes if transposed else ROWS
    strip = max(1, round_up(max(1, STRIP_BYTES // (band * size * image.inner)), lanes // image.inner or 1))
    strip = min(max(strip, 2 * long), max(1, image.width))
    row = (strip + long - 1) * image.inner  # numbers of sums down columns
    three = not magnitude and _is_three(found, one)
    block = max(strip, BLOCK)
    fill = (min(block, image.width) + 2) * image.inner + lanes if three else row
    pitch = round_up(row + lanes, 64 // size)
    sums = (row + ROWS * image.inner) * lanes * size if transposed else band * pitch * size
    kept = (long - 1) * image.inner * lanes * size if transposed else 0
    pointers = whole_lines((2 * max(band, lanes, ROWS) + deep - 1) * 8)
    scratch = pointers, whole_lines(max(fill, row) * size), 0 if straight else whole_lines(sums), whole_lines(kept)
    rows = round_up(max(LEAST_ROWS, 4 * deep), band)
    return BandPlan(
        image, magnitude, transposed, straight, three, band, strip, rows, block, pitch, scratch, tuple(found)
    )
