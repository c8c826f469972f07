"""Max unpooling: values are stored at the positions that a max pooling returned; all others are zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.caches import keep_few
from fastconv.core.errors import DTypeError, ShapeError, shown
from fastconv.core.problems.base import (
    Direction,
    Problem,
    as_ints,
    check_dtype,
    check_size,
    description,
    split_batch,
    to3,
)
from fastconv.core.problems.conv import AXES
from fastconv.core.problems.pool import check_not_empty
from fastconv.typing import Layout


@description
class UnpoolProblem(Problem):
    """One max unpooling.

    A run receives x; the constant is `indices`, (n, c, *input) int64, C-contiguous: flat positions within
    the (d, h, w) volume of the output, checked already.  Where an index repeats, the last value in
    row-major order is kept.  The gradient of x (``backward``) is that of the result, read at the indices.

    Attributes
    ----------
    n, c : int
        Batch and channels.
    input, output : tuple of 3 int
        Along depth, height, width.
    layout : str
        Memory order of the user's arrays: kernels always see (N, C, D, H, W) views.
    dtype : numpy.dtype
    direction : str
        ``forward`` or ``backward``.
    """

    n: int
    c: int
    input: tuple[int, int, int]
    output: tuple[int, int, int]
    layout: Layout
    dtype: np.dtype
    direction: Direction = "forward"

    @property
    def op(self) -> str:
        return "max_unpool" if self.direction == "forward" else "max_unpool_backward"

    @property
    def values(self) -> int:
        """Values of one channel."""
        return self.input[0] * self.input[1] * self.input[2]

    @property
    def pixels(self) -> int:
        """Output positions of one channel."""
        return self.output[0] * self.output[1] * self.output[2]

    @property
    def x_shape(self) -> tuple[int, ...]:
        return (self.n, self.c, *self.input)

    @property
    def y_shape(self) -> tuple[int, ...]:
        return (self.n, self.c, *self.output)

    @property
    def flops(self) -> float:
        return float(self.n * self.c * self.values)

    @property
    def bytes(self) -> float:
        return float(self.n * self.c * (self.values * (self.dtype.itemsize + 8) + self.pixels * self.dtype.itemsize))

    @property
    def results(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        return ((self.y_shape if self.direction == "forward" else self.x_shape, self.dtype),)


@keep_few(1024)
def unpool_problem(
    rank: int,
    xshape: tuple[int, ...],
    xdtype: np.dtype,
    ishape: tuple[int, ...],
    idtype: np.dtype,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    output_size: Any,
    layout: Layout,
) -> UnpoolProblem:
    """Check the arguments of max_unpool1d/2d/3d and describe the unpooling.

    Raises
    ------
    ShapeError, DTypeError, ValueError, TypeError
        Naming the argument, what it was and what is allowed.
    """
    _, n, c, spatial = split_batch(xshape, rank, layout)
    check_dtype(xdtype, "input", "f")
    check_not_empty(xshape, c, spatial)
    if idtype != np.int64:
        raise DTypeError(f"indices must have dtype int64, as max pooling returns them, got {idtype}")
    if ishape != xshape:
        raise ShapeError(f"indices must have the shape of input, {xshape}, got {ishape}")
    kernel = as_ints(kernel_size, rank, "kernel_size", 1)
    s = kernel if stride is None or stride == () else as_ints(stride, rank, "stride", 1)
    p = as_ints(padding, rank, "padding", 0)
    usual = tuple((e - 1) * ss + k - 2 * pp for e, ss, k, pp in zip(spatial, s, kernel, p, strict=True))
    output = usual if output_size is None else _unpooled_size(output_size, rank, usual, s)
    for axis, o in zip(AXES[3 - rank :], output, strict=True):
        if o < 1:
            raise ShapeError(f"output {axis} would be {o}: input has shape {xshape}, kernel_size {kernel}, padding {p}")
    problem = UnpoolProblem(n=n, c=c, input=to3(spatial, 1), output=to3(output, 1), layout=layout, dtype=xdtype)
    check_size(problem.y_shape, "the result")
    return problem


def _unpooled_size(value: Any, rank: int, usual: tuple[int, ...], stride: tuple[int, ...]) -> tuple[int, ...]:
    """`output_size`, of the spatial axes or of the whole shape; it must be a size that pools to the input."""
    if not isinstance(value, tuple) or len(value) not in (rank, rank + 2):
        raise ValueError(f"output_size must have {rank} or {rank + 2} ints, got {shown(value)}")
    size = as_ints(value[-rank:], rank, "output_size")
    for axis, o, u, s in zip(AXES[3 - rank :], size, usual, stride, strict=True):
        if not u - s < o < u + s:
            raise ShapeError(f"output_size is {o} on {axis}; it must be between {u - s + 1} and {u + s - 1}")
    return size


def check_indices(indices: np.ndarray, pixels: int) -> None:
    """ValueError unless every index, C-contiguous, lies within an output of `pixels` positions."""
    if indices.size and indices.view(np.uint64).max() >= pixels:  # negative ones are huge then
        outside = indices[(indices < 0) | (indices >= pixels)][0]
        raise ValueError(f"indices must be positions 0 to {pixels - 1} of the output, got {outside}")
