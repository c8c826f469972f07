"""What filters of arrays share, those of scipy.ndimage: results have the shape of the input."""

from __future__ import annotations

from math import prod

import numpy as np

from fastconv.core.problems.base import Problem


def numeric(dtype: np.dtype) -> np.dtype:
    """The dtype as which elements are compared and added: bools as bytes."""
    return np.dtype(np.uint8) if dtype.kind == "b" else dtype


class FilterProblem(Problem):
    """Base of problems of filters, whose canonical form is flat: kernels see arrays of one axis, of `size` elements."""

    __slots__ = ()

    shape: tuple[int, ...]
    dtype: np.dtype
    out: np.dtype

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def bytes(self) -> float:
        return float(self.size * (self.dtype.itemsize + self.out.itemsize))

    @property
    def results(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        return (((self.size,), self.out),)
