"""Cross-entropy and negative log-likelihood and their gradients, native."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.cython.elementwise.softmax import LONGEST, SHARED_ELEMENTS, items_of, sum_error, vectors, waiting
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Run, Specialised
from fastconv.core.problems.base import work_dtype
from fastconv.core.problems.loss import LossProblem

LINE = 64  # bytes of a cache line
SUM_BYTES = 16  # of an item: the sum of its losses, and that of its weights


class LossBinding:
    """Runs with the target and weights that each call gives, and for a gradient the scores.

    ``plain`` of x, out and these binds and runs in one call: see `_softmax.Loss`.
    """

    __slots__ = ("_dtype", "_even", "_likely", "_prepared", "_stored", "plain")

    def __init__(self, p: LossProblem, prepared: Any, even: np.ndarray | None) -> None:
        self._prepared, self._even, self._dtype = prepared, even, work_dtype(p.dtype)
        self._likely, self._stored = p.probabilities, p.dtype
        self.plain = prepared.loss if p.direction == "forward" else prepared.gradient

    def __call__(self, constants: tuple[Any, ...]) -> Run:
        *given, target, weight = constants
        if self._likely:
            target = target.astype(self._stored, copy=False)
        scale = self._even if weight is None else weight.astype(self._dtype)
        return self._prepared.bind(given[0] if given else None, scale, target)


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
        if problem.c == 0:
            return "no classes"
        reject = native.reject_storage if problem.direction == "forward" else native.reject_common
        return reject(self.isa, problem.dtype)

    def features(self, problem: LossProblem) -> Features:
        p = problem
        work = vectors(self.isa, work_dtype(p.dtype).itemsize, p.n, p.c, p.inner) if p.logits else {}
        read = p.bytes if p.logits or p.direction != "forward" else p.n * p.inner * LINE  # one number of each sample
        return Features({"call": 1}, {**work, "sample": p.n * p.inner}, {"bytes": read})

    def _scratch(self, p: LossProblem) -> tuple[int, int]:
        """Bytes of one thread, and of all threads for the sums of items."""
        size = work_dtype(p.dtype).itemsize
        block, items = items_of(p.n, p.c, p.inner)
        if p.direction != "forward":
            return (3 * block + waiting(self.isa, size, p.c, p.inner)) * size, 0
        return (3 + p.probabilities) * block * size, items * SUM_BYTES if p.reduction != "none" else 0

    def workspace(self, problem: LossProblem) -> int:
        return sum(self._scratch(problem))

    def error(self, problem: LossProblem) -> float:
        return sum_error(problem.dtype, problem.c)

    def specialise(self, problem: LossProblem, threads: int) -> Bind:
        _softmax = native.compiled("elementwise._softmax")
        p = problem
        block, items = items_of(p.n, p.c, p.inner)
        even = np.ones(p.c, work_dtype(p.dtype)) if p.smoothing and not p.weighted and not p.probabilities else None
        prepared = _softmax.Loss(native.table(self.isa, p.dtype), p, block, items, p.c <= LONGEST, even)
        threads = threads if p.n * p.c * p.inner > SHARED_ELEMENTS else 1
        losses, scores = native.c_order(*p.loss_shape), native.c_order(*p.canonical)
        x, y = (scores, losses) if p.direction == "forward" else (losses, scores)
        own, shared = self._scratch(p)
        native.schedule(prepared, own, threads, native.seconds(self, p), x, y, shared_bytes=shared)
        return LossBinding(p, prepared, even)


KERNELS = tuple(Loss(isa) for isa in machine.ISAS)
