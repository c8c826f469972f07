"""Long axes of which an operation reads little: only what it reads is gathered, and the operation is done on that.

A stride of 2^29 along a signal of 2^31 samples reads a few of them.  Kernels bring in whole windows, and arrays that
they cannot take as they lie are copied first: gigabytes here, for a view that repeats one element.  So such an axis is
replaced by the positions that the taps read, window by window; then kernels see a short axis whose windows lie side by
side.  Padding is gathered, too: as the fill value of a convolution, as zeros of an average whose divisors are all
alike, and for a maximum as another element of the same window.  Indices of maxima are positions along the whole axis,
and adaptive windows cover all of it: those are left to the kernels.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from fastconv.core.problems.base import source_of
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.pool import PoolProblem
from fastconv.dispatch.plan import View

LONG = 1 << 22  # shorter axes are cheap whatever is read of them
MOST = 1 << 20  # positions that are gathered
SHARE = 8  # of an axis at most one in so many elements

P = TypeVar("P", ConvProblem, PoolProblem)


def condensed(p: P) -> tuple[P, View] | None:
    """The problem on what `p` reads, and what takes that from canonical views; None for ordinary problems."""
    axes = [axis for axis in range(3) if _is_sparse(p, axis)]
    if not axes:
        return None

    def on(values: tuple[Any, ...], of_axis: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(new if axis in axes else old for axis, (old, new) in enumerate(zip(values, of_axis, strict=True)))

    reads = tuple(o * k for o, k in zip(p.output, p.kernel, strict=True))
    short = replace(
        p, input=on(p.input, reads), stride=on(p.stride, p.kernel), dilation=on(p.dilation, (1, 1, 1)),
        pads=on(p.pads, ((0, 0),) * 3),
    )  # fmt: skip
    return short, partial(_gather, p, axes)


def _is_sparse(p: ConvProblem | PoolProblem, axis: int) -> bool:
    e, o, k = p.input[axis], p.output[axis], p.kernel[axis]
    if e < LONG or not 0 < o * k <= min(MOST, e // SHARE):
        return False
    if isinstance(p, ConvProblem):
        return True
    (lo, hi), s, d = p.pads[axis], p.stride[axis], p.dilation[axis]
    last = (o - 1) * s + (k - 1) * d
    if lo == 0 and last < e:
        return not p.indices
    if p.kind == "max":  # every window has an element
        return not p.indices and lo <= (k - 1) * d and d <= e and (o - 1) * s - lo < e
    return p.kind == "avg" and (p.divisor is not None or (p.include_pad and last < lo + e + hi))


def _gather(p: ConvProblem | PoolProblem, axes: list[int], x: np.ndarray) -> np.ndarray:
    for axis in axes:
        k, o, s, d = p.kernel[axis], p.output[axis], p.stride[axis], p.dilation[axis]
        start, taps = np.arange(o)[:, None] * s - p.pads[axis][0], np.arange(k)
        mode, fill = ("zeros", 0) if isinstance(p, PoolProblem) else (p.mode, p.fill)
        if isinstance(p, PoolProblem) and p.kind == "max":
            taps = np.clip(taps, -(np.minimum(start, 0) // d), (p.input[axis] - 1 - start) // d)
        source = source_of((start + taps * d).ravel(), p.input[axis], mode)
        before: tuple[Any, ...] = (slice(None),) * (2 + axis)
        x = x[(*before, source)]  # numpy.take would copy all of it
        if source.min() < 0:
            x[(*before, source < 0)] = fill
    return x
