"""Softmax on NumPy: blocks of vectors, shifted by their maximum so that nothing overflows.

Complex vectors are shifted by the largest real part, on which the size of an exponential depends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, rounding
from fastconv.core.numbers import rectangles, slices
from fastconv.core.problems.base import is_half, work_dtype
from fastconv.core.problems.softmax import SoftmaxProblem

BLOCK = 1 << 15  # elements
NARROW = 16  # adjacent vectors share cache lines: blocks of long vectors have this many
LARGEST = 1 << 18  # elements of a block of NARROW vectors
LONG = 1 << 18  # elements; longer vectors are processed in pieces


def block_shape(outer: int, length: int, inner: int) -> tuple[int, int]:
    """(outer, inner) vectors of one block: about `BLOCK` elements, and at least one vector."""
    length = max(1, length)
    if length * inner <= BLOCK:
        return max(1, min(outer, BLOCK // (length * max(1, inner)))), max(1, inner)
    return 1, max(1, min(inner, max(BLOCK // length, min(NARROW, LARGEST // length))))


def vector_blocks(outer: int, length: int, inner: int) -> Iterator[tuple[slice, slice]]:
    """The vectors of every block: outer and inner ones."""
    return rectangles(outer, inner, *block_shape(outer, length, inner))


def block_elements(outer: int, length: int, inner: int) -> int:
    """Elements of one block."""
    rows, columns = block_shape(outer, length, inner)
    return rows * max(1, length) * columns


def shift(x: np.ndarray) -> np.ndarray:
    """`x` less the largest of each vector along axis 1."""
    return x - x.real.max(1, keepdims=True, initial=-np.inf)


def log_softmax(x: np.ndarray) -> np.ndarray:
    """Over axis 1, without overflow."""
    shifted = shift(x)
    shifted -= np.log(np.exp(shifted).sum(1, keepdims=True))
    return shifted


def softmax(x: np.ndarray) -> np.ndarray:
    """Over axis 1, without overflow."""
    shifted = shift(x)
    weights = np.exp(shifted, out=shifted)
    weights /= weights.sum(1, keepdims=True)
    return weights


def exponential_sum(part: Callable[[slice], np.ndarray], length: int) -> tuple[Any, Any]:
    """(largest, sum of exponentials of what is less than that) of a long vector, whose pieces `part` gives."""
    top = np.max([part(piece).real.max() for piece in slices(length, LONG)])
    parts = [np.exp(part(piece) - top).sum() for piece in slices(length, LONG)]
    return top, np.sum(parts, dtype=parts[0].dtype)


def long_softmax(kind: str, x: np.ndarray, out: np.ndarray, work: np.dtype) -> None:
    """Of one vector, in pieces."""

    def part(piece: slice) -> np.ndarray:
        values = x[piece].astype(work, copy=False)
        return -values if kind == "softmin" else values

    top, total = exponential_sum(part, x.size)
    for piece in slices(x.size, LONG):
        shifted = part(piece) - top
        out[piece] = shifted - np.log(total) if kind == "log_softmax" else np.exp(shifted, out=shifted) / total


class NumpySoftmax(Kernel[SoftmaxProblem]):
    """Maximum, exponential, sum; half floats in float32."""

    backend = "numpy"
    algorithm = "blocks"
    row = "numpy.softmax"

    def reject(self, problem: SoftmaxProblem) -> str | None:
        return None

    def features(self, problem: SoftmaxProblem) -> Features:
        return Features({"call": 1, "element": problem.outer * problem.length * problem.inner})

    def workspace(self, problem: SoftmaxProblem) -> int:
        p = problem
        elements = LONG if p.length > LONG else block_elements(p.outer, p.length, p.inner)
        return 4 * elements * max(4, p.dtype.itemsize) + (1 << 12)

    def error(self, problem: SoftmaxProblem) -> float:
        if is_half(problem.dtype):
            return rounding(problem.dtype)
        return float(np.finfo(problem.dtype).eps) * (4 + problem.length**0.5)

    def prepare(self, problem: SoftmaxProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        work = work_dtype(p.dtype)
        function = log_softmax if p.kind == "log_softmax" else softmax

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            if 0 in x.shape:
                return
            if p.length > LONG:
                for i, j in np.ndindex(p.outer, p.inner):
                    long_softmax(p.kind, x[i, :, j], out[i, :, j], work)
                return
            for i, j in vector_blocks(p.outer, p.length, p.inner):
                part = x[i, :, j].astype(work, copy=False)
                out[i, :, j] = function(-part if p.kind == "softmin" else part)

        return run


KERNELS = (NumpySoftmax(),)
