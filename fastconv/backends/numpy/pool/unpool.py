"""Max unpooling on NumPy: zeros, and one scatter per image."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.problems.unpool import UnpoolProblem


class NumpyUnpool(Kernel[UnpoolProblem]):
    """Positions index each channel of an image at once; of equal ones, the last value is kept."""

    backend = "numpy"
    algorithm = "scatter"
    row = "numpy.unpool"

    def reject(self, problem: UnpoolProblem) -> str | None:
        return None

    def features(self, problem: UnpoolProblem) -> Features:
        return Features({"call": problem.n * 5, "element": problem.flops, "bytes": problem.bytes})

    def workspace(self, problem: UnpoolProblem) -> int:
        return np.getbufsize() * 16

    def error(self, problem: UnpoolProblem) -> float:
        return 0.0

    def prepare(self, problem: UnpoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        indices = constants[0].reshape(p.n, p.c, p.values)

        def run(x: np.ndarray, out: np.ndarray) -> None:
            out[...] = np.zeros((), p.dtype)
            values = x.reshape(p.n, p.c, p.values)
            flat = out.reshape(p.n, p.c, p.pixels)
            assert flat.size == 0 or np.may_share_memory(flat, out), "a copy would swallow the result"
            for n in range(p.n):
                np.put_along_axis(flat[n], indices[n], values[n], axis=1)

        return run


KERNELS = (NumpyUnpool(),)
