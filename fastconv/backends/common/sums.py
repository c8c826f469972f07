"""Sums of separable filters: how large their errors are."""

from __future__ import annotations

from fastconv.core.kernel import epsilon, summation_error
from fastconv.core.problems.separable import SumProblem


def filter_sum_error(p: SumProblem) -> float:
    """The `Kernel.error` of sums and magnitudes."""
    eps, parts = epsilon(p.acc), len(p.parts)
    most = max(part.terms for part in p.filters)
    return parts * (summation_error(eps, most) + 2 * eps) + 2 * eps
