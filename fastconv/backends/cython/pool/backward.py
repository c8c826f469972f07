"""Gradients of max and average pooling, native: a scatter by indices, and additions of rows; one thread per plane."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fastconv.backends.cython.pool.separable import axis_divisors, reachable
from fastconv.backends.cython.runtime import native
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, summation_error
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.base import named
from fastconv.core.problems.pool import PoolProblem
from fastconv.machines import block_bytes

AnyPool = PoolProblem | AdaptivePoolProblem

CHANNELS = 16  # of one item, channels last: a cache line of float32
ROW = "cython.pool_backward.separable/row"  # a block of a row of the input
SHARED_ELEMENTS = 1 << 16  # fewer do not justify a second thread


def scheduled(kernel: Kernel[AnyPool], p: AnyPool, prepared: Any, count: int) -> Any:
    """`prepared`, on one thread if the input is small: an item of work is some channels of an image."""
    inputs, outputs = native.images(p)
    workers = count if p.n * p.c * prod(p.input) > SHARED_ELEMENTS else 1
    native.schedule(prepared, kernel.workspace(p), workers, native.seconds(kernel, p), outputs, inputs, outputs)
    return prepared


class ScatterBackward(Kernel[AnyPool]):
    """Valid for any indices, not only those of a pooling."""

    backend = "cython"
    algorithm = "scatter"
    row = "cython.pool_backward.scatter"

    def reject(self, problem: AnyPool) -> str | None:
        if problem.kind != "max" or not problem.indices:
            return "goes by the indices of maxima"
        if problem.dtype not in (np.float32, np.float64):
            return f"dtype {named(problem.dtype)}: float32 and float64 only"
        return native.reject_any(problem.dtype)

    def features(self, problem: AnyPool) -> Features:
        p = problem
        return Features({"call": 1, "gradient": p.n * p.c * p.pixels, "bytes": p.bytes})

    def workspace(self, problem: AnyPool) -> int:
        return 0

    def error(self, problem: AnyPool) -> float:
        return summation_error(float(np.finfo(problem.dtype).eps), problem.taps)

    def prepare(self, problem: AnyPool, constants: tuple[Any, ...], count: int) -> Run:
        _backward = native.compiled("pool._backward")
        p = problem
        (indices,) = constants
        width = CHANNELS if p.layout == "NHWC" else 1
        return scheduled(self, p, _backward.Scatter(native.any_table(p.dtype), p, width), count).operands(indices)


class AverageBackward(Kernel[AnyPool]):
    """Each row of gradients is added along the width, then to the rows of the input that its windows cover."""

    backend = "cython"
    algorithm = "separable"
    row = "cython.pool_backward.separable"

    def reject(self, problem: AnyPool) -> str | None:
        if not isinstance(problem, PoolProblem) or problem.kind != "avg":
            return "averages over windows that are all alike only"
        if problem.dtype not in (np.float32, np.float64):
            return f"dtype {named(problem.dtype)}: float32 and float64 only"
        return native.reject_any(problem.dtype)

    @staticmethod
    def _windows(p: AnyPool) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Kernel and padding before, without the taps that read only padding."""
        assert isinstance(p, PoolProblem)
        before = (lo for lo, _ in p.pads)
        axes = zip(p.input, p.kernel, p.stride, p.dilation, before, p.output, strict=True)
        kernel, lo = zip(*(reachable(*axis) for axis in axes), strict=True)
        return kernel, lo

    @staticmethod
    def _width(p: AnyPool) -> int:
        return CHANNELS if p.layout == "NHWC" else 1

    def features(self, problem: AnyPool) -> Features:
        p = problem
        kd, kh, kw = self._windows(p)[0]
        size = p.dtype.itemsize / 4
        rows = p.n * p.c * p.output[0] * p.output[1]
        return Features({
            "call": 1,
            "add": rows * kd * kh * p.input[2] * size,
            "widen": rows * kw * p.output[2] * size,
            "bytes": p.bytes,
        })

    @classmethod
    def _block(cls, p: AnyPool) -> int:
        """Columns of the input at a time."""
        return max(1, min(p.input[2], block_bytes(ROW) // (cls._width(p) * p.dtype.itemsize)))

    def workspace(self, problem: AnyPool) -> int:
        p = problem
        assert isinstance(p, PoolProblem)
        block = self._block(p)
        read = (block + (self._windows(p)[0][2] - 1) * p.dilation[2]) // p.stride[2] + 1  # outputs that read the block
        return (block + min(read, p.output[2])) * self._width(p) * p.dtype.itemsize

    def error(self, problem: AnyPool) -> float:
        return summation_error(float(np.finfo(problem.dtype).eps), problem.taps)

    def prepare(self, problem: AnyPool, constants: tuple[Any, ...], count: int) -> Run:
        _backward = native.compiled("pool._backward")
        p = problem
        assert isinstance(p, PoolProblem)
        width = self._width(p)
        table = native.any_table(p.dtype)
        prepared = _backward.Average(table, p, *self._windows(p), axis_divisors(p), width, self._block(p))
        return scheduled(self, p, prepared, count).bind()


class AdaptiveBackward(Kernel[AnyPool]):
    """Averages over adaptive windows: each row of the input sums the gradients of the windows that contain it."""

    backend = "cython"
    algorithm = "collect"
    row = "cython.pool_backward.collect"

    def reject(self, problem: AnyPool) -> str | None:
        if not isinstance(problem, AdaptivePoolProblem) or problem.kind != "avg":
            return "averages over adaptive windows only"
        if problem.dtype not in (np.float32, np.float64):
            return f"dtype {named(problem.dtype)}: float32 and float64 only"
        if 0 in problem.input or 0 in problem.output:
            return "no values in a channel"
        return native.reject_any(problem.dtype)

    def features(self, problem: AnyPool) -> Features:
        p = problem
        rows = max(p.n, 1) * p.c * p.input[0] * p.input[1]
        windows = prod(ceil_div(o, i) + 1 for i, o in zip(p.input[:2], p.output[:2], strict=True))
        widened = rows * (windows * p.output[2] + p.input[2] + p.output[2])
        return Features({"call": 1, "widen": widened * p.dtype.itemsize / 4, "bytes": p.bytes})

    @staticmethod
    def _width(p: AnyPool) -> int:
        return CHANNELS if p.layout == "NHWC" else 1

    def workspace(self, problem: AnyPool) -> int:
        return problem.output[2] * (self._width(problem) + 1) * problem.dtype.itemsize

    def error(self, problem: AnyPool) -> float:
        return summation_error(float(np.finfo(problem.dtype).eps), problem.terms)

    def prepare(self, problem: AnyPool, constants: tuple[Any, ...], count: int) -> Run:
        _backward = native.compiled("pool._backward")
        p = problem
        assert isinstance(p, AdaptivePoolProblem)
        width = self._width(p)
        return scheduled(self, p, _backward.Adaptive(native.any_table(p.dtype), p, width), count).bind()


KERNELS = (ScatterBackward(), AverageBackward())
ADAPTIVE = (ScatterBackward(), AdaptiveBackward())
