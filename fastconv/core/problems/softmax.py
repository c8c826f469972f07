"""Softmax, log-softmax and softmin along one axis, as (outer, length, inner)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np

from fastconv.core.problems.base import Problem, check_dtype

KINDS = ("softmax", "log_softmax", "softmin")


@dataclass(frozen=True, slots=True)
class SoftmaxProblem(Problem):
    """One softmax over the middle axis.

    Attributes
    ----------
    kind : str
        ``softmax``, ``log_softmax`` or ``softmin``.
    outer, length, inner : int
        Elements before, along and behind the axis.
    dtype : numpy.dtype
        Of the input, once cast, and of the result.
    """

    kind: str
    outer: int
    length: int
    inner: int
    dtype: np.dtype

    @property
    def op(self) -> str:
        return "softmax"

    @property
    def flops(self) -> float:
        return 10.0 * self.outer * self.length * self.inner

    @property
    def bytes(self) -> float:
        return 2.0 * self.outer * self.length * self.inner * self.dtype.itemsize

    @property
    def results(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        return (((self.outer, self.length, self.inner), self.dtype),)


def as_axis(dim: int, ndim: int) -> int:
    """`dim`, possibly negative, as an axis of an array with `ndim` axes (a scalar counts as one)."""
    count = max(ndim, 1)
    if not -count <= dim < count:
        raise IndexError(f"dim must be between {-count} and {count - 1}, got {dim}")
    return dim % count


@lru_cache(maxsize=512)
def softmax_problem(
    kind: str, shape: tuple[int, ...], xdtype: np.dtype, dim: int, dtype: np.dtype | None
) -> SoftmaxProblem:
    """Check the arguments of a softmax and describe it."""
    check_dtype(xdtype, "x", "fiub" if dtype is not None else "f")
    if dtype is not None:
        check_dtype(dtype, "dtype", "f")
    axis = as_axis(dim, len(shape))
    full = shape or (1,)
    return SoftmaxProblem(
        kind, prod(full[:axis]), full[axis], prod(full[axis + 1 :]), xdtype if dtype is None else dtype
    )
