"""Where pooling windows lie: bands of outputs along an axis, blocks of bands, and what each tap of a window reads.

Padding is never filled in: for each tap, only the outputs that it serves take part.  Blocks of a
bounded number of input elements keep the working set in cache and the workspace small.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from fastconv.core.problems.adaptive import AdaptivePoolProblem, axis_windows
from fastconv.core.problems.pool import PoolProblem

BLOCK = 1 << 16  # input elements per block
LISTED_TAPS = 64

AnyPool = PoolProblem | AdaptivePoolProblem
Select = slice | np.ndarray


class Band(NamedTuple):
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
    """Taps that are few are worked out once; many are worked out as they are used."""
    return list(taps) if len(taps.range) <= LISTED_TAPS else taps


def fixed_bands(e: int, k: int, s: int, d: int, lo: int, output: int, step: int) -> list[Band]:
    """Bands of `step` outputs of an axis with equal windows."""
    bands = []
    for o0 in range(0, output, step):
        o1 = min(o0 + step, output)
        i0 = max(0, o0 * s - lo)
        i1 = max(i0, min(e, (o1 - 1) * s - lo + (k - 1) * d + 1))
        bands.append(Band(slice(o0, o1), slice(i0, i1), listed(FixedTaps(e, k, s, d, lo, o0, o1))))
    return bands


def adaptive_bands(e: int, output: int, step: int) -> list[Band]:
    """Bands of `step` outputs of an axis whose windows differ."""
    bands = []
    start, end = axis_windows(e, output)
    for o0 in range(0, output, step):
        a, b = start[o0 : o0 + step], end[o0 : o0 + step]
        bands.append(Band(slice(o0, o0 + a.size), slice(int(a[0]), int(b[-1])), listed(AdaptiveTaps(a, b))))
    return bands


def all_taps(axes: tuple[Band, ...]) -> Iterator[tuple[tuple[Select, Select], ...]]:
    """Every tap of a window, in row-major order."""
    for d in axes[0].taps:
        for h in axes[1].taps:
            for w in axes[2].taps:
                yield d, h, w


def read_extents(p: AnyPool, steps: tuple[int, int, int]) -> list[int]:
    """Upper bound on the inputs that `steps` outputs of each axis read."""
    if isinstance(p, AdaptivePoolProblem):
        windows = (-(-n * e // max(o, 1)) + 1 for n, e, o in zip(steps, p.input, p.output, strict=True))
    else:
        windows = (
            (n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(steps, p.stride, p.kernel, p.dilation, strict=True)
        )
    return [min(e, w) for e, w in zip(p.input, windows, strict=True)]


class Blocks:
    """How an output is cut into blocks that read about `budget` input elements.

    Blocks grow along the axes in the order of memory, innermost first.
    """

    def __init__(self, p: AnyPool, budget: int = BLOCK) -> None:
        full = (max(p.n, 1), max(p.c, 1), *(max(o, 1) for o in p.output))
        steps = [1] * 5
        for axis in (4, 3, 2, 1, 0) if p.layout == "NCHW" else (1, 4, 3, 2, 0):
            steps[axis] = full[axis]
            while steps[axis] > 1 and self.reads(p, steps) > budget:
                steps[axis] = -(-steps[axis] // 2)
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
            total *= -(-extent // step)
        return total

    @property
    def outputs(self) -> int:
        """Outputs of the largest block."""
        return int(np.prod(self.steps, dtype=object))

    def bands(self) -> list[list[Band]]:
        """The bands of depth, height and width."""
        p = self.p
        if isinstance(p, AdaptivePoolProblem):
            return [adaptive_bands(*a) for a in zip(p.input, p.output, self.steps[2:], strict=True)]
        los = (lo for lo, _ in p.pads)
        return [
            fixed_bands(*a)
            for a in zip(p.input, p.kernel, p.stride, p.dilation, los, p.output, self.steps[2:], strict=True)
        ]

    def walk(self, bands: list[list[Band]]) -> Iterator[tuple[slice, slice, tuple[Band, ...]]]:
        """(images, channels, band per axis) of every block."""
        p = self.p
        for n in range(0, p.n, self.steps[0]):
            for c in range(0, p.c, self.steps[1]):
                for axes in itertools.product(*bands):
                    yield slice(n, n + self.steps[0]), slice(c, c + self.steps[1]), axes
