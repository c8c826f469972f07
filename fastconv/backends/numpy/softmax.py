"""Softmax on NumPy: blocks of rows, shifted by their maximum so that nothing overflows."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.kernel import Kernel, Run
from fastconv.core.machine import Machine
from fastconv.core.problems.base import is_half
from fastconv.core.problems.softmax import SoftmaxProblem

BLOCK = 1 << 15  # elements
SECONDS_PER_ELEMENT = 8e-9


class Softmax(Kernel[SoftmaxProblem]):
    """Maximum, exponential, sum; half floats in float32."""

    backend = "numpy"
    algorithm = "blocks"

    def reject(self, problem: SoftmaxProblem) -> str | None:
        return None

    def cost(self, problem: SoftmaxProblem, machine: Machine) -> float:
        return 2e-5 + problem.outer * problem.length * problem.inner * SECONDS_PER_ELEMENT

    def _rows(self, p: SoftmaxProblem) -> int:
        return max(1, BLOCK // max(1, p.length * p.inner))

    def workspace(self, problem: SoftmaxProblem) -> int:
        p = problem
        return 3 * min(self._rows(p), p.outer) * p.length * p.inner * max(4, p.dtype.itemsize)

    def error(self, problem: SoftmaxProblem) -> float:
        if is_half(problem.dtype):
            return 2.0**-8 if problem.dtype.kind != "f" else 2.0**-11
        return float(np.finfo(problem.dtype).eps) * (4 + problem.length**0.5)

    def prepare(self, problem: SoftmaxProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        work = np.dtype(np.float32) if is_half(p.dtype) else p.dtype
        step = self._rows(p)

        def run(x: np.ndarray, out: np.ndarray) -> None:
            if 0 in x.shape:
                return
            with np.errstate(all="ignore"):
                for i in range(0, p.outer, step):
                    part = x[i : i + step].astype(work)
                    if p.kind == "softmin":
                        np.negative(part, out=part)
                    part -= part.max(1, keepdims=True)
                    weights = np.exp(part)
                    total = weights.sum(1, keepdims=True)
                    out[i : i + step] = part - np.log(total) if p.kind == "log_softmax" else weights / total

        return run


KERNELS = (Softmax(),)
