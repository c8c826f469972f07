"""Max unpooling, native: values are stored at their positions, one thread per plane."""

from __future__ import annotations

from typing import Any

from fastconv.backends.cython.runtime import native
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.problems.unpool import UnpoolProblem

CHANNELS = 16  # of one item, channels last: a cache line of float32
SHARED_ELEMENTS = 1 << 16  # fewer do not justify a second thread


class Unpool(Kernel[UnpoolProblem]):
    """Elements of any float are moved as they are."""

    backend = "cython"
    algorithm = "scatter"
    row = "cython.unpool"

    def reject(self, problem: UnpoolProblem) -> str | None:
        return native.build_problem()

    def features(self, problem: UnpoolProblem) -> Features:
        return Features({"call": 1, "element": problem.flops, "bytes": problem.bytes})

    def workspace(self, problem: UnpoolProblem) -> int:
        return 0

    def error(self, problem: UnpoolProblem) -> float:
        return 0.0

    def prepare(self, problem: UnpoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        _unpool = native.compiled("pool._unpool")
        p = problem
        width = CHANNELS if p.layout == "NHWC" else 1
        prepared = _unpool.Unpool(native.any_table(p.dtype), p, width)
        count = threads if p.n * p.c * p.pixels > SHARED_ELEMENTS else 1
        x, y = (native.contiguous(p.n, p.c, spatial, p.layout) for spatial in (p.input, p.output))
        native.schedule(prepared, 0, count, native.seconds(self, p), x, y)
        return prepared.operands(constants[0])


KERNELS = (Unpool(),)
