"""Cross-entropy and negative log-likelihood of class indices and their gradients, native."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.cython import native
from fastconv.backends.cython.softmax import LONGEST, SHARED_ELEMENTS, START_SECONDS, blocks, vectors, waiting
from fastconv.core import machine
from fastconv.core.kernel import Kernel, Run
from fastconv.core.machine import Machine
from fastconv.core.problems.loss import LossProblem

SAMPLE_SECONDS = 4e-9


class Loss(Kernel[LossProblem]):
    """The sum of exponentials of each sample, in lanes; what is asked of it one sample at a time, in float64.

    Samples are added up in blocks of a fixed size, so that the sum does not depend on threads.
    """

    backend = "cython"
    algorithm = "vectors"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: LossProblem) -> str | None:
        if problem.probabilities:
            return "a target of class probabilities"
        if problem.c == 0:
            return "no classes"
        return native.reject_common(self.isa, problem.dtype)

    def cost(self, problem: LossProblem, machine: Machine) -> float:
        p = problem
        work = vectors(self.isa, p.dtype.itemsize, p.n, p.c, p.inner) * p.logits + p.n * p.inner * SAMPLE_SECONDS
        share = min(machine.threads, max(1, p.n * p.c * p.inner // SHARED_ELEMENTS))
        return START_SECONDS + max(work, p.bytes / machine.bandwidth) / share

    def workspace(self, problem: LossProblem) -> int:
        p = problem
        block, _ = blocks(p.n, p.c, p.inner)
        each = 3 * block + (waiting(self.isa, p.dtype.itemsize, p.c, p.inner) if p.direction == "backward" else 0)
        return each * p.dtype.itemsize

    def error(self, problem: LossProblem) -> float:
        return float(np.finfo(problem.dtype).eps) * (4 + problem.c**0.5)

    def prepare(self, problem: LossProblem, constants: tuple[Any, ...], threads: int) -> Run:
        from fastconv.backends.cython import _softmax

        p = problem
        target, weight = constants[-2:]
        scale = np.ones(p.c, p.dtype) if weight is None else weight.astype(p.dtype)
        block, items = blocks(p.n, p.c, p.inner)
        total_weight = float(scale.sum(dtype=np.float64))
        table, in_scratch = native.table(self.isa, p.dtype.itemsize), p.c <= LONGEST
        prepared = _softmax.Loss(table, p, target, scale, total_weight, block, items, in_scratch)
        scratch, seconds = self.workspace(p), native.seconds(self, p)
        threads = threads if p.n * p.c * p.inner > SHARED_ELEMENTS else 1
        each = native.in_slices(items, scratch, threads, seconds)

        def run(x: np.ndarray, out: np.ndarray) -> None:
            each(lambda buf, step, lo, hi, count: prepared.run(x, out, buf, step, lo, hi, count))

        @np.errstate(all="ignore")
        def reduced(x: np.ndarray, out: np.ndarray) -> None:
            sums = np.empty((items, 2))  # of losses and of weights
            run(x, sums)
            total, weights = sums.sum(0).tolist()
            if p.reduction == "sum":
                out[0] = total
            else:
                out[0] = total / weights if weights else total * np.inf

        def backward(dy: np.ndarray, out: np.ndarray) -> None:
            each(
                lambda buf, step, lo, hi, count: prepared.backward(
                    constants[0], dy, share, out, buf, step, lo, hi, count
                )
            )

        if p.direction == "forward":
            return run if p.reduction == "none" else reduced
        share = 1.0
        if p.reduction == "mean":
            kept = target[target != p.ignore_index]
            divisor = float(kept.size) if weight is None else float(scale[kept].sum(dtype=np.float64))
            share = 1.0 / divisor if divisor else 0.0  # a mean over nothing passes no gradient on
        return backward


KERNELS = tuple(Loss(isa) for isa in machine.ISAS)
