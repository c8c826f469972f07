"""Softmax, its relatives and their gradients, native, lanes are elements or vectors; see simd/elementwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.cython.runtime import native, shared
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.softmax import SoftmaxProblem

BLOCK = 1 << 14  # elements of one item of work, or
VECTORS = 2048  # these, or
POSITIONS = 512  # adjacent vectors
LONGEST = 4096  # elements of adjacent vectors for which scratch holds exponentials; for longer ones the result does
SHARED_ELEMENTS = 1 << 15  # fewer do not justify a second thread


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


class Softmax(Kernel[SoftmaxProblem]):
    """Maximum, exponentials and their sum, results: every element is in the L1 cache from the second time on."""

    backend = "cython"
    algorithm = "vectors"
    row = "cython.softmax"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: SoftmaxProblem) -> str | None:
        return native.reject_common(self.isa, problem.dtype)

    def features(self, problem: SoftmaxProblem) -> Features:
        p = problem
        work = vectors(self.isa, p.dtype.itemsize, p.outer, p.length, p.inner)
        return Features({"call": 1}, work, {"bytes": p.bytes})

    def workspace(self, problem: SoftmaxProblem) -> int:
        p = problem
        return waiting(self.isa, p.dtype.itemsize, p.length, p.inner) * p.dtype.itemsize

    def error(self, problem: SoftmaxProblem) -> float:
        return float(np.finfo(problem.dtype).eps) * (4 + problem.length**0.5)

    def prepare(self, problem: SoftmaxProblem, constants: tuple[Any, ...], threads: int) -> Run:
        _softmax = native.compiled("elementwise._softmax")
        p = problem
        table = native.table(self.isa, p.dtype)
        block, items = items_of(p.outer, p.length, p.inner)
        prepared = _softmax.Softmax(table, p, block, items if p.length else 0, p.length <= LONGEST)
        size = p.outer * p.length * p.inner
        threads = threads if size > SHARED_ELEMENTS else 1
        whole = native.c_order(p.outer, p.length, p.inner)
        native.schedule(prepared, self.workspace(p), threads, native.seconds(self, p), whole, whole)
        return prepared.bind(constants[0] if p.direction == "backward" else None)


KERNELS = tuple(Softmax(isa) for isa in machine.ISAS)
