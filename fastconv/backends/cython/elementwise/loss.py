"""Cross-entropy and negative log-likelihood of class indices and their gradients, native."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fastconv.backends.cython.elementwise.softmax import LONGEST, SHARED_ELEMENTS, items_of, vectors, waiting
from fastconv.backends.cython.runtime import halves, native
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Run, Specialised, rounding
from fastconv.core.problems.base import is_half, work_dtype
from fastconv.core.problems.loss import LossProblem

LINE = 64  # bytes of a cache line
SUM_BYTES = 16  # of an item: the sum of its losses, and that of its weights
ROUNDED = 1 << 15  # losses in a buffer before they are rounded to 16 bits


class Loss(Specialised[LossProblem]):
    """The sum of exponentials of each sample, with SIMD; the rest one sample at a time, in float64.

    Samples are summed in blocks of a fixed size, so that the sum does not depend on threads.
    """

    backend = "cython"
    algorithm = "vectors"
    row = "cython.loss"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: LossProblem) -> str | None:
        if problem.probabilities:
            return "a target of class probabilities"
        if problem.c == 0:
            return "no classes"
        if is_half(problem.dtype) and (problem.logits or problem.direction != "forward"):
            return "16-bit floats: likelihoods only"
        if is_half(problem.dtype) and prod(problem.loss_shape) > ROUNDED:
            return f"16-bit floats: up to {ROUNDED} losses, which are rounded at the end"
        return native.reject_common(self.isa, work_dtype(problem.dtype))

    def features(self, problem: LossProblem) -> Features:
        p = problem
        work = vectors(self.isa, work_dtype(p.dtype).itemsize, p.n, p.c, p.inner) if p.logits else {}
        read = p.bytes if p.logits or p.direction == "backward" else p.n * p.inner * LINE  # one number of each sample
        return Features({"call": 1}, {**work, "sample": p.n * p.inner}, {"bytes": read})

    def _scratch(self, p: LossProblem) -> tuple[int, int]:
        """Bytes of one thread, and of all threads for the sums of items."""
        size = work_dtype(p.dtype).itemsize
        block, items = items_of(p.n, p.c, p.inner)
        if p.direction == "backward":
            return (3 * block + waiting(self.isa, size, p.c, p.inner)) * size, 0
        return 3 * block * size, items * SUM_BYTES if p.reduction != "none" else 0

    def workspace(self, problem: LossProblem) -> int:
        p, dtype = problem, work_dtype(problem.dtype)
        wide = 0 if dtype == p.dtype else prod(p.loss_shape) * dtype.itemsize
        return sum(self._scratch(p)) + wide

    def error(self, problem: LossProblem) -> float:
        if is_half(problem.dtype):
            return rounding(problem.dtype)
        return float(np.finfo(problem.dtype).eps) * (4 + problem.c**0.5)

    def specialise(self, problem: LossProblem, threads: int) -> Bind:
        _softmax = native.compiled("elementwise._softmax")
        p = problem
        block, items = items_of(p.n, p.c, p.inner)
        dtype = work_dtype(p.dtype)
        prepared = _softmax.Loss(native.table(self.isa, dtype), p, block, items, p.c <= LONGEST)
        threads = threads if p.n * p.c * p.inner > SHARED_ELEMENTS else 1
        forward = p.direction == "forward"
        losses, scores = native.c_order(*p.loss_shape), native.c_order(*p.canonical)
        x, y = (scores, losses) if forward else (losses, scores)
        own, shared = self._scratch(p)
        native.schedule(prepared, own, threads, native.seconds(self, p), x, y, shared_bytes=shared)

        def bind(constants: tuple[Any, ...]) -> Run:
            target, weight = constants[-2:]
            scale, total = self._weights(p, weight)
            factors = None
            if p.smoothing or not forward:
                factors = np.array([total, 1.0 if forward else self._share(p, target, scale)])
            run = prepared.bind(None if forward else constants[0], scale, target, factors)

            def rounded(x: np.ndarray, out: np.ndarray) -> None:
                wide = np.empty(out.shape, dtype)
                run(x, wide)
                halves.convert(self.isa, out, wide)

            return run if dtype == p.dtype else rounded

        return bind

    @staticmethod
    def _weights(p: LossProblem, weight: np.ndarray | None) -> tuple[np.ndarray | None, float]:
        """The weight of each class, None where all are 1 and need not be read, and their sum."""
        if weight is None:
            return np.ones(p.c, work_dtype(p.dtype)) if p.smoothing else None, float(p.c)
        scale = weight.astype(work_dtype(p.dtype))
        return scale, float(scale.sum(dtype=np.float64))

    @staticmethod
    def _share(p: LossProblem, target: np.ndarray, scale: np.ndarray | None) -> float:
        """The factor of each sample in the loss."""
        if p.reduction != "mean":
            return 1.0
        kept = target != p.ignore_index
        divisor = float(np.count_nonzero(kept) if scale is None else scale[target[kept]].sum(dtype=np.float64))
        return 1.0 / divisor if divisor else 0.0  # a mean over no samples has gradient 0


KERNELS = tuple(Loss(isa) for isa in machine.ISAS)
