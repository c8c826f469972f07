"""Long axes of which few elements are read: those are gathered, and the operation runs on them alone.

With a stride of 2^29 along a signal of 2^31 samples, a convolution reads a few of them.  Kernels read whole windows,
and an array that they cannot read in place is copied first: gigabytes, for a view that repeats one element.  So such an
axis is replaced by the elements at the taps of one window after the other, and kernels see a short axis on which the
windows do not overlap.  Padding is gathered, too: as the fill value of a convolution, as zeros of an average whose
divisors are all equal, and for a maximum as another element of the same window.  Indices of maxima are positions along
the whole axis, and adaptive windows cover all of it, so those problems are left as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from fastconv.core.problems.base import source_of
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.pool import PoolProblem
from fastconv.typing import PaddingMode

LONG = 1 << 22  # elements: a shorter axis is cheap even if all of it is copied
MOST = 1 << 20  # elements that are gathered
SPARSITY = 8  # at most one element in eight is gathered

Gather = Callable[[np.ndarray], np.ndarray]
P = TypeVar("P", ConvProblem, PoolProblem)


def condensed(p: P) -> tuple[P, Gather] | None:
    """The problem on the elements that `p` reads, and a function that gathers them; None if no axis is sparse."""
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
    if e < LONG or not 0 < o * k <= min(MOST, e // SPARSITY):
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
        mode: PaddingMode = "zeros" if isinstance(p, PoolProblem) else p.mode
        fill = 0 if isinstance(p, PoolProblem) else p.fill
        if isinstance(p, PoolProblem) and p.kind == "max":
            taps = np.clip(taps, -(np.minimum(start, 0) // d), (p.input[axis] - 1 - start) // d)
        source = source_of((start + taps * d).ravel(), p.input[axis], mode)
        before: tuple[Any, ...] = (slice(None),) * (2 + axis)
        x = x[(*before, source)]  # numpy.take would make a contiguous copy of x first
        if source.min() < 0:
            x[(*before, source < 0)] = fill
    return x
