"""Correlations by their definition: one result at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference
from fastconv.backends.reference.separable import stored
from fastconv.core.kernel import Run
from fastconv.core.problems.neighbors import CorrelationProblem
from fastconv.core.problems.separable import beyond


class ReferenceCorrelation(Reference):
    """Sums in float64."""

    def prepare(self, problem: CorrelationProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p, (weights,) = problem, constants
        offsets = p.window.offsets() - np.array(p.window.before, np.intp)

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            given, made = x.reshape(p.shape), np.empty(p.shape, p.out)
            for result in np.ndindex(p.shape):
                total = 0.0
                for offset, weight in zip(offsets, weights, strict=True):
                    at = [
                        int(beyond(np.asarray(i + o), n, p.window.mode))
                        for i, o, n in zip(result, offset, p.shape, strict=True)
                    ]
                    total += float(weight) * (p.window.cval if min(at, default=0) < 0 else float(given[tuple(at)]))
                made[result] = stored(total, p.out)
            out[...] = made.ravel()

        return run
