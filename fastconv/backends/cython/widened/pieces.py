"""Native kernels of floats for narrower types: a piece is converted, computed, and rounded once.

Half floats are computed in float32, and so are 8- and 16-bit integers where values are only compared; 32-bit ones in
float64, which represents all of them.  A piece is some channels of an image, about `PIECE` elements,
so that it stays in the cache and scratch does not grow with images.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, rounding
from fastconv.core.problems.base import is_half, named

PIECE = 1 << 18  # elements
LARGEST = 1 << 21  # elements of one channel; others are rejected, because scratch would grow with them


def widened(dtype: np.dtype, ordered: bool) -> np.dtype | None:
    """The dtype in which `dtype` is computed; `ordered`: values are only compared, so integers are possible."""
    if is_half(dtype):
        return np.dtype(np.float32)
    if dtype.kind in "iu" and dtype.itemsize <= 4 and ordered:
        return np.dtype(np.float32 if dtype.itemsize < 4 else np.float64)
    return None


class Widened(Kernel[Any]):
    """Base of these kernels: `inner` computes each piece."""

    backend = "cython"
    relative = "widened"
    row = "cython.widened"

    def __init__(self, inner: Kernel[Any]) -> None:
        self.inner, self.algorithm, self.isa = inner, inner.algorithm, inner.isa
        self.revision = inner.revision

    def ordered(self, problem: Any) -> bool:
        """Whether values are only compared."""
        return False

    def vector(self, problem: Any) -> int:
        """Elements of the smallest possible piece."""
        raise NotImplementedError

    def piece(self, problem: Any, wide: np.dtype) -> Any:
        """The problem of the largest piece."""
        raise NotImplementedError

    def reject(self, problem: Any) -> str | None:
        wide = widened(problem.dtype, self.ordered(problem))
        if wide is None:
            return f"dtype {named(problem.dtype)}: half floats, and maxima of integers of up to 32 bits"
        if self.vector(problem) > LARGEST:
            return f"more than {LARGEST} elements that cannot be split"
        return self.inner.reject(self.piece(problem, wide))

    def features(self, problem: Any) -> Features:
        q = self._piece(problem)
        pieces = max(1.0, problem.flops / max(q.flops, 1.0))
        elements = problem.bytes / problem.dtype.itemsize
        convert = "convert" if is_half(problem.dtype) else "convert_integer"
        return self.inner.work(q) * pieces + Features({"call": pieces, convert: elements}).of(self.rates)

    def _piece(self, problem: Any) -> Any:
        wide = widened(problem.dtype, self.ordered(problem))
        assert wide is not None, "rejected"
        return self.piece(problem, wide)

    def workspace(self, problem: Any) -> int:
        return self.total_workspace(problem, 1)

    def total_workspace(self, problem: Any, threads: int) -> int:
        q = self._piece(problem)
        arrays = (prod(self.given(q)) + sum(prod(shape) for shape, _ in q.results)) * 8
        return arrays + self.inner.total_workspace(q, threads) + np.getbufsize() * 16

    def given(self, q: Any) -> tuple[int, ...]:
        """Shape of the input of a piece."""
        raise NotImplementedError

    def error(self, problem: Any) -> float:
        if self.ordered(problem):
            return 0.0
        return rounding(problem.dtype)
