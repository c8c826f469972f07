"""Adaptive pooling: the output's size is given and determines the windows.

Window o of an axis covers floor(o * in / out) <= i < ceil((o + 1) * in / out).  Where every
output extent divides its input, all windows are equal and a `PoolProblem` is made instead, which
has faster kernels.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from fastconv.core.caches import keep_few
from fastconv.core.errors import ShapeError, shown
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.base import (
    NOMINAL_ROWS,
    Direction,
    Problem,
    as_int,
    check_size,
    description,
    split_batch,
    to3,
)
from fastconv.core.problems.pool import PoolKind, PoolProblem, check_not_empty, is_small, pool_dtype
from fastconv.typing import Layout


@description
class AdaptivePoolProblem(Problem):
    """One adaptive pooling.

    Attributes
    ----------
    kind : str
        ``max`` or ``avg``.
    n, c : int
        Batch and channels.
    input, output : tuple of 3 int
        Along depth, height, width.
    indices : bool
        As in `PoolProblem`.
    layout : str
        Memory order of the user's arrays: kernels always see (N, C, D, H, W) views.
    dtype, out : numpy.dtype
    direction : str
        As in `PoolProblem`; max has `indices` then.
    """

    kind: PoolKind
    n: int
    c: int
    input: tuple[int, int, int]
    output: tuple[int, int, int]
    indices: bool
    layout: Layout
    dtype: np.dtype
    out: np.dtype
    direction: Direction = "forward"

    @property
    def op(self) -> str:
        return "adaptive_pool" if self.direction == "forward" else "adaptive_pool_backward"

    @property
    def taps(self) -> int:
        """Elements of the largest window."""
        d, h, w = (ceil_div(i, o) + (i % o != 0) if o else 0 for i, o in zip(self.input, self.output, strict=True))
        return d * h * w

    @property
    def terms(self) -> int:
        if self.direction == "backward":  # windows that contain one position
            return prod(ceil_div(o, max(i, 1)) + 1 for i, o in zip(self.input, self.output, strict=True))
        return self.taps if self.kind == "avg" else 0

    @property
    def pixels(self) -> int:
        return self.output[0] * self.output[1] * self.output[2]

    @property
    def x_shape(self) -> tuple[int, ...]:
        return (self.n, self.c, *self.input)

    @property
    def y_shape(self) -> tuple[int, ...]:
        return (self.n, self.c, *self.output)

    @property
    def flops(self) -> float:
        return float(self.n * self.c * self.pixels * self.taps)

    @property
    def bytes(self) -> float:
        i = self.input
        x = self.n * self.c * i[0] * i[1] * i[2]
        y = self.n * self.c * self.pixels
        return float(x * self.dtype.itemsize + y * (self.out.itemsize + 8 * self.indices))

    def one_image(self) -> AdaptivePoolProblem:
        return self if self.n <= 1 else replace(self, n=1)

    def many_images(self) -> AdaptivePoolProblem | None:
        small = is_small(self.direction, self.c, self.input, self.pixels)
        return replace(self, n=NOMINAL_ROWS) if small else None

    @property
    def results(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        if self.direction == "backward":
            return ((self.x_shape, self.dtype),)
        y = (self.y_shape, self.out)
        return (y, (self.y_shape, np.dtype(np.int64))) if self.indices else (y,)


def axis_windows(extent: int, output: int, begin: int = 0, end: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """First position and end (one past the last) of each window along one axis, or of some of them (int64).

    With `extent` and `output` exchanged, they are the windows that contain each position.
    """
    o = np.arange(begin, output if end is None else end, dtype=np.int64)
    return o * extent // output, ceil_div((o + 1) * extent, output)


def widest_window(extent: int, output: int) -> int:
    """Positions of the largest window along one axis, or one more."""
    return min(extent, ceil_div(extent, output) + (extent % output != 0)) if output else 0


def _adaptive_size(value: Any, rank: int, spatial: tuple[int, ...]) -> tuple[int, ...]:
    """`output_size` per axis; None in a tuple keeps the input's extent."""
    if not isinstance(value, tuple):
        return (as_int(value, "output_size", 0),) * rank
    if len(value) != rank:
        raise ValueError(f"output_size must be an int or {rank} ints (None keeps an axis), got {shown(value)}")
    return tuple(e if v is None else as_int(v, "output_size", 0) for v, e in zip(value, spatial, strict=True))


@keep_few(1024)
def adaptive_problem(
    kind: PoolKind,
    rank: int,
    xshape: tuple[int, ...],
    xdtype: np.dtype,
    output_size: Any,
    indices: bool,
    layout: Layout,
) -> PoolProblem | AdaptivePoolProblem:
    """Check the arguments of adaptive_max and adaptive_avg_pool1d/2d/3d and describe the pooling.

    Raises
    ------
    ShapeError, DTypeError, ValueError, TypeError
        Naming the argument, what it was and what is allowed.
    """
    batched, n, c, spatial = split_batch(xshape, rank, layout)
    pool_dtype(xdtype, kind)
    # torch allows 1-D and 2-D averages, and anything unbatched, to have no channels.
    channels_may_be_empty = not batched or (kind == "avg" and rank < 3)
    check_not_empty(xshape, max(c, int(channels_may_be_empty)), spatial)
    output = _adaptive_size(output_size, rank, spatial)
    return windows_problem(kind, n, c, to3(spatial, 1), to3(output, 1), indices, layout, xdtype)


def windows_problem(
    kind: PoolKind,
    n: int,
    c: int,
    spatial: tuple[int, int, int],
    output: tuple[int, int, int],
    indices: bool,
    layout: Layout,
    dtype: np.dtype,
) -> PoolProblem | AdaptivePoolProblem:
    """The pooling of checked arguments: as fixed windows where output divides input."""
    check_size((n, c, *output), "the result")
    if any(o == 0 or e % o for e, o in zip(spatial, output, strict=True)):
        return AdaptivePoolProblem(
            kind=kind, n=n, c=c, input=spatial, output=output, indices=indices, layout=layout, dtype=dtype, out=dtype
        )
    kernel = (spatial[0] // output[0], spatial[1] // output[1], spatial[2] // output[2])
    return PoolProblem(
        kind=kind, n=n, c=c, input=spatial, kernel=kernel, stride=kernel, dilation=(1, 1, 1), pads=((0, 0),) * 3,
        output=output, include_pad=True, divisor=None, norm=1.0, indices=indices, layout=layout, dtype=dtype, out=dtype,
    )  # fmt: skip


@keep_few(1024)
def global_problem(
    kind: PoolKind, xshape: tuple[int, ...], xdtype: np.dtype, layout: Layout
) -> PoolProblem | AdaptivePoolProblem:
    """Check the arguments of global_max_pool and global_avg_pool; spatial axes beyond three are merged into depth."""
    if len(xshape) < 3:
        raise ShapeError(f"input must have a batch, a channel and at least one spatial axis, got shape {xshape}")
    pool_dtype(xdtype, kind)
    n = xshape[0]
    c, spatial = (xshape[1], xshape[2:]) if layout == "NCHW" else (xshape[-1], xshape[1:-1])
    check_not_empty(xshape, c, spatial)
    return windows_problem(kind, n, c, merge_spatial(spatial), (1, 1, 1), False, layout, xdtype)


def merge_spatial(spatial: tuple[int, ...]) -> tuple[int, int, int]:
    """Any number of spatial extents as three."""
    if len(spatial) <= 3:
        return to3(spatial, 1)
    depth = 1
    for extent in spatial[:-2]:
        depth *= extent
    return depth, spatial[-2], spatial[-1]


def global_shapes(
    problem: PoolProblem | AdaptivePoolProblem, xshape: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Shapes of a global pooling: x with three spatial axes, the result, and the result with three spatial axes."""
    first = 2 if problem.layout == "NCHW" else 1
    rank = len(xshape) - 2
    merged = (*xshape[:first], *merge_spatial(xshape[first : first + rank]), *xshape[first + rank :])
    n, c = problem.n, problem.c
    shape, results = ((n, c, *ones) if problem.layout == "NCHW" else (n, *ones, c) for ones in ((1,) * rank, (1, 1, 1)))
    return merged, shape, results
