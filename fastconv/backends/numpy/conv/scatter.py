"""Transposed convolution on NumPy where input pixels are few: each adds its window to the result.

One product of matrices gives the windows of some pixels, (pixels, output channels x taps), and each window is added at
its place in the result.  Convolutions by phases compute every output from all taps, most of which read padding where
the input is smaller than the kernel, and have one convolution per phase, which are many where the stride is long.
This kernel has neither cost.  Infinite and NaN weights times that padding are NaN, which is written before windows are
added.
"""

from __future__ import annotations

import math
from itertools import islice, product
from typing import Any

import numpy as np

from fastconv.backends.common.outside import outside_input
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, summation_error
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.base import named
from fastconv.core.problems.conv import ConvProblem

WINDOWS_BYTES = 1 << 20  # of windows at a time
LARGEST_BYTES = 16 << 20  # of one window


class NumpyScatter(Kernel[ConvProblem]):
    """Floats and complex numbers, zeros as padding."""

    backend = "numpy"
    algorithm = "scatter"
    relative = "transposed"
    row = "numpy.conv.scatter"

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.direction != "transposed":
            return f"direction {p.direction}: transposed only"
        if p.dtype not in (np.float32, np.float64, np.complex64, np.complex128):
            return f"dtype {named(p.dtype)}: floats of 32 and 64 bits, and pairs of them"
        if p.mode != "zeros":
            return f"padding mode {p.mode}: zeros only"
        if p.ocg * p.taps * p.dtype.itemsize > LARGEST_BYTES:
            return f"a window of more than {LARGEST_BYTES >> 20} MiB"
        return None

    def features(self, problem: ConvProblem) -> Features:
        p = problem
        pixels = max(p.n, 1) * p.input[0] * p.input[1] * p.input[2]
        size = p.dtype.itemsize / 4
        return Features({
            "call": (2 * pixels + 4) * p.groups,
            "multiply": p.flops * size * (4 if p.dtype.kind == "c" else 1),
            "element": pixels * p.oc * p.taps * size + (0 if p.packed else p.oc * p.depth),  # weights are tested
            "bytes": p.bytes,
        })

    def _rows(self, p: ConvProblem) -> int:
        """Pixels at a time."""
        return max(1, WINDOWS_BYTES // max(1, (p.ocg * p.taps + p.icg) * p.dtype.itemsize))

    def workspace(self, problem: ConvProblem) -> int:
        p = problem
        rows = min(self._rows(p), max(p.n, 1) * p.input[0] * p.input[1] * p.input[2])
        return rows * ((p.ocg * p.taps + 2 * p.icg) * p.dtype.itemsize + 96) + np.getbufsize() * 16

    def error(self, problem: ConvProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), problem.depth)

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p, (weights, bias) = problem, constants
        w = weights.reshape(p.groups, p.icg, p.ocg * p.taps)
        places = [
            [landing(i * s - lo, k, d, o) for i in range(e)]
            for e, s, (lo, _), k, d, o in zip(p.input, p.stride, p.pads, p.kernel, p.dilation, p.output, strict=True)
        ]
        unknown = list(outside_input(p, weights))
        step = self._rows(p)
        rows_at_once = min(step, max(p.n, 1) * math.prod(p.input))

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            out[...] = 0 if bias is None else bias[:, None, None, None]
            for beside in unknown:
                out[beside] = np.nan
            windows = np.empty((rows_at_once, p.ocg * p.taps), p.dtype)
            for g in range(p.groups):
                xg, yg = x[:, g * p.icg : (g + 1) * p.icg], out[:, g * p.ocg : (g + 1) * p.ocg]
                pixels = product(range(p.n), *places)
                values = xg.transpose(0, 2, 3, 4, 1)
                shape = values.shape[:4]
                count = math.prod(shape)
                for first in range(0, count, step):
                    rows = values[np.unravel_index(np.arange(first, min(first + step, count)), shape)]
                    np.matmul(rows, w[g], out=windows[: len(rows)])
                    for window, (n, *axes) in zip(windows, islice(pixels, len(rows))):  # noqa: B905  the last has fewer
                        taps, target = zip(*axes, strict=True)
                        yg[n, :, *target] += window.reshape(p.ocg, *p.kernel)[:, *taps]

        return run


def landing(start: int, kernel: int, dilation: int, outputs: int) -> tuple[slice, slice]:
    """Taps of a window from `start` on that land on one of `outputs`, and on which."""
    first = max(0, -(start // dilation))
    last = min(kernel, ceil_div(outputs - start, dilation))
    if first >= last:
        return slice(0, 0), slice(0, 0)
    return slice(first, last), slice(start + first * dilation, start + (last - 1) * dilation + 1, dilation)


KERNELS = (NumpyScatter(),)
