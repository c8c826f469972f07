"""Correlations along one axis after the other by their definition: one result of one line at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference
from fastconv.core.kernel import Run
from fastconv.core.problems.separable import SeparableProblem, SumProblem, beyond, lines, symmetry


class ReferenceSeparable(Reference):
    """Sums in float64, in SciPy's order, on which the truncation of sums near an integer depends."""

    def prepare(self, problem: SeparableProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            y = x
            for step, weights in zip(p.passes, constants, strict=True):
                outer, length, inner = lines(p.shape, step.axis)
                sign = symmetry(weights)
                given, made = y.reshape(outer, length, inner), np.empty((outer, length, inner), p.out)
                for i, k in np.ndindex(outer, inner):
                    for j in range(length):
                        at = beyond(np.arange(step.taps) + j - step.before, length, step.mode)
                        window = [p.cval if a < 0 else float(given[i, a, k]) for a in at]
                        made[i, j, k] = stored(total(window, weights.tolist(), sign), p.out)
                y = made
            out[...] = y.ravel()

        return run


def total(window: list[float], weights: list[float], sign: int) -> float:
    """Of symmetric weights, the middle one first, then pairs from the outermost on; of others the last one first."""
    taps = len(weights)
    first = taps // 2 if sign else taps - 1
    found = window[first] * weights[first]
    for i in range(first):
        found += (window[i] + sign * window[taps - 1 - i] if sign else window[i]) * weights[i]
    return found


class ReferenceSum(Reference):
    """Of such filters."""

    def prepare(self, problem: SumProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p, one = problem, ReferenceSeparable()
        runs = [one.prepare(*of, threads) for of in zip(p.filters, p.split(constants), strict=True)]

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            results = np.empty((len(runs), p.size), p.out)
            for of_part, result in zip(runs, results, strict=True):
                of_part(x, result)
            wide = results.astype(np.float64)
            out[...] = wide.sum(0) if p.join == "sum" else np.sqrt((wide * wide).sum(0))

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
