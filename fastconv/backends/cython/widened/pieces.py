"""Native kernels of floats for narrower types: a piece is converted, computed, and rounded once.

Half floats are computed in float32, and so are 8- and 16-bit integers where values are only compared; 32-bit ones in
float64, which represents all of them.  A piece is some channels of an image or some vectors, about `PIECE` elements,
so that it stays in the cache and scratch does not grow with images.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from fastconv.backends.cython.elementwise import loss, softmax
from fastconv.backends.cython.runtime import halves
from fastconv.core.arrays import aligned_empty
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Kernel, Run, Specialised, rounding
from fastconv.core.numbers import rectangles
from fastconv.core.problems.base import is_half, named
from fastconv.core.problems.loss import Losses, LossProblem, write_losses
from fastconv.core.problems.softmax import SoftmaxProblem

PIECE = 1 << 18  # elements
LARGEST = 1 << 21  # elements of one channel or one vector; others are rejected, because scratch would grow with them


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


def pieces(outer: int, length: int, inner: int) -> tuple[int, int]:
    """(outer, inner) vectors of one piece."""
    length = max(1, length)
    if length * inner <= PIECE:
        return max(1, min(outer, PIECE // (length * max(1, inner)))), max(1, inner)
    return 1, max(1, min(inner, PIECE // length))


class WidenedSoftmax(Widened):
    """Some vectors at a time."""

    def vector(self, problem: SoftmaxProblem) -> int:
        return problem.length

    def piece(self, problem: SoftmaxProblem, wide: np.dtype) -> SoftmaxProblem:
        p = problem
        outer, inner = pieces(p.outer, p.length, p.inner)
        return replace(p, outer=outer, inner=inner, dtype=wide)

    def given(self, q: SoftmaxProblem) -> tuple[int, ...]:
        return (q.outer, q.length, q.inner)

    def prepare(self, problem: SoftmaxProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p, q = problem, self._piece(problem)
        runs: dict[tuple[int, ...], Run] = {}

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            if 0 in x.shape:
                return
            for i, j in rectangles(p.outer, p.inner, q.outer, q.inner):
                part = halves.converted(self.isa, x[i, :, j], q.dtype)
                if part.shape not in runs:
                    own = replace(q, outer=part.shape[0], inner=part.shape[2])
                    runs[part.shape] = self.inner.prepare(own, (), threads)
                result = aligned_empty(part.shape, q.dtype)
                runs[part.shape](part, result)
                halves.convert(self.isa, out[i, :, j], result)

        return run


class WidenedLoss(Widened, Specialised[Any]):
    """Losses of some samples at a time, summed in float64."""

    def vector(self, problem: LossProblem) -> int:
        return problem.c

    def piece(self, problem: LossProblem, wide: np.dtype) -> LossProblem:
        p = problem
        n, inner = pieces(p.n, p.c, p.inner)
        return replace(p, n=n, inner=inner, dtype=wide, reduction="none")

    def given(self, q: LossProblem) -> tuple[int, ...]:
        return (q.n, q.c, q.inner)

    def specialise(self, problem: LossProblem, threads: int) -> Bind:
        p, q = problem, self._piece(problem)
        if (q.n, q.inner) != (p.n, p.inner):
            return lambda constants: self._in_pieces(p, q, constants, threads)
        bind = self.inner.specialise(replace(p, dtype=q.dtype), threads)

        def bind_whole(constants: tuple[Any, ...]) -> Run:
            inner = bind(constants)

            def run(x: np.ndarray, out: np.ndarray) -> None:
                result = np.empty(out.shape, q.dtype)
                inner(halves.converted(self.isa, x, q.dtype), result)
                halves.convert(self.isa, out, result)

            return run

        return bind_whole

    def _in_pieces(self, p: LossProblem, q: LossProblem, constants: tuple[Any, ...], threads: int) -> Run:
        target, weight = constants
        scale = None if weight is None else weight.astype(q.dtype)

        def computed(x: np.ndarray) -> Iterator[Losses]:
            for i, j in rectangles(p.n, p.inner, q.n, q.inner):
                part, labels = halves.converted(self.isa, x[i, :, j], q.dtype), np.ascontiguousarray(target[i, j])
                own = replace(q, n=part.shape[0], inner=part.shape[2])
                losses = np.empty(labels.shape, q.dtype)
                self.inner.prepare(own, (labels, scale), threads)(part, losses)
                kept = labels[labels != p.ignore_index]
                yield (i, j), losses, float(kept.size if scale is None else scale[kept].sum(dtype=np.float64))

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            write_losses(p, computed(x), out)

        return run


SOFTMAX = tuple(map(WidenedSoftmax, softmax.KERNELS))
LOSS = tuple(map(WidenedLoss, loss.KERNELS))
