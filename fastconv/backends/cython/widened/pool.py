"""Pooling of narrow types: some images, some channels of one, or some rows of outputs of one channel at a time.

Rows lie along the first spatial axis that is longer than one, so that places in a piece and in the whole channel differ
by a constant.  A piece reads whole windows; its padding is what the whole problem has at that end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from fastconv.backends.cython.pool import powers, separable
from fastconv.backends.cython.runtime import halves
from fastconv.backends.cython.widened import pieces as widened
from fastconv.core.arrays import aligned_empty
from fastconv.core.kernel import Run
from fastconv.core.numbers import rectangles, span
from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.pool import PoolProblem
from fastconv.typing import Layout

AnyPool = PoolProblem | AdaptivePoolProblem


class Rows(NamedTuple):
    """Some outputs along one axis, the inputs that their windows reach, and the padding there."""

    out: slice
    inp: slice
    pads: tuple[int, int]


class WidenedPool(widened.Widened):
    """Fixed and adaptive windows.  A channel under adaptive windows, all of them different, is never split."""

    def ordered(self, problem: AnyPool) -> bool:
        return problem.kind == "max"

    def vector(self, problem: AnyPool) -> int:
        p = problem
        if isinstance(p, AdaptivePoolProblem):
            return max(prod(p.input), p.pixels)
        axis = first_axis(p)
        return max(window_inputs(p, axis) * prod(p.input[axis + 1 :]), prod(p.output[axis + 1 :]))

    def piece(self, problem: AnyPool, wide: np.dtype) -> AnyPool:
        p = problem
        size = max(1, prod(p.input), p.pixels)
        if split(p):
            axis, rows = first_axis(p), rows_of(p)
            inputs = min(p.input[axis], span(rows, p.stride[axis], p.kernel[axis], p.dilation[axis]))
            return part(p, 1, 1, axis, Rows(slice(0, rows), slice(0, inputs), (0, 0)), wide)
        c = max(1, min(p.c, most(p) // size))
        n = max(1, min(p.n, most(p) // (size * c))) if c == p.c else 1
        return replace(p, n=n, c=c, dtype=wide, out=wide)

    def given(self, q: AnyPool) -> tuple[int, ...]:
        return q.x_shape

    def prepare(self, problem: Any, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        q = self._piece(p)
        axis = first_axis(p)
        whole = [Rows(slice(0, p.output[axis]), slice(0, p.input[axis]), (0, 0))]
        step = prod(p.input[axis + 1 :])
        runs: dict[Any, Run] = {}
        # Padding may hold whole windows: their maximum is -inf, which no integer is.
        lowest = np.iinfo(p.dtype).min if p.dtype.kind in "iu" and isinstance(p, PoolProblem) else None

        @np.errstate(all="ignore")
        def run(x: np.ndarray, *outs: np.ndarray) -> None:
            for block in rectangles(p.n, p.c, q.n, q.c):
                at = *block, *(slice(None),) * axis
                for rows in walk(p, axis, q.output[axis]) if split(p) else whole:
                    given = x[*at, rows.inp]
                    images, channels = given.shape[:2]
                    own = replace(q, n=images, c=channels)
                    if split(p):
                        own = part(p, images, channels, axis, rows, q.dtype)
                    if own not in runs:
                        runs[own] = self.inner.prepare(own, (), threads)
                    wide = volume(given.shape, q.dtype, p.layout)
                    halves.convert(self.isa, wide, given)
                    targets = [out[*at, rows.out] for out in outs]
                    results = [
                        volume(to.shape, dtype, p.layout) for to, (_, dtype) in zip(targets, q.results, strict=True)
                    ]
                    runs[own](wide, *results)
                    if lowest is not None:
                        np.maximum(results[0], lowest, out=results[0])
                    for places in results[1:]:
                        np.add(places, rows.inp.start * step, out=places, where=places >= 0)
                    for result, to in zip(results, targets, strict=True):
                        halves.convert(self.isa, to, result)

        return run


def most(p: AnyPool) -> int:
    """Elements of a piece; the places of maxima take as much memory again."""
    return max(1, widened.PIECE // 2) if p.indices else widened.PIECE


def split(p: AnyPool) -> TypeGuard[PoolProblem]:
    """Whether a channel is computed in rows."""
    return isinstance(p, PoolProblem) and max(prod(p.input), p.pixels) > most(p)


def first_axis(p: AnyPool) -> int:
    """The first spatial axis along which there is more than one input."""
    return next((axis for axis in range(3) if p.input[axis] > 1), 2)


def window_inputs(p: PoolProblem, axis: int) -> int:
    """Inputs from the first to the last of a window."""
    return min(p.input[axis], span(1, p.stride[axis], p.kernel[axis], p.dilation[axis]))


def rows_of(p: PoolProblem) -> int:
    """Outputs of a piece along the first axis."""
    axis = first_axis(p)
    inputs = most(p) // prod(p.input[axis + 1 :]) - window_inputs(p, axis)
    return max(1, min(p.output[axis], inputs // p.stride[axis] + 1, most(p) // prod(p.output[axis + 1 :])))


def walk(p: PoolProblem, axis: int, rows: int) -> Iterator[Rows]:
    """All pieces of a channel; outputs whose windows begin behind the input belong to the last one."""
    e, o, s, (lo, hi) = p.input[axis], p.output[axis], p.stride[axis], p.pads[axis]
    window = span(1, s, p.kernel[axis], p.dilation[axis])
    begun = min(o, (e - 1 + lo) // s + 1)
    for first in range(0, begun, rows):
        end = first + rows if first + rows < begun else o
        start = max(0, first * s - lo)
        stop = min(e, max(start + 1, (end - 1) * s - lo + window))
        yield Rows(slice(first, end), slice(start, stop), (max(0, lo - first * s), hi if stop == e else 0))


def part(p: PoolProblem, n: int, c: int, axis: int, rows: Rows, wide: np.dtype) -> PoolProblem:
    """The problem of some rows."""

    def changed(values: Any, value: Any) -> Any:
        return (*values[:axis], value, *values[axis + 1 :])

    return replace(
        p, n=n, c=c, input=changed(p.input, rows.inp.stop - rows.inp.start),
        output=changed(p.output, rows.out.stop - rows.out.start), pads=changed(p.pads, rows.pads), dtype=wide, out=wide,
    )  # fmt: skip


def volume(shape: tuple[int, ...], dtype: np.dtype, layout: Layout) -> np.ndarray:
    """An array for images (n, c, d, h, w) in the memory order `layout`."""
    if layout == "NCHW":
        return aligned_empty(shape, dtype)
    n, c, d, h, w = shape
    return aligned_empty((n, d, h, w, c), dtype).transpose(0, 4, 1, 2, 3)


POOLS = tuple(map(WidenedPool, (*separable.KERNELS, *powers.KERNELS)))
ADAPTIVE = tuple(map(WidenedPool, separable.ADAPTIVE))
