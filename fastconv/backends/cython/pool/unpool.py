"""Max unpooling, native: values are stored at their positions, one thread for each channel."""

from __future__ import annotations

from typing import Any

from fastconv.backends.cython.runtime import native
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Run, Specialised
from fastconv.core.problems.unpool import UnpoolProblem

CHANNELS = 16  # of one item, channels last: a cache line of float32
ITEM_BYTES = 8 << 10  # of the result of one item, channels first
SHARED_ELEMENTS = 1 << 16  # fewer do not justify a second thread


class UnpoolBinding:
    """Runs with the positions that each call gives.

    ``plain(x, out, indices)`` binds and runs in one call: see `_unpool.Unpool`.
    """

    __slots__ = ("_prepared", "plain")

    def __init__(self, prepared: Any) -> None:
        self._prepared, self.plain = prepared, prepared.unpool

    def __call__(self, constants: tuple[Any, ...]) -> Run:
        return self._prepared.operands(constants[0])


class Unpool(Specialised[UnpoolProblem]):
    """Elements of any float are moved as they are."""

    backend = "cython"
    algorithm = "scatter"
    row = "cython.unpool"

    def reject(self, problem: UnpoolProblem) -> str | None:
        return native.reject_any(problem.dtype)

    def features(self, problem: UnpoolProblem) -> Features:
        return Features({"call": 1, "element": problem.flops, "bytes": problem.bytes})

    def workspace(self, problem: UnpoolProblem) -> int:
        return 0

    def error(self, problem: UnpoolProblem) -> float:
        return 0.0

    def specialise(self, problem: UnpoolProblem, threads: int) -> Bind:
        _unpool = native.compiled("pool._unpool")
        p = problem
        last = p.layout == "NHWC"
        width = CHANNELS if last else max(1, min(p.c, ITEM_BYTES // (p.pixels * p.dtype.itemsize)))
        prepared = _unpool.Unpool(native.any_table(p.dtype), p, width, last)
        count = threads if p.n * p.c * p.pixels > SHARED_ELEMENTS else 1
        x, y = (native.contiguous(p.n, p.c, spatial, p.layout) for spatial in (p.input, p.output))
        native.schedule(prepared, 0, count, native.seconds(self, p), x, y)
        return UnpoolBinding(prepared)


KERNELS = (Unpool(),)
