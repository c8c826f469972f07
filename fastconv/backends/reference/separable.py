"""Correlations along one axis after the other by their definition: one result of one line at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference
from fastconv.core.kernel import Run
from fastconv.core.problems.separable import SeparableProblem, beyond, lines


class ReferenceSeparable(Reference):
    """Sums in float64."""

    def prepare(self, problem: SeparableProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            y = x
            for step, weights in zip(p.passes, constants, strict=True):
                outer, length, inner = lines(p.shape, step.axis)
                given, made = y.reshape(outer, length, inner), np.empty((outer, length, inner), p.out)
                for i, k in np.ndindex(outer, inner):
                    for j in range(length):
                        at = beyond(np.arange(step.taps) + j - step.before, length, step.mode)
                        terms = [
                            float(w) * (p.cval if a < 0 else float(given[i, a, k]))
                            for w, a in zip(weights, at, strict=True)
                        ]
                        made[i, j, k] = stored(sum(terms), p.out)
                y = made
            out[...] = y.ravel()

        return run


def stored(value: float, dtype: np.dtype) -> Any:
    """Integers are truncated towards zero."""
    if dtype.kind == "f":
        return value
    if dtype.kind == "b":
        return int(value) != 0
    info = np.iinfo(dtype)
    whole = int(value) if np.isfinite(value) else 0
    return (whole - int(info.min)) % 2 ** (8 * dtype.itemsize) + int(info.min)
