"""ReLU and its gradient, native: one pass over memory, shared out in blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.cython import native
from fastconv.core import machine, threads
from fastconv.core.kernel import Kernel, Run
from fastconv.core.machine import Machine
from fastconv.core.problems.activation import ElementwiseProblem

BLOCK = 1 << 14  # elements
SHARED_BLOCKS = 8  # fewer are not worth a second thread
START_SECONDS = 5e-6


class Relu(Kernel[ElementwiseProblem]):
    """max(x, 0), or backward the gradient where x is above 0."""

    backend = "cython"
    algorithm = "vectors"

    def __init__(self, isa: str, direction: str) -> None:
        self.isa, self.direction = isa, direction

    def reject(self, problem: ElementwiseProblem) -> str | None:
        if problem.function != "relu":
            return f"{problem.function}: relu only"
        return native.reject_common(self.isa, problem.dtype)

    def cost(self, problem: ElementwiseProblem, machine: Machine) -> float:
        return START_SECONDS + problem.bytes / machine.bandwidth

    def workspace(self, problem: ElementwiseProblem) -> int:
        return 0

    def error(self, problem: ElementwiseProblem) -> float:
        return 0.0

    def prepare(self, problem: ElementwiseProblem, constants: tuple[Any, ...], count: int) -> Run:
        from fastconv.backends.cython import _elementwise

        table = native.table(self.isa, problem.dtype.itemsize)
        blocks = -(-problem.size // BLOCK)
        workers = min(count, blocks) if blocks >= SHARED_BLOCKS else 1
        slices = threads.slices(blocks, native.seconds(self, problem))

        def forward(x: np.ndarray, out: np.ndarray) -> None:
            for lo, hi in slices:
                _elementwise.relu(table, x, out, BLOCK, lo, hi, threads.openmp_threads(workers))

        def backward(dy: np.ndarray, out: np.ndarray) -> None:
            for lo, hi in slices:
                _elementwise.relu_backward(table, dy, constants[0], out, BLOCK, lo, hi, threads.openmp_threads(workers))

        return forward if self.direction == "forward" else backward


KERNELS = tuple(Relu(isa, "forward") for isa in machine.ISAS)
BACKWARD = tuple(Relu(isa, "backward") for isa in machine.ISAS)
