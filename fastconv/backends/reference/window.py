"""Means and extrema of windows by their definition: one result of one line at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference
from fastconv.backends.reference.separable import stored
from fastconv.core.kernel import Run
from fastconv.core.problems.separable import beyond, lines
from fastconv.core.problems.window import WindowProblem


class ReferenceWindow(Reference):
    """Elements as float64."""

    def prepare(self, problem: WindowProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        joins: dict[str, Callable[[np.ndarray], Any]] = {"min": np.min, "max": np.max, "mean": np.mean}
        join = joins[p.join]

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            y = x
            for step in p.passes:
                outer, length, inner = lines(p.shape, step.axis)
                given, made = y.reshape(outer, length, inner), np.empty((outer, length, inner), p.out)
                for i, j, k in np.ndindex(outer, length, inner):
                    at = beyond(np.arange(step.taps) + j - step.before, length, step.mode)
                    window = np.where(at < 0, p.cval, given[i, at, k].astype(np.float64))
                    made[i, j, k] = stored(float(join(window)), p.out)
                y = made
            out[...] = y.ravel()

        return run
