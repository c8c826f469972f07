"""Ranks by their definition: one window at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference
from fastconv.backends.reference.separable import stored
from fastconv.core.kernel import Run
from fastconv.core.problems.neighbors import RankProblem, selected
from fastconv.core.problems.separable import beyond


class ReferenceRank(Reference):
    """Compared in float64."""

    def error(self, problem: RankProblem) -> float:
        return 0.0

    def prepare(self, problem: RankProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        offsets = p.window.offsets() - np.array(p.window.before, np.intp)

        def run(x: np.ndarray, out: np.ndarray) -> None:
            given, made = x.reshape(p.shape), np.empty(p.shape, p.out)
            for result in np.ndindex(p.shape):
                values = []
                for offset in offsets:
                    at = [
                        int(beyond(np.asarray(i + o), n, p.window.mode))
                        for i, o, n in zip(result, offset, p.shape, strict=True)
                    ]
                    values.append(p.window.cval if min(at, default=0) < 0 else float(given[tuple(at)]))
                made[result] = stored(selected(values, p.rank), p.out)
            out[...] = made.ravel()

        return run
