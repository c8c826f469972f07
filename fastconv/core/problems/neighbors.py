"""Filters of an array by windows of any shape, as those of scipy.ndimage: correlations and ranks."""

from __future__ import annotations

from dataclasses import fields
from math import prod
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from fastconv.core.problems.base import description, named
from fastconv.core.problems.filter import FilterProblem
from fastconv.core.problems.separable import beyond
from fastconv.typing import BoundaryMode


class Neighbors(NamedTuple):
    """A window on an array, the neighbors of an element, and what it finds beyond the ends.

    Attributes
    ----------
    sizes : tuple of int
        Elements along each axis of the array.
    before : tuple of int
        Of these, elements before the result.
    mode : str
        What lies beyond the ends of an axis, by the names of scipy.ndimage.
    cval : float
        That value where the mode is ``constant``.
    taps : bytes or None
        One byte for each element, in C order: 1 for those that count; None if all do.
    """

    sizes: tuple[int, ...]
    before: tuple[int, ...]
    mode: BoundaryMode
    cval: float
    taps: bytes | None

    @property
    def total(self) -> int:
        """Elements that count."""
        return prod(self.sizes) if self.taps is None else self.taps.count(1)

    def offsets(self) -> np.ndarray:
        """Their positions in the window, in C order: one row for each."""
        flat = self.flat_offsets()
        if not self.sizes:
            return np.zeros((flat.size, 0), np.intp)
        return np.stack(np.unravel_index(flat, self.sizes), 1)

    def flat_offsets(self) -> np.ndarray:
        """The same as one number each."""
        some = np.ones(prod(self.sizes), np.uint8) if self.taps is None else np.frombuffer(self.taps, np.uint8)
        return np.flatnonzero(some)

    def __str__(self) -> str:
        some = "" if self.taps is None else f" ({self.total} taps)"
        return f"{'x'.join(map(str, self.sizes))}{some}, {self.mode}"


class NeighborsProblem(FilterProblem):
    """What such filters share."""

    __slots__ = ()

    window: Neighbors

    @property
    def flops(self) -> float:
        return 2.0 * self.size * self.window.total

    def text(self) -> str:
        own = {f.name: getattr(self, f.name) for f in fields(self)}
        told = ["x".join(map(str, self.shape)), named(self.dtype), str(self.window)]
        told += [f"out={named(self.out)}"] if self.out != self.dtype else []
        told += [f"{name}={v}" for name, v in own.items() if name not in ("shape", "dtype", "out", "window")]
        return f"{self.op}: {', '.join(told)}"


@description
class CorrelationProblem(NeighborsProblem):
    """A correlation with weights of any shape.

    The constant is the weights of the taps that count, float64, in C order; sums are added in that order, and are
    converted to the dtype of the result, integers truncated towards zero.

    Attributes
    ----------
    shape : tuple of int
        Of input and result.
    dtype, out : numpy.dtype
        Of the input and of the result; bool or integers or floats.
    window : Neighbors
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    out: np.dtype
    window: Neighbors

    @property
    def op(self) -> str:
        return "correlation"

    @property
    def acc(self) -> np.dtype:
        """The dtype of sums: that of the arrays if both are float32, else float64."""
        single = self.dtype == self.out == np.float32
        return np.dtype(np.float32 if single else np.float64)

    @property
    def terms(self) -> int:
        return self.window.total


class Lines(NamedTuple):
    """The axes of an array as native kernels take them: few, some merged.

    Attributes
    ----------
    extents, sizes, before : tuple of int
        Of axes before the rows; of the window, how many elements, and how many before a result.
    height, width : tuple of int
        The same three of rows, and of elements of a row.
    inner : int
        Adjacent numbers that are filtered in the same way: an element.
    """

    extents: tuple[int, ...]
    sizes: tuple[int, ...]
    before: tuple[int, ...]
    height: tuple[int, int, int]
    width: tuple[int, int, int]
    inner: int

    @property
    def outer(self) -> int:
        return prod(self.extents)

    @property
    def planes(self) -> int:
        return prod(self.sizes)


MOST_INNER = 64  # numbers of an element


def merged(shape: tuple[int, ...], window: Neighbors) -> Lines:
    """Axes along which the window has one element merge with the next one, if that has one, too, or is the last."""
    axes = list(zip(shape, window.sizes, window.before, strict=True)) or [(1, 1, 0)]
    inner = 1
    while len(axes) > 1 and axes[-1][1] == 1 and 1 <= inner * axes[-1][0] <= MOST_INNER:
        inner *= axes.pop()[0]
    width = axes.pop()
    height = axes.pop() if axes else (1, 1, 0)
    leading: list[tuple[int, int, int]] = []
    for extent, size, before in axes:
        if leading and size == 1 == leading[-1][1]:
            leading[-1] = (leading[-1][0] * extent, 1, 0)
        else:
            leading.append((extent, size, before))
    extents, sizes, befores = zip(*leading, strict=True) if leading else ((), (), ())
    return Lines(extents, sizes, befores, height, width, inner)


def padded_block(
    x: np.ndarray, starts: tuple[int, ...], counts: tuple[int, ...], window: Neighbors, dtype: np.dtype
) -> np.ndarray:
    """The elements that `counts` results from `starts` on need, of an array of any axes."""
    needed, outside = [], []
    for axis, (start, count) in enumerate(zip(starts, counts, strict=True)):
        first = start - window.before[axis]
        at = beyond(np.arange(first, first + count + window.sizes[axis] - 1), x.shape[axis], window.mode)
        needed.append((len(at) / max(1, x.shape[axis]), axis, np.maximum(at, 0)))
        if window.mode == "constant" and at.size and at.min() < 0:
            outside.append((axis, at < 0))
    block = x
    for _, axis, at in sorted(needed, key=itemgetter(0)):  # first along the axis that leaves the least
        block = block.take(at, axis)
    block = block.astype(dtype, copy=False)
    for axis, there in outside:
        block[(slice(None),) * axis + (there,)] = window.cval
    return block


@description
class RankProblem(NeighborsProblem):
    """Of each window the element that `rank` others precede in ascending order.

    Attributes
    ----------
    shape : tuple of int
        Of input and result.
    dtype, out : numpy.dtype
        Of the input and of the result; bool or integers or floats.
    window : Neighbors
        Without a constant that is NaN, unless the dtype is that of floats.
    rank : int
        From 0 to less than the taps of the window.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    out: np.dtype
    window: Neighbors
    rank: int

    @property
    def op(self) -> str:
        return "rank"

    @property
    def acc(self) -> np.dtype:
        """The dtype in which elements are compared: their own if kernels need no other, else float64, as in SciPy."""
        small = self.dtype == np.uint8 and self.window.cval in range(256)
        return self.dtype if self.dtype == self.out and (small or self.dtype == np.float32) else np.dtype(np.float64)


def as_element(value: float, dtype: np.dtype) -> float:
    """What SciPy's ranks have beyond an edge: `value` as a number of the input's dtype, as C converts it."""
    if dtype.kind not in "iu" or not np.isfinite(value):
        return value
    with np.errstate(invalid="ignore"):
        return float(np.float64(value).astype(dtype))


def selected(values: list[float], rank: int) -> float:
    """What scipy.ndimage finds in a window: Hoare's quickselect, whose result depends on the order if some are NaN."""
    values, first, last = list(values), 0, len(values) - 1
    while first < last:
        pivot, i, j = values[first], first - 1, last + 1
        while True:
            j -= 1
            while values[j] > pivot:
                j -= 1
            i += 1
            while values[i] < pivot:
                i += 1
            if i >= j:
                break
            values[i], values[j] = values[j], values[i]
        left = j - first + 1
        if rank < left:
            last = j
        else:
            first, rank = j + 1, rank - left
    return values[first]
