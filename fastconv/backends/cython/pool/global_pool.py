"""Windows that are runs of memory, native: the mean or the maximum of each, read once in order.

Whole channels are such windows, and so are parts of a signal, rows of an image, or some rows together.
"""

from __future__ import annotations

from math import prod
from typing import Any

from fastconv.backends.cython.pool.separable import MAX, SUM, axis_divisors, error_of
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.base import is_half, work_dtype
from fastconv.core.problems.pool import PoolProblem
from fastconv.machines import traffic

BLOCK = 256  # longest chain of additions, for every vector length; see simd/pool/global_pool.inc
WIDTH, ITEM = 64, 1 << 14  # windows of one item of work, or more of them that have so many elements
LOOKED = 64  # elements among which a position is looked for, one after the other; see _global_pool.pyx
SHARED_ELEMENTS = 1 << 17  # fewer do not justify a second thread


def covers(p: PoolProblem) -> bool:
    """Whether there is one window, of all elements and perhaps of padding, which a mean counts."""
    axes = zip(p.input, p.kernel, p.dilation, p.pads, p.output, strict=True)
    whole = all(o == 1 and d == 1 and k - lo >= e for e, k, d, (lo, _), o in axes)
    mean = p.kind == "avg" and p.divisor is None and not is_half(p.dtype)
    return whole and mean and p.layout == "NCHW"


def divisor_of(p: PoolProblem) -> float:
    """Elements and positions of padding in the one window of a problem that `covers`."""
    return prod(float(axis.values[0]) for axis in axis_divisors(p))


def runs_of(p: PoolProblem) -> tuple[int, int] | None:
    """The windows of a channel, and elements of each; None unless these lie in memory one after the other."""
    if covers(p):
        return 1, prod(p.input)
    apart = any(d > 1 and k > 1 for d, k in zip(p.dilation, p.kernel, strict=True))
    if p.kind == "lp" or p.divisor is not None or apart:
        return None

    def covered(axis: int) -> bool:  # by its only window
        e, k, lo = p.input[axis], p.kernel[axis], p.pads[axis][0]
        counted = p.kind == "avg" and p.include_pad and (k != e or lo != 0)
        return p.output[axis] == 1 and k - lo >= e and not counted

    runs, elements, axis = 1, 1, 2
    while axis > 0 and covered(axis):
        elements *= p.input[axis]
        axis -= 1
    e, k, s, o = p.input[axis], p.kernel[axis], p.stride[axis], p.output[axis]
    if covered(axis):
        elements *= e
    elif o * k <= e and (s == k or o == 1) and p.pads[axis][0] == 0:
        runs, elements = o, elements * k
    else:
        return None
    for outer in range(axis):
        if p.input[outer] == 1 and covered(outer):
            continue
        if (p.kernel[outer], p.stride[outer], p.pads[outer], o * k) != (1, 1, (0, 0), e):
            return None
        runs *= p.output[outer]
    return runs, elements


class GlobalPool(Kernel[PoolProblem]):
    """Averages and maxima of runs of memory, channels first; of whole volumes with positions, in either layout."""

    backend = "cython"
    algorithm = "global"
    row = "cython.pool.global"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: PoolProblem) -> str | None:
        p = problem
        found = runs_of(p)
        if found is None:
            return "not averages or maxima of windows that lie in memory one after the other"
        if p.layout != "NCHW" and (not p.indices or found != (1, prod(p.input))):
            return "channels last, but for positions in whole volumes"
        if p.indices:
            return native.reject_common(self.isa, p.dtype)
        return native.reject_storage(self.isa, p.dtype)

    def features(self, problem: PoolProblem) -> Features:
        p = problem
        runs, elements = runs_of(p) or (1, p.taps)
        lanes = native.lanes(self.isa, work_dtype(p.dtype).itemsize)
        planes = p.n * p.c * runs
        vectors = planes * ceil_div(elements, lanes)
        if p.indices:  # compared by code without vectors: all if channels are last, else those near the maximum
            vectors = planes * elements if p.layout == "NHWC" else 2 * vectors + 2 * planes * min(elements, LOOKED)
        if runs * elements < prod(p.input):  # lanes are joined for the windows of each channel alone
            planes = p.n * p.c * ceil_div(runs, lanes) * lanes
        return Features({"call": 1, "plane": planes, "vector": vectors, **traffic(p.bytes)})

    def workspace(self, problem: PoolProblem) -> int:
        return 0

    def error(self, problem: PoolProblem) -> float:
        p = problem
        _, elements = runs_of(p) or (1, p.taps)
        return error_of(p, min(elements, BLOCK) + elements // BLOCK + 1)  # a mean may be scaled by what padding counts

    def prepare(self, problem: PoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        _global_pool = native.compiled("pool._global_pool")
        p = problem
        table, op = native.table(self.isa, p.dtype), MAX if p.kind == "max" else SUM
        runs, elements = runs_of(p) or (1, p.taps)
        count = threads if p.n * p.c * runs * elements > SHARED_ELEMENTS else 1
        counted = divisor_of(p) / elements if covers(p) else 1.0
        prepared = _global_pool.GlobalPool(table, p, op, runs, elements, max(WIDTH, ITEM // elements), counted)
        return native.pooling(p, prepared, 0, count, native.seconds(self, p))


KERNELS = tuple(GlobalPool(isa) for isa in machine.ISAS)
