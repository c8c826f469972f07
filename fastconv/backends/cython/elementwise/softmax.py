"""Softmax, its relatives and their gradients, native, lanes are elements or vectors; see simd/elementwise."""

from __future__ import annotations

from math import gcd

import numpy as np

from fastconv.backends.cython.elementwise.activation import WithOperand
from fastconv.backends.cython.runtime import native, shared
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Specialised, epsilon, rounding
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.base import is_half, work_dtype
from fastconv.core.problems.softmax import SoftmaxProblem

BLOCK = 1 << 14  # elements of one item of work, or
VECTORS = 2048  # these, or
POSITIONS = 512  # adjacent vectors
LONGEST = 4096  # elements of adjacent vectors for which scratch holds exponentials; for longer ones the result does
LONGEST_ROW = 1 << 17  # the same of rows and planes of 16-bit floats; of longer ones exponentials are computed twice
SHARED_ELEMENTS = 1 << 15  # fewer do not justify a second thread


def in_planes(isa: str, itemsize: int, length: int, inner: int) -> bool:
    """Whether the lanes of adjacent vectors are elements of all of them.

    There are too few to fill a vector, and they are long enough to pay for the sums of each lane.
    """
    lanes = native.lanes(isa, itemsize)
    if not 1 < inner < lanes:
        return False
    repeats = inner // gcd(inner, lanes)
    return length * inner >= lanes if repeats == 1 else 2 * length * (lanes - inner) >= repeats * lanes * lanes


def vectors(isa: str, itemsize: int, count: int, length: int, inner: int) -> dict[str, float]:
    """Counts of the exponentials of count * inner vectors of `length` elements."""
    lanes = native.lanes(isa, itemsize)
    groups = count * ceil_div(length, lanes) if inner == 1 else count * length * ceil_div(inner, lanes)
    return {"vector": groups * itemsize / 4, "row": count if inner == 1 else 0}


def items_of(count: int, length: int, inner: int) -> tuple[int, int]:
    """(vectors in one item of work, items)"""
    if inner == 1:
        block = max(1, min(BLOCK // max(1, length), VECTORS, count))
        return block, ceil_div(count, block)
    block = min(POSITIONS, max(1, inner))
    return block, count * ceil_div(inner, block)


def waiting(isa: str, itemsize: int, length: int, inner: int) -> int:
    """Elements of scratch for exponentials of adjacent vectors."""
    return shared.SOFT_VECTORS * native.lanes(isa, itemsize) * length if inner > 1 and length <= LONGEST else 0


def sum_error(dtype: np.dtype, length: int) -> float:
    """Expected error of what is computed from a sum of `length` exponentials; 16-bit floats are rounded once more."""
    return epsilon(work_dtype(dtype)) * (4 + length**0.5) + (rounding(dtype) if is_half(dtype) else 0.0)


class Softmax(Specialised[SoftmaxProblem]):
    """Maximum, exponentials and their sum, results: every element is in the L1 cache from the second time on."""

    backend = "cython"
    algorithm = "vectors"
    row = "cython.softmax"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: SoftmaxProblem) -> str | None:
        reject = native.reject_storage if problem.direction == "forward" else native.reject_common
        return reject(self.isa, problem.dtype)

    def _in_rows(self, p: SoftmaxProblem) -> bool:
        """Whether elements are in lanes: those of contiguous vectors, or of planes."""
        return p.inner == 1 or in_planes(self.isa, work_dtype(p.dtype).itemsize, p.length, p.inner)

    def _waiting(self, p: SoftmaxProblem) -> int:
        """Numbers of scratch for exponentials, also of rows that are narrower in memory."""
        if not self._in_rows(p):
            return waiting(self.isa, work_dtype(p.dtype).itemsize, p.length, p.inner)
        size = p.length * p.inner
        return size if is_half(p.dtype) and size <= LONGEST_ROW else 0

    def features(self, problem: SoftmaxProblem) -> Features:
        p = problem
        rows = (p.length * p.inner, 1) if self._in_rows(p) else (p.length, p.inner)
        work = vectors(self.isa, work_dtype(p.dtype).itemsize, p.outer, *rows)
        return Features({"call": 1}, work, {"bytes": p.bytes})

    def workspace(self, problem: SoftmaxProblem) -> int:
        return self._waiting(problem) * work_dtype(problem.dtype).itemsize

    def error(self, problem: SoftmaxProblem) -> float:
        return sum_error(problem.dtype, problem.length)

    def specialise(self, problem: SoftmaxProblem, threads: int) -> Bind:
        _softmax = native.compiled("elementwise._softmax")
        p = problem
        table = native.table(self.isa, p.dtype)
        rows = self._in_rows(p)
        block, items = items_of(p.outer, p.length * p.inner, 1) if rows else items_of(p.outer, p.length, p.inner)
        in_scratch, planes = self._waiting(p) > 0, rows and p.inner > 1
        prepared = _softmax.Softmax(table, p, block, items if p.length else 0, in_scratch, planes)
        size = p.outer * p.length * p.inner
        threads = threads if size > SHARED_ELEMENTS else 1
        whole = native.c_order(p.outer, p.length, p.inner)
        native.schedule(prepared, self.workspace(p), threads, native.seconds(self, p), whole, whole)
        return WithOperand(prepared, size) if p.direction == "backward" else lambda constants: prepared.bind()


KERNELS = tuple(Softmax(isa) for isa in machine.ISAS)
