"""Means of windows that are joined of shorter ones: how large their errors are."""

from __future__ import annotations

from fastconv.core.kernel import epsilon
from fastconv.core.problems.window import WindowProblem


def mean_error(p: WindowProblem) -> float:
    """The `Kernel.error` of extrema, which are exact, and of means."""
    if p.join != "mean" or p.out.kind != "f":
        return 0.0
    additions = sum(2 * step.taps.bit_length() for step in p.passes)
    return epsilon(p.acc) * (additions + len(p.passes)) + epsilon(p.out) * len(p.passes)
