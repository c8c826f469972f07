"""Correlations with weights of any shape, with Numba."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.numba.base import address
from fastconv.backends.numba.filter.neighbors import Blocks, blocks_of_windows, neighbors_loop, neighbors_scratch
from fastconv.backends.numba.filter.shared import NumbaFilter, combiner, vector_lanes
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Run, epsilon, summation_error
from fastconv.core.problems.neighbors import CorrelationProblem


class NumbaCorrelation(NumbaFilter):
    """Any dtype; sums of float32 or of float64, whose bits are SciPy's."""

    algorithm = "taps"
    row = "numba.correlation"

    def _blocks(self, p: CorrelationProblem) -> Blocks:
        return blocks_of_windows(p.shape, p.window, p.acc)

    def steps(self, problem: CorrelationProblem) -> Features:
        p, blocks = problem, self._blocks(problem)
        multiply = blocks.computed * p.window.total / vector_lanes(p.acc)
        return Features({"call": 1, "bytes": p.bytes, "multiply": multiply, **blocks.counts(p.acc, p.acc)})

    def scratch(self, problem: CorrelationProblem) -> int:
        return neighbors_scratch(self._blocks(problem), problem.acc, problem.acc)

    def error(self, problem: CorrelationProblem) -> float:
        p = problem
        return 0.0 if p.out.kind != "f" else summation_error(epsilon(p.acc), p.terms) + epsilon(p.out)

    def specialise(self, problem: CorrelationProblem, threads: int) -> Bind:
        p, blocks = problem, self._blocks(problem)
        seconds = self.seconds(p)
        with np.errstate(all="ignore"):
            fill = np.array([p.window.cval]).astype(p.acc)
        combine, scratch = combiner("taps", p.acc), self.scratch(p)
        loop = neighbors_loop(p, p.window, blocks, (p.acc, p.acc), fill, combine, threads, seconds, scratch)
        offsets = blocks.offsets(p.window)

        def bind(constants: tuple[Any, ...]) -> Run:
            with np.errstate(all="ignore"):
                weights = np.append(0.0, constants[0]).astype(p.acc)
            table = np.concatenate(([offsets.size, 0, 0, address(weights)], offsets))
            return loop.bound(table.astype(np.int64, copy=False), weights)

        return bind


KERNELS = (NumbaCorrelation(),)
