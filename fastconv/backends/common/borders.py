"""Gradients through padding that takes its values from the input: reflect, replicate, circular, symmetric.

The gradient of the padded volume is computed first, block by block, by the kernel for padding with zeros.  Each block
is then added at the positions from which padding took its values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from fastconv.core.problems.base import Run, source_runs
from fastconv.core.problems.conv import ConvProblem


def padded_problem(p: ConvProblem) -> ConvProblem:
    """For one image of a ``transposed`` problem: the problem that computes the gradient of the padded volume."""
    d, h, w = (lo + e + hi for e, (lo, hi) in zip(p.output, p.pads, strict=True))
    return replace(p, n=min(p.n, 1), mode="zeros", pads=((0, 0),) * 3, output=(d, h, w))


def fold_runs(p: ConvProblem) -> tuple[tuple[Run, ...], ...]:
    """For each axis, the input positions that padded positions read."""
    return tuple(source_runs(e, lo, hi, p.mode) for e, (lo, hi) in zip(p.output, p.pads, strict=True))


def add_folded(block: np.ndarray, at: tuple[int, ...], runs: tuple[tuple[Run, ...], ...], out: np.ndarray) -> None:
    """Add `block`, the padded gradient from position `at` on, to the elements of `out` that padding had copied.

    The terms of one element are added in the order of positions, for any division into blocks.
    """
    pieces = (clipped(r, a, a + e) for r, a, e in zip(runs, at, block.shape[2:], strict=True))
    for combination in product(*(list(axis) for axis in pieces)):
        where = tuple(target for _, target in combination)
        out[:, :, *where] += block[:, :, *(source for source, _ in combination)]


def clipped(runs: tuple[Run, ...], first: int, last: int) -> Iterator[tuple[slice, slice]]:
    """(part of the block, part of the result) for each run under positions `first` to `last`, no element twice."""
    for begin, end, source, step in runs:
        lo, hi = max(begin, first), min(end, last)
        for a, b in [(lo, hi)] if step else [(i, i + 1) for i in range(lo, hi)]:
            if a < b:
                at = source + (a - begin) * step
                end_at = at + (b - a) * (step or 1)
                yield slice(a - first, b - first), slice(at, end_at if end_at >= 0 else None, step or 1)
