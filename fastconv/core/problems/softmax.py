"""Softmax, log-softmax and softmin along one axis, as (outer, length, inner)."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from fastconv.core.caches import keep_few
from fastconv.core.errors import DTypeError
from fastconv.core.problems.base import NOMINAL_ROWS, Direction, Problem, as_int, check_dtype, description

SoftmaxKind: TypeAlias = Literal["softmax", "log_softmax", "softmin"]
KINDS: tuple[str, ...] = get_args(SoftmaxKind)


@description
class SoftmaxProblem(Problem):
    """One softmax over the middle axis.

    Attributes
    ----------
    kind : str
        ``softmax``, ``log_softmax`` or ``softmin``.
    outer, length, inner : int
        Product of the extents before, along and after the axis.
    dtype : numpy.dtype
        Of the input, once cast, and of the result.
    direction : str
        ``forward``; or ``backward``: a run receives the gradient of the result and has x as its constant.
    """

    kind: SoftmaxKind
    outer: int
    length: int
    inner: int
    dtype: np.dtype
    direction: Direction = "forward"

    @property
    def op(self) -> str:
        return "softmax" if self.direction == "forward" else "softmax_backward"

    @property
    def flops(self) -> float:
        return 10.0 * self.outer * self.length * self.inner

    @property
    def bytes(self) -> float:
        arrays = 2.0 if self.direction == "forward" else 3.0
        return arrays * self.outer * self.length * self.inner * self.dtype.itemsize

    def any_rows(self) -> SoftmaxProblem:
        return replace(self, outer=NOMINAL_ROWS)

    @property
    def results(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        return (((self.outer, self.length, self.inner), self.dtype),)


def as_axis(dim: Any, ndim: int) -> int:
    """`dim`, possibly negative, as an axis of an array with `ndim` axes (a scalar counts as one)."""
    dim, count = as_int(dim, "dim"), max(ndim, 1)
    if not -count <= dim < count:
        raise IndexError(f"dim must be between {-count} and {count - 1}, got {dim}")
    return dim % count


@keep_few()
def softmax_problem(
    kind: SoftmaxKind, shape: tuple[int, ...], xdtype: np.dtype, dim: int, dtype: np.dtype | None
) -> SoftmaxProblem:
    """Check the arguments of a softmax and describe it."""
    check_dtype(xdtype, "input", "fciub" if dtype is not None else "fc")
    if dtype is not None:
        check_dtype(dtype, "dtype", "fc")
        if xdtype.kind == "c" and dtype.kind != "c":
            raise DTypeError(f"dtype is {dtype}; input has dtype {xdtype}, and its imaginary parts would be lost")
    axis = as_axis(dim, len(shape))
    full = shape or (1,)
    outer, length, inner = prod(full[:axis]), full[axis], prod(full[axis + 1 :])
    if length == 1:  # the same memory, and vectors that are adjacent
        outer, inner = 1, outer * inner
    return SoftmaxProblem(kind, outer, length, inner, xdtype if dtype is None else dtype)


def softmax_backward_problem(
    kind: SoftmaxKind, shape: tuple[int, ...], xdtype: np.dtype, dim: Any, dtype: np.dtype | None
) -> SoftmaxProblem:
    """The gradient of a softmax with these arguments."""
    p = softmax_problem(kind, shape, xdtype, as_int(dim, "dim"), dtype)
    return replace(p, direction="backward")
