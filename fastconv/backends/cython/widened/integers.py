"""Convolutions and matrix products of integers, on native kernels of floats wherever those are exact.

Sums of products of integers are exact in float32 while no partial sum can exceed 2^24, in float64 up to 2^53, in any
order.  Which one a run may use follows from its data: the largest |x|, times the largest sum of |w| of an output.
Larger sums are computed in 64-bit integers, by kernels of float64 with another register tile, at a fifth of the speed,
where the same bound shows that they fit; else another kernel does the work.  All of them are exact, so the bits are the
same.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

import numpy as np

from fastconv.backends.common import integers
from fastconv.backends.cython.runtime.dtypes import INT64
from fastconv.backends.cython.widened.products import (
    FLOAT,
    MULTIPLYING,
    SUMMING,
    WidenedConv,
    WidenedGemm,
    WidenedKernel,
)
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.problems.base import named
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.gemm import GemmProblem

DOUBLE = np.dtype(np.float64)
WORD = np.dtype(np.int64)
HELD = {FLOAT: 2.0**24, DOUBLE: 2.0**53}  # integers up to there are exact
LARGE = 8 * HELD[FLOAT]  # sums of narrow integers that might be larger are seldom as large as they might be


@dataclass(slots=True)
class Bound:
    """The largest magnitude that a partial sum can have, from that of the input.

    Attributes
    ----------
    weights : ndarray, shape (count, outputs, ...)
        Of some products.
    depth : int
        Terms of a sum.
    offset : float
        Magnitude of what is added.
    """

    weights: np.ndarray
    depth: int
    offset: float
    _rough: float = field(init=False)
    _exact: float | None = None

    def __post_init__(self) -> None:
        self._rough = integers.magnitude(self.weights) * self.depth * integers.SLACK

    def within(self, largest: float, most: float) -> bool:
        """Whether sums stay below `most` where no |x| exceeds `largest`; reads all weights if that has to be known."""
        if largest * self._rough + self.offset < most:
            return True
        if self._exact is None:
            self._exact = max(map(integers.gain, self.weights), default=0.0) * integers.SLACK
        return largest * self._exact + self.offset < most


class WordKernel(WidenedKernel):
    """On kernels of float64 whose elements are integers of 64 bits, which wrap around."""

    def __init__(self, inner: Any) -> None:
        of_words = copy(inner)
        of_words.types = INT64
        super().__init__(of_words, DOUBLE)

    def block(self, problem: Any) -> Any:
        q = super().block(problem)
        return replace(q, activation=None) if problem.out.kind == "u" else q  # it would be compared as signed

    def fill(self, wide: np.ndarray, given: np.ndarray, axis: int) -> None:
        np.copyto(wide.view(WORD), given, casting="unsafe")

    def widened(self, constant: np.ndarray | None) -> np.ndarray | None:
        return None if constant is None else constant.astype(WORD).view(self.wide)

    def leave(self, to: np.ndarray, wide: np.ndarray) -> None:
        np.copyto(to, wide.view(WORD), casting="unsafe")


class WordConv(WordKernel, WidenedConv):
    """Forward convolutions."""


class WordGemm(WordKernel, WidenedGemm):
    """Products of matrices."""


class Integers(Kernel[Any]):
    """Base of both: `single`, `double`, `words` compute in float32, float64, int64; `otherwise` does the rest."""

    backend = "cython"
    relative = "integers"
    row = "cython.widened_products"

    def __init__(
        self, single: WidenedKernel, double: WidenedKernel, words: WordKernel | None, otherwise: Kernel[Any]
    ) -> None:
        self.single, self.double, self.otherwise = single, double, otherwise
        self.ways = [(single, HELD[FLOAT]), (double, HELD[DOUBLE]), *([(words, inf)] if words else [])]
        self.algorithm, self.isa, self.activations = single.algorithm, single.isa, single.activations
        self.revision = single.revision

    def reject(self, problem: Any) -> str | None:
        if problem.dtype.kind not in "iu":
            return f"dtype {named(problem.dtype)}: integers only"
        return self.single.unable(problem) or self.double.unable(problem) or self.otherwise.reject(problem)

    def _usual(self, problem: Any) -> WidenedKernel:
        """The kernel that the data will allow most of the time."""
        largest = 2.0 ** (8 * problem.dtype.itemsize - (problem.dtype.kind == "i"))
        return self.single if largest * largest * problem.depth <= LARGE else self.double

    def features(self, problem: Any) -> Features:
        read = problem.bytes / problem.dtype.itemsize  # for the bound
        return self._usual(problem).features(problem) + Features({"convert": read / 4}).of(self.rates)

    def workspace(self, problem: Any) -> int:
        return self.total_workspace(problem, 1)

    def total_workspace(self, problem: Any, threads: int) -> int:
        kernels = (*(kernel for kernel, _ in self.ways), self.otherwise)
        return max(kernel.total_workspace(problem, threads) for kernel in kernels)

    def error(self, problem: Any) -> float:
        return 0.0

    def bound(self, problem: Any) -> float:
        return 0.0

    def bounded(self, problem: Any, constants: tuple[Any, ...]) -> Bound:
        """The bound for these constants."""
        raise NotImplementedError

    def prepare(self, problem: Any, constants: tuple[Any, ...], threads: int) -> Run:
        p, bound = problem, self.bounded(problem, constants)
        info = np.iinfo(p.dtype)
        any_value = float(max(-info.min, info.max))
        runs: dict[Kernel[Any], Run] = {}
        if p.dtype.itemsize == 1 and bound.within(any_value, HELD[FLOAT]):  # wider ones are scarcely ever so few
            return self.single.prepare(p, constants, threads)

        def kernel_for(x: np.ndarray) -> Kernel[Any]:
            largest = integers.magnitude(x)
            for kernel, held in self.ways:
                if bound.within(largest, min(held, float(np.iinfo(p.out).max))):
                    return kernel
            return self.otherwise

        def run(x: np.ndarray, out: np.ndarray) -> None:
            kernel = kernel_for(x)
            if kernel not in runs:
                runs[kernel] = kernel.prepare(p, constants, threads)
            runs[kernel](x, out)

        return run


class IntegerConv(Integers):
    """Forward convolutions."""

    def reject(self, problem: ConvProblem) -> str | None:
        if problem.fill != 0:
            return "padding that is not zero"
        return super().reject(problem)

    def bounded(self, problem: ConvProblem, constants: tuple[Any, ...]) -> Bound:
        weights, bias = constants
        return Bound(weights[None], problem.depth, 0.0 if bias is None else integers.magnitude(bias))


class IntegerGemm(Integers):
    """Products of matrices."""

    def reject(self, problem: GemmProblem) -> str | None:
        if problem.c or problem.alpha != 1:
            return "alpha or an addend"
        if problem.k == 0:
            return "no products to add up"
        return super().reject(problem)

    def bounded(self, problem: GemmProblem, constants: tuple[Any, ...]) -> Bound:
        b, _, bias = constants
        columns = b if problem.trans_b else b.transpose(0, 2, 1)
        return Bound(columns, problem.k, 0.0 if bias is None else integers.magnitude(bias))


def convolutions(otherwise: Kernel[ConvProblem]) -> tuple[IntegerConv, ...]:
    """One for each native kernel that computes each product as such."""
    return tuple(
        IntegerConv(WidenedConv(k), WidenedConv(k, DOUBLE), WordConv(k) if hasattr(k, "types") else None, otherwise)
        for k in SUMMING
    )


def products(otherwise: Kernel[GemmProblem]) -> tuple[IntegerGemm, ...]:
    return tuple(IntegerGemm(WidenedGemm(k), WidenedGemm(k, DOUBLE), WordGemm(k), otherwise) for k in MULTIPLYING)
