"""Means and extrema of windows along one axis after the other, with Numba."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.common.means import mean_error
from fastconv.backends.numba.filter.lines import (
    lines_loop,
    one_after_the_other,
    passes_counts,
    passes_of,
    passes_scratch,
)
from fastconv.backends.numba.filter.shared import NumbaFilter, combiner
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Run
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.window import WindowProblem

AT_ONCE = 4  # elements that extrema compare in their first walk over a piece; loops/extrema.py says the same


def _joined_as(p: WindowProblem) -> np.dtype:
    """The dtype in which elements are joined: 16-bit sums of bytes are exact as float32, and so are their quotients,
    rounded towards zero."""
    return np.dtype(np.float32) if p.join == "mean" and p.acc.kind != "f" else p.acc


def means_joins(taps: int) -> int:
    """Sums of two for a window: see loops/means.py."""
    return taps.bit_length() - 1 + taps.bit_count()


def extrema_joins(taps: int) -> int:
    """Comparisons of two walks, and the first one: see loops/extrema.py."""
    return 1 + (ceil_div(taps, AT_ONCE) - 1).bit_length()


class NumbaWindow(NumbaFilter):
    """Any window and dtype."""

    algorithm = "doubling"
    row = "numba.window"

    def steps(self, problem: WindowProblem) -> Features:
        joins = means_joins if problem.join == "mean" else extrema_joins
        return passes_counts(problem, _joined_as(problem), "join", joins)

    def scratch(self, problem: WindowProblem) -> int:
        return passes_scratch(problem, _joined_as(problem))

    def error(self, problem: WindowProblem) -> float:
        return mean_error(problem)

    def specialise(self, problem: WindowProblem, threads: int) -> Bind:
        p, acc = problem, _joined_as(problem)
        combine = combiner("means", acc) if p.join == "mean" else combiner("extrema", acc, int(p.join == "max"))
        seconds = self.seconds(p) / len(p.passes)
        runs = [
            lines_loop(p, i, acc, combine, threads, seconds).bound(np.array([step.taps, pieces.cols], np.int64))
            for i, (pieces, step) in enumerate(zip(passes_of(p, acc), p.passes, strict=True))
        ]
        made = one_after_the_other(runs)

        def bind(constants: tuple[Any, ...]) -> Run:
            return made

        return bind


KERNELS = (NumbaWindow(),)
