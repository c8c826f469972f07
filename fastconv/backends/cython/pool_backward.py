"""Gradients of max pooling, native: a scatter by indices, one thread to a plane."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.cython import native
from fastconv.core import threads
from fastconv.core.kernel import Kernel, Run, summation_error
from fastconv.core.machine import Machine
from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.pool import PoolProblem

AnyPool = PoolProblem | AdaptivePoolProblem

CHANNELS = 16  # that one item takes where they come last: a cache line of float32
GRADIENT_SECONDS = 1e-9
START_SECONDS = 6e-6
SHARED_ELEMENTS = 1 << 16  # fewer are not worth a second thread


class Scatter(Kernel[AnyPool]):
    """Right for any indices, also those that no pooling gave."""

    backend = "cython"
    algorithm = "scatter"

    def reject(self, problem: AnyPool) -> str | None:
        if problem.kind != "max" or not problem.indices:
            return "goes by the indices of maxima"
        if problem.dtype not in (np.float32, np.float64):
            return f"dtype {problem.dtype}: float32 and float64 only"
        return native.build_problem()

    def cost(self, problem: AnyPool, machine: Machine) -> float:
        p = problem
        return START_SECONDS + p.bytes / machine.bandwidth + p.n * p.c * p.pixels * GRADIENT_SECONDS

    def workspace(self, problem: AnyPool) -> int:
        return 0

    def error(self, problem: AnyPool) -> float:
        return summation_error(float(np.finfo(problem.dtype).eps), problem.taps)

    def prepare(self, problem: AnyPool, constants: tuple[Any, ...], count: int) -> Run:
        from fastconv.backends.cython import _pool_backward

        p = problem
        (indices,) = constants
        width = CHANNELS if p.layout == "NHWC" else 1
        items = p.n * -(-p.c // width)
        elements = p.n * p.c * p.input[0] * p.input[1] * p.input[2]
        workers = min(count, items) if elements > SHARED_ELEMENTS else 1
        slices = threads.slices(items, self.cost(p, native.machine.host()))

        def run(dy: np.ndarray, out: np.ndarray) -> None:
            for lo, hi in slices:
                _pool_backward.run(dy, indices, out, width, lo, hi, max(1, threads.openmp_threads(workers)))

        return run


KERNELS = (Scatter(),)
