"""Positions of pooling windows: bands of outputs along an axis, blocks of bands, and the inputs that each tap reads.

Padding is never written: for each tap, only the outputs for which it is inside the input are computed.  Blocks of a
bounded number of input elements keep the working set in cache and the workspace small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np

from fastconv.core.numbers import ceil_div, rectangles
from fastconv.core.problems.adaptive import AdaptivePoolProblem, axis_windows
from fastconv.core.problems.pool import PoolProblem

BLOCK = 1 << 16  # input elements per block
LISTED_TAPS = 64
LISTED = 1 << 12  # taps of bands, or windows, along an axis: more are computed when they are used, not kept

AnyPool = PoolProblem | AdaptivePoolProblem
Select = slice | np.ndarray
T = TypeVar("T")


class AxisBand(NamedTuple):
    """Some outputs along one axis, the inputs they read, and per tap: these outputs read those inputs."""

    out: slice
    inp: slice
    taps: Iterable[tuple[Select, Select]]

    @property
    def same(self) -> bool:
        """Whether each output is the input at its place: windows of one, next to each other."""
        if not isinstance(self.taps, list) or len(self.taps) != 1:
            return False
        (to, of), n = self.taps[0], self.inp.stop - self.inp.start
        return isinstance(of, slice) and (to, of) == (slice(0, n), slice(0, n, 1))


class FixedTaps:
    """Taps of the outputs o0 <= o < o1 of an axis with equal windows; they select by slices."""

    def __init__(self, e: int, k: int, s: int, d: int, lo: int, o0: int, o1: int) -> None:
        self.of = e, s, d, lo, o0, o1
        self.range = range(max(0, (lo - (o1 - 1) * s) // d), min(k, (e - 1 + lo - o0 * s) // d + 1))

    def __iter__(self) -> Iterator[tuple[Select, Select]]:
        e, s, d, lo, o0, o1 = self.of
        i0 = max(0, o0 * s - lo)
        for t in self.range:
            first = max(o0, -((t * d - lo) // s))
            last = min(o1 - 1, (e - 1 + lo - t * d) // s)
            if first <= last:
                at = first * s - lo + t * d - i0
                yield slice(first - o0, last - o0 + 1), slice(at, at + (last - first) * s + 1, s)


class AdaptiveTaps:
    """Taps of windows that differ, from `start` to before `end`; they select by index arrays."""

    def __init__(self, start: np.ndarray, end: np.ndarray) -> None:
        self.start, self.end = start - start[0], end - start[0]
        self.range = range(int((end - start).max()))

    def __iter__(self) -> Iterator[tuple[Select, Select]]:
        for t in self.range:
            served = np.flatnonzero(self.start + t < self.end)
            yield slice(None) if served.size == self.start.size else served, self.start[served] + t


def listed(taps: FixedTaps | AdaptiveTaps) -> Iterable[tuple[Select, Select]]:
    """Few taps are computed once; many are computed when they are used."""
    return list(taps) if len(taps.range) <= LISTED_TAPS else taps


class Again(Iterable[T]):
    """What `make` yields, computed again in every iteration."""

    def __init__(self, make: Callable[[], Iterator[T]]) -> None:
        self.make = make

    def __iter__(self) -> Iterator[T]:
        return self.make()


def few_listed(make: Callable[[], Iterator[T]], entries: int) -> Iterable[T]:
    """What `make` yields; as a list, unless its many `entries` would make a plan grow with extents."""
    return list(make()) if entries <= LISTED else Again(make)


def unlisted_bytes(p: AnyPool, full: tuple[int, ...], steps: tuple[int, ...]) -> int:
    """Bytes of the taps of a block of `steps` out of `full` where windows differ and no list of them is kept."""
    if not isinstance(p, AdaptivePoolProblem):
        return 0
    entries = [e + 2 * o for e, o in zip(p.input, p.output, strict=True)]
    axes = zip(entries, full, steps, strict=True)
    return sum(48 * ceil_div(n * step, max(f, 1)) for n, f, step in axes if n > LISTED)


def fixed_bands(e: int, k: int, s: int, d: int, lo: int, output: int, step: int) -> Iterator[AxisBand]:
    """Bands of `step` outputs of an axis with equal windows."""
    for o0 in range(0, output, step):
        o1 = min(o0 + step, output)
        i0 = max(0, o0 * s - lo)
        i1 = max(i0, min(e, (o1 - 1) * s - lo + (k - 1) * d + 1))
        yield AxisBand(slice(o0, o1), slice(i0, i1), listed(FixedTaps(e, k, s, d, lo, o0, o1)))


def adaptive_bands(e: int, output: int, step: int) -> Iterator[AxisBand]:
    """Bands of `step` outputs of an axis whose windows differ."""
    for o0 in range(0, output, step):
        o1 = min(o0 + step, output)
        start, end = axis_windows(e, output, o0, o1)
        yield AxisBand(slice(o0, o1), slice(int(start[0]), int(end[-1])), listed(AdaptiveTaps(start, end)))


def each_of(axes: list[Iterable[T]]) -> Iterator[tuple[T, ...]]:
    """As `itertools.product` of three, which would keep everything that they yield."""
    for d in axes[0]:
        for h in axes[1]:
            for w in axes[2]:
                yield d, h, w


def all_taps(axes: tuple[AxisBand, ...]) -> Iterator[tuple[tuple[Select, Select], ...]]:
    """Every tap of a window, in row-major order."""
    return each_of([a.taps for a in axes])


def read_extents(p: AnyPool, steps: tuple[int, int, int]) -> list[int]:
    """Upper bound on the inputs that `steps` outputs of each axis read."""
    if isinstance(p, AdaptivePoolProblem):
        windows = (ceil_div(n * e, max(o, 1)) + 1 for n, e, o in zip(steps, p.input, p.output, strict=True))
    else:
        windows = (
            (n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(steps, p.stride, p.kernel, p.dilation, strict=True)
        )
    return [min(e, w) for e, w in zip(p.input, windows, strict=True)]


class WindowBlocks:
    """How an output is cut into blocks that read about `budget` input elements.

    Blocks grow along the axes in the order of memory, innermost first.
    """

    def __init__(self, p: AnyPool, budget: int = BLOCK) -> None:
        full = (max(p.n, 1), max(p.c, 1), *(max(o, 1) for o in p.output))
        steps = [1] * 5
        for axis in (4, 3, 2, 1, 0) if p.layout == "NCHW" else (1, 4, 3, 2, 0):
            steps[axis] = full[axis]
            while steps[axis] > 1 and self.reads(p, steps) > budget:
                steps[axis] = ceil_div(steps[axis], 2)
        self.p = p
        self.steps = tuple(steps)

    @staticmethod
    def reads(p: AnyPool, steps: list[int] | tuple[int, ...]) -> int:
        d, h, w = read_extents(p, (steps[2], steps[3], steps[4]))
        return steps[0] * steps[1] * d * h * w

    @property
    def count(self) -> int:
        """Number of blocks."""
        total = 1
        for extent, step in zip(self.p.y_shape, self.steps, strict=True):
            total *= ceil_div(extent, step)
        return total

    @property
    def outputs(self) -> int:
        """Outputs of the largest block."""
        return int(np.prod(self.steps, dtype=object))

    def bands(self) -> list[Iterable[AxisBand]]:
        """The bands of depth, height and width."""
        p = self.p
        if isinstance(p, AdaptivePoolProblem):
            # A tap of a band is two numbers for each of its outputs.
            return [
                few_listed(partial(adaptive_bands, e, o, step), e + 2 * o)
                for e, o, step in zip(p.input, p.output, self.steps[2:], strict=True)
            ]
        los = (lo for lo, _ in p.pads)
        return [
            few_listed(partial(fixed_bands, e, k, s, d, lo, o, step), ceil_div(o, step) * min(k, LISTED_TAPS))
            for e, k, s, d, lo, o, step in zip(
                p.input, p.kernel, p.stride, p.dilation, los, p.output, self.steps[2:], strict=True
            )
        ]

    def walk(self, bands: list[Iterable[AxisBand]]) -> Iterator[tuple[slice, slice, tuple[AxisBand, ...]]]:
        """(images, channels, band per axis) of every block."""
        for images, channels in rectangles(self.p.n, self.p.c, *self.steps[:2]):
            for axes in each_of(bands):
                yield images, channels, axes
