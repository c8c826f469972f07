"""The sources of a padded axis as runs: at most three, each a slice of the result and one of the input.

A border is a copy of the input forwards, backwards, or of one element, since no padding is longer than the input.
So padding is one strided copy per combination of runs, and needs no table of positions.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from fastconv.core.problems.shape import PadProblem
from fastconv.typing import PadMode


class Run(NamedTuple):
    """Positions of the result, and the elements of the input that they copy; a single one is repeated."""

    out: slice
    inp: slice


def descending(first: int, count: int) -> slice:
    """`count` positions from `first` downwards."""
    return slice(first, first - count if first >= count else None, -1)


def axis_runs(extent: int, lo: int, hi: int, mode: PadMode) -> list[Run]:
    """The runs of one axis, in any mode but constant, whose borders copy nothing: the middle, then the borders."""
    kept = slice(max(-lo, 0), extent - max(-hi, 0))
    runs = [Run(slice(kept.start + lo, kept.stop + lo), kept)] if kept.start < kept.stop else []
    if mode == "constant":
        return runs
    # Positions count from the first input element: before the input, then behind it.
    for start, stop in ((-lo, min(0, extent + hi)), (max(extent, -lo), extent + hi)):
        count = stop - start
        if count <= 0:
            continue
        if mode == "replicate":
            source = slice(0, 1) if start < 0 else slice(extent - 1, extent)
        elif mode == "circular":  # of what is left after cropping
            first = kept.stop + start if start < 0 else kept.start + start - extent
            source = slice(first, first + count)
        else:
            edge = int(mode == "reflect")  # the element that reflect leaves out
            source = descending(edge - 1 - start if start < 0 else 2 * extent - 1 - edge - start, count)
        runs.append(Run(slice(start + lo, stop + lo), source))
    return runs


def boxes(p: PadProblem) -> Iterator[tuple[Run, ...]]:
    """Every combination of the runs of all axes, the middle first; together they are the result, without overlap."""
    yield from itertools.product(*(axis_runs(e, *pad, p.mode) for e, pad in zip(p.input, p.pads, strict=True)))
