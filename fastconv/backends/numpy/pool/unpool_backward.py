"""The gradient of max unpooling on NumPy: one gather per block of channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.unpool import UnpoolProblem

BLOCK = 1 << 16  # values


class Gather(Kernel[UnpoolProblem]):
    """Every value reads the gradient of the position that it went to."""

    backend = "numpy"
    algorithm = "gather"
    row = "numpy.unpool_backward"

    def reject(self, problem: UnpoolProblem) -> str | None:
        return None

    def features(self, problem: UnpoolProblem) -> Features:
        calls = problem.n * ceil_div(problem.c, self._channels(problem)) * 3
        return Features({"call": calls, "element": problem.flops, "bytes": problem.bytes})

    def workspace(self, problem: UnpoolProblem) -> int:
        return self._channels(problem) * problem.values * problem.dtype.itemsize + np.getbufsize() * 16

    def error(self, problem: UnpoolProblem) -> float:
        return 0.0

    @staticmethod
    def _channels(p: UnpoolProblem) -> int:
        return max(1, min(p.c, BLOCK // p.values))

    def prepare(self, problem: UnpoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        indices = constants[0].reshape(p.n, p.c, p.values)
        step = self._channels(p)

        def run(dy: np.ndarray, out: np.ndarray) -> None:
            given = dy.reshape(p.n, p.c, p.pixels)
            flat = out.reshape(p.n, p.c, p.values)
            assert flat.size == 0 or np.may_share_memory(flat, out), "a copy would swallow the result"
            for n in range(p.n):
                for c in range(0, p.c, step):
                    at = indices[n, c : c + step]
                    flat[n, c : c + step] = given[n, c : c + step][np.arange(len(at))[:, None], at]

        return run


KERNELS = (Gather(),)
