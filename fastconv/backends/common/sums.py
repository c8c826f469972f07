"""Sums of separable filters, one after the other, and how large their errors are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastconv.core.kernel import Run, epsilon, summation_error
from fastconv.core.problems.separable import SumProblem


def filter_sum_error(p: SumProblem) -> float:
    """The `Kernel.error` of sums and magnitudes."""
    eps, parts = epsilon(p.acc), len(p.parts)
    most = max(part.terms for part in p.filters)
    return parts * (summation_error(eps, most) + 2 * eps) + 2 * eps


def filter_sum(p: SumProblem, parts: Sequence[Run]) -> Run:
    """A run that adds what those of the parts compute."""

    @np.errstate(all="ignore")
    def run(x: np.ndarray, out: np.ndarray) -> None:
        result = np.empty(p.size, p.out)
        for i, of_part in enumerate(parts):
            made = result if i else out
            of_part(x, made)
            if p.join == "magnitude":
                made *= made
            if i:
                out += made
        if p.join == "magnitude":
            np.sqrt(out, out=out)

    return run
