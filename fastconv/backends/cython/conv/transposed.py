"""What the kernel objects of `col2im` and `row_sums` share: transposed convolutions, padded with zeros."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastconv.backends.common.outside import outside_input
from fastconv.core.arrays import aligned_empty
from fastconv.core.kernel import Run, Specialised, summation_error
from fastconv.core.problems.conv import ConvProblem


class Transposed(Specialised[ConvProblem]):
    """A kernel whose sums are those of the definition, in one order."""

    backend = "cython"
    relative = "transposed"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.direction != "transposed":
            return f"direction {p.direction}: transposed only"
        if p.mode != "zeros":
            return f"padding mode {p.mode}: zeros only"
        return "no channels" if 0 in (p.ic, p.oc) else None

    def error(self, problem: ConvProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), problem.depth)


class PackedOnce:
    """Runs of a transposed convolution: if `once`, weights are packed beforehand, else each item packs its own."""

    __slots__ = ("_once", "_prepared", "_problem", "plain")

    def __init__(self, p: ConvProblem, prepared: Any, once: bool) -> None:
        self._problem, self._prepared, self._once = p, prepared, once
        prepared.expect(p.oc * p.depth, p.oc, 0, ())
        self.plain: Callable[..., bool] | None = None if once else prepared.plain

    def __call__(self, constants: tuple[Any, ...]) -> Run:
        p, (weights, bias) = self._problem, constants
        packed = weights
        if self._once:
            packed = aligned_empty((self._prepared.all_packed_bytes() // p.acc.itemsize,), p.acc)
            self._prepared.pack(weights, packed)
        run: Run = self._prepared.bind(packed, bias, weights)
        return run if self._prepared.finite(weights) else with_unknown(run, list(outside_input(p, weights)))


def with_unknown(run: Run, beside: Sequence[tuple[Any, ...]]) -> Run:
    """`run`, and NaN at the indices `beside`, whose sums contain zero times an infinite or NaN weight."""

    def run_then_mark(x: np.ndarray, out: np.ndarray) -> None:
        run(x, out)
        for where in beside:
            out[where] = np.nan

    return run_then_mark
