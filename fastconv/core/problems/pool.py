"""Pooling: windows of a fixed shape (max, average, Lp) as one canonical 3-D problem.

Adaptive pooling whose output divides its input, and global pooling, become this problem, too.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from fastconv.core.caches import keep_few
from fastconv.core.errors import DTypeError, ShapeError
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.base import (
    NOMINAL_ROWS,
    SMALL_IMAGE,
    Direction,
    Pads,
    Problem,
    as_ints,
    check_dtype,
    check_size,
    description,
    split_batch,
    to3,
)
from fastconv.core.problems.conv import AXES, as_pads, forward_extent
from fastconv.typing import Layout

PoolKind: TypeAlias = Literal["max", "avg", "lp"]
KINDS: tuple[str, ...] = get_args(PoolKind)
ROOM = 64  # length of the run of equal values that a table keeps: no vector or tile of vectors is longer
MAX_EXTENT = 2**31 - 1  # of kernel, stride, dilation, padding: positions then never overflow 64 bits


def is_small(direction: Direction, channels: int, input: tuple[int, ...], pixels: int) -> bool:
    """Whether images of `input` and results of `pixels` are so small that batches usually have many of them.

    Gradients are those of batches anyway.
    """
    return direction == "forward" and channels * (prod(input) + pixels) <= SMALL_IMAGE


@description
class PoolProblem(Problem):
    """One pooling.

    Attributes
    ----------
    kind : str
        ``max``, ``avg`` or ``lp``.
    n, c : int
        Batch and channels.
    input, kernel, stride, dilation, output : tuple of 3 int
        Along depth, height, width.
    pads : tuple of 3 (lo, hi)
        Padding has no values: max ignores it, and avg and lp use zero.  It may be longer than half a
        window, and, with dilation, a window may be padding only.
    include_pad : bool
        avg: whether padding counts in the divisor (windows are clipped at input + hi first).
    divisor : int or None
        avg: overrides the divisor.
    norm : float
        lp: the exponent; y = (taps / count * sum x**norm) ** (1 / norm), where count is the divisor that avg
        would use with `include_pad`.  inf and -inf give the largest and smallest magnitude.
    indices : bool
        max: also return the flat index, within the unpadded (d, h, w) volume, of the first maximum
        (int64), of the first NaN if there is one, -1 where the whole window is padding (the maximum
        is -inf there, or the least integer).
    layout : str
        Memory order of the user's arrays: kernels always see (N, C, D, H, W) views.
    dtype, out : numpy.dtype
    direction : str
        ``forward``, or ``backward``: a run receives the gradient of the result (canonical, of `y_shape`) and computes
        that of x.  The constants have the memory order `layout`: for avg none; for lp x; for max with `indices` the
        indices, where -1 receives nothing; for lp with an infinite norm the indices and the sign of x at each; for
        max without `indices` x: a gradient is then divided evenly among equal maxima.
    """

    kind: PoolKind
    n: int
    c: int
    input: tuple[int, int, int]
    kernel: tuple[int, int, int]
    stride: tuple[int, int, int]
    dilation: tuple[int, int, int]
    pads: Pads
    output: tuple[int, int, int]
    include_pad: bool
    divisor: int | None
    norm: float
    indices: bool
    layout: Layout
    dtype: np.dtype
    out: np.dtype
    direction: Direction = "forward"

    @property
    def op(self) -> str:
        return "pool" if self.direction == "forward" else "pool_backward"

    @property
    def taps(self) -> int:
        return self.kernel[0] * self.kernel[1] * self.kernel[2]

    @property
    def terms(self) -> int:
        return self.taps if self.kind == "avg" or (self.kind == "max" and self.direction == "backward") else 0

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
        passes = 1 if self.direction == "forward" or self.kind == "avg" or self.indices else 2
        return float(x * passes * self.dtype.itemsize + y * (self.out.itemsize + 8 * self.indices))

    def one_image(self) -> PoolProblem:
        return self if self.n <= 1 else replace(self, n=1)

    def many_images(self) -> PoolProblem | None:
        small = is_small(self.direction, self.c, self.input, self.pixels)
        return replace(self, n=NOMINAL_ROWS) if small else None

    @property
    def results(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        if self.direction == "backward":
            return ((self.x_shape, self.dtype),)
        y = (self.y_shape, self.out)
        return (y, (self.y_shape, np.dtype(np.int64))) if self.indices else (y,)


def pool_extent(extent: int, k: int, s: int, d: int, lo: int, hi: int, ceil_mode: bool) -> int:
    """Output extent of a pooling; 0 or less when the window does not fit.

    In ceil mode a last, partial window counts too, if it starts inside the input or the padding before it.
    """
    if not ceil_mode:
        return forward_extent(extent, k, s, d, lo, hi)
    count = forward_extent(extent, k, s, d, lo, hi + s - 1)
    return count - 1 if (count - 1) * s >= extent + lo else count


def whole_windows(
    extent: int, k: int, s: int, d: int, lo: int, hi: int, output: int, include_pad: bool
) -> tuple[int, int]:
    """The range of windows along one axis of which an average counts every tap: first, and one past the last."""
    end = extent + hi if include_pad else extent
    first = 0 if include_pad else min(max(ceil_div(lo, s), 0), output)
    return first, min(max((end + lo - d * (k - 1) - 1) // s + 1, first), output)


class AxisCounts(NamedTuple):
    """One value for each window along an axis, without most of the equal ones in its middle.

    The value of window q is ``values[at(q)]``, followed by those of up to `ROOM` further windows.
    So a table is as long as the borders, not as the axis, and vectors are read from it as from a complete one.
    """

    values: np.ndarray
    first: int  # windows before the middle
    skip: int  # values left out

    def at(self, q: Any) -> Any:
        """Positions of the values of windows `q`."""
        return np.minimum(q, np.maximum(q - self.skip, self.first))

    def repeated(self, times: int) -> AxisCounts:
        """Those of windows side by side, `times` of each."""
        return AxisCounts(np.repeat(self.values, times), self.first * times, self.skip * times) if times > 1 else self

    def of(self, some: slice) -> np.ndarray:
        """The values of some windows."""
        return self.values[self.at(np.arange(some.start, some.stop)) if self.skip else some]

    @classmethod
    def same(cls, value: float, output: int, dtype: Any = np.int64) -> AxisCounts:
        """One value for all windows."""
        kept = min(output, ROOM)
        return cls(np.full(kept, value, dtype), 0, output - kept)


def axis_counts(
    extent: int, k: int, s: int, d: int, lo: int, hi: int, output: int, include_pad: bool, dtype: Any = np.int64
) -> AxisCounts:
    """How many taps of each window along one axis the divisor of an average counts (`output` values).

    Windows are clipped at the end of the padding; without `include_pad`, at both ends of the input.
    The number for a whole window is the product over the axes.
    """
    first, last = whole_windows(extent, k, s, d, lo, hi, output, include_pad)
    end = extent + hi if include_pad else extent
    skip = max(last - first - ROOM, 0)
    counts = np.full(output - skip, k, dtype)
    for some in (slice(0, first), slice(last, output)):
        start = np.arange(some.start, some.stop, dtype=np.int64) * s - lo
        before_end = ceil_div(end - start, d)
        before_start = np.zeros_like(start) if include_pad else np.maximum(-(start // d), 0)
        kept = slice(some.start - skip, some.stop - skip) if some.start else some
        counts[kept] = np.clip(before_end, 0, k) - np.minimum(before_start, k)
    return AxisCounts(counts, first, skip)


def pool_dtype(dtype: np.dtype, kind: str) -> np.dtype:
    """The result's dtype, that of the input; DTypeError where the pooling is not defined."""
    if kind == "max":
        check_dtype(dtype, "input", "fiu")
    elif kind == "avg" and dtype.kind in "iu":
        if dtype != np.int64:
            raise DTypeError(
                f"input has dtype {dtype}; averages are defined for float16, bfloat16, float32, float64 and int64 "
                f"(which truncates)"
            )
    else:
        check_dtype(dtype, "input", "f")
    return dtype


def check_not_empty(shape: tuple[int, ...], channels: int, spatial: tuple[int, ...]) -> None:
    """Only the batch may be empty."""
    if channels == 0 or 0 in spatial:
        raise ShapeError(f"input has shape {shape}: every axis except that of the batch must have at least one element")


def as_divisor(value: int | None) -> int | None:
    if value == 0:
        raise ValueError("divisor_override must be an int other than 0, or None, got 0")
    return value


def _check_pads(padding: Any, axis: str, k: int, lo: int, hi: int) -> None:
    """torch's limit for ints, ONNX's for (lo, hi) pairs; names like "same" have none."""
    if isinstance(padding, str):
        return
    if np.ndim(padding) == 2:
        if max(lo, hi) >= k:
            raise ValueError(
                f"padding in (lo, hi) pairs must be less than kernel_size, {k} on {axis}, got ({lo}, {hi})"
            )
    elif lo > k // 2:
        raise ValueError(f"padding must be at most half of kernel_size, {k // 2} on {axis} for {k}, got {lo}")


@keep_few(1024)
def pool_problem(
    kind: PoolKind,
    rank: int,
    xshape: tuple[int, ...],
    xdtype: np.dtype,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    include_pad: bool,
    divisor: int | None,
    norm: float,
    indices: bool,
    layout: Layout,
) -> PoolProblem:
    """Check the arguments of max, avg and lp_pool1d/2d/3d and describe the pooling.

    Raises
    ------
    ShapeError, DTypeError, ValueError, TypeError
        Naming the argument, what it was and what is allowed.
    """
    _, n, c, spatial = split_batch(xshape, rank, layout)
    out = pool_dtype(xdtype, kind)
    check_not_empty(xshape, c, spatial)
    kernel = as_ints(kernel_size, rank, "kernel_size", 1)
    s = kernel if stride is None or stride == () else as_ints(stride, rank, "stride", 1)
    d = as_ints(dilation, rank, "dilation", 1)
    if norm == 0 or norm != norm:
        raise ValueError(f"norm_type must be a number other than 0, got {norm}")
    pads = as_pads(padding, rank, spatial, kernel, s, d)
    output = []
    for axis, e, k, ss, dd, (lo, hi) in zip(AXES[3 - rank :], spatial, kernel, s, d, pads, strict=True):
        largest = max(k, ss, dd, lo, hi)
        if largest > MAX_EXTENT:
            raise ShapeError(f"kernel_size, stride, dilation and padding must be at most {MAX_EXTENT}, got {largest}")
        _check_pads(padding, axis, k, lo, hi)
        if rank == 3 and kind != "max" and abs(norm) != np.inf and k > e and not isinstance(padding, str):
            # torch has this rule for volumes only; averages of images allow any kernel that gives an output.
            raise ShapeError(f"kernel_size is {k} on {axis}; input of shape {xshape} has only {e} there")
        o = pool_extent(e, k, ss, dd, lo, hi, ceil_mode)
        if o < 1:
            raise ShapeError(
                f"output {axis} would be {o}: input has {axis} {e} with padding ({lo}, {hi}), the window spans "
                f"{dd * (k - 1) + 1} (kernel_size {k}, dilation {dd})"
            )
        output.append(o)
    problem = PoolProblem(
        kind=kind, n=n, c=c, input=to3(spatial, 1), kernel=to3(kernel, 1), stride=to3(s, 1), dilation=to3(d, 1),
        pads=to3(pads, (0, 0)), output=to3(tuple(output), 1), include_pad=include_pad, divisor=as_divisor(divisor),
        norm=norm, indices=indices, layout=layout, dtype=xdtype, out=out,
    )  # fmt: skip
    check_size(problem.y_shape, "the result")
    return problem


def sums_fit(x: np.ndarray, count: int) -> bool:
    """Whether no sum of `count` values of an int64 array can wrap."""
    return not x.size or max(abs(int(x.min())), abs(int(x.max()))) * count < 2**63
