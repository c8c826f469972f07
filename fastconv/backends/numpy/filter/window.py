"""Means and extrema of windows on NumPy: blocks of lines, in which windows are joined of shorter ones."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from fastconv.backends.common.means import mean_error
from fastconv.backends.numpy.filter.separable import block_of_lines, bytes_of_lines, filter_lines
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.separable import lines
from fastconv.core.problems.window import WindowProblem, doublings


class NumpyWindow(Kernel[WindowProblem]):
    """Any window."""

    backend = "numpy"
    algorithm = "doubling"
    row = "numpy.window"

    def reject(self, problem: WindowProblem) -> str | None:
        return None

    def features(self, problem: WindowProblem) -> Features:
        p = problem
        calls, elements = 0.0, 0.0
        for step in p.passes:
            outer, length, inner = lines(p.shape, step.axis)
            a, b, c = block_of_lines(outer, length, inner)
            joins = step.taps.bit_length() + len(doublings(step.taps))
            calls += ceil_div(outer, a) * ceil_div(length, b) * ceil_div(inner, c) * (joins + 8)
            elements += p.size * (joins + 6)
        return Features({"call": calls, "bytes": p.bytes, "element": elements})

    def workspace(self, problem: WindowProblem) -> int:
        return bytes_of_lines(problem, _acc(problem))

    def error(self, problem: WindowProblem) -> float:
        return mean_error(problem)

    def prepare(self, problem: WindowProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p, acc = problem, _acc(problem)

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            for i, step in enumerate(p.passes):
                combine = partial(_means if p.join == "mean" else _extrema, p, step.taps)
                filter_lines(p, step, acc, combine, out if i else x, out, in_place=i > 0)

        return run


def _acc(p: WindowProblem) -> np.dtype:
    """Sums of integers are those of float64, which are exact."""
    return np.dtype(np.float64) if p.join == "mean" and p.acc.kind != "f" else p.acc


def _extrema(p: WindowProblem, taps: int, elements: np.ndarray, count: int) -> np.ndarray:
    join = np.minimum if p.join == "min" else np.maximum
    power = 1
    while 2 * power <= taps:
        elements = join(elements[:, :-power], elements[:, power:])
        power *= 2
    return join(elements[:, :count], elements[:, taps - power : taps - power + count])


def _means(p: WindowProblem, taps: int, elements: np.ndarray, count: int) -> np.ndarray:
    sums: np.ndarray | None = None
    power = 1
    for some, at in doublings(taps):
        while power < some:
            elements = elements[:, :-power] + elements[:, power:]
            power *= 2
        part = elements[:, at : at + count]
        sums = part if sums is None else sums + part
    assert sums is not None
    means: np.ndarray = sums / p.acc.type(taps) if p.acc.kind == "f" else sums / taps
    return means


KERNELS = (NumpyWindow(),)
