"""Correlations along one axis after the other, and sums of such filters, with Numba."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.common.sums import filter_sum, filter_sum_error
from fastconv.backends.numba.base import address
from fastconv.backends.numba.filter.lines import (
    Pieces,
    lines_loop,
    one_after_the_other,
    passes_counts,
    passes_of,
    passes_scratch,
)
from fastconv.backends.numba.filter.shared import NumbaFilter, combiner
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Run, epsilon, summation_error
from fastconv.core.problems.separable import SeparableProblem, SumProblem, symmetry


def _taps(pieces: Pieces, weights: np.ndarray, acc: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """The table of loops/taps.py and its weights, in SciPy's order: see `reference.separable.total`.

    Sums begin with -0, to which a product is added without a change, even that of zero.
    """
    taps, sign = len(weights), symmetry(weights)
    first = taps // 2 if sign else taps - 1
    others = range(first)
    order = [first, *(t for i in others for t in (i, taps - 1 - i))] if sign else [first, *others]
    with np.errstate(all="ignore"):
        ordered = np.concatenate(([-0.0, weights[first]], weights[:first])).astype(acc)
    counts = (1, first, 0) if sign > 0 else (1, 0, first) if sign else (taps, 0, 0)
    return np.array([*counts, address(ordered), *(t * pieces.cols for t in order)], np.int64), ordered


class NumbaSeparable(NumbaFilter):
    """Any dtype; sums of float32 or of float64, whose bits are SciPy's."""

    algorithm = "lines"
    row = "numba.separable"

    def steps(self, problem: SeparableProblem) -> Features:
        return passes_counts(problem, problem.acc, "multiply", float)

    def scratch(self, problem: SeparableProblem) -> int:
        return passes_scratch(problem, problem.acc)

    def error(self, problem: SeparableProblem) -> float:
        p = problem
        if p.out.kind != "f":
            return 0.0
        return summation_error(epsilon(p.acc), p.terms) + epsilon(p.out) * len(p.passes)

    def specialise(self, problem: SeparableProblem, threads: int) -> Bind:
        p, combine = problem, combiner("taps", problem.acc)
        seconds = self.seconds(p) / len(p.passes)
        loops = [lines_loop(p, i, p.acc, combine, threads, seconds) for i in range(len(p.passes))]
        pieces = passes_of(p, p.acc)

        def bind(constants: tuple[Any, ...]) -> Run:
            tables = (_taps(of, w, p.acc) for of, w in zip(pieces, constants, strict=True))
            return one_after_the_other([loop.bound(*table) for loop, table in zip(loops, tables, strict=True)])

        return bind


class NumbaFilterSum(NumbaFilter):
    """Sums of such filters: one after the other, each added to the result."""

    algorithm = "lines"
    row = "numba.separable"

    def steps(self, problem: SumProblem) -> Features:
        parts = [NumbaSeparable().steps(part) for part in problem.filters]
        return sum(parts[1:], parts[0]) + Features({"sum": float(problem.size * len(parts))})

    def scratch(self, problem: SumProblem) -> int:
        return max(passes_scratch(part, problem.acc) for part in problem.filters)

    def workspace(self, problem: SumProblem) -> int:
        return self.scratch(problem) + problem.size * problem.out.itemsize

    def error(self, problem: SumProblem) -> float:
        return filter_sum_error(problem)

    def specialise(self, problem: SumProblem, threads: int) -> Bind:
        p, one = problem, NumbaSeparable()
        binds = [one.specialise(part, threads) for part in p.filters]

        def bind(constants: tuple[Any, ...]) -> Run:
            runs = [of(some) for of, some in zip(binds, p.split(constants), strict=True)]
            return filter_sum(p, runs)

        return bind


KERNELS = (NumbaSeparable(),)
SUMS = (NumbaFilterSum(),)
