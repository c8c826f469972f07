"""Empty sums: no input channels, or depth 0.  Results are what is added to the sums; no loop is compiled for that."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.numba.base import FLOATS, missing_numba
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.problems.base import named
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.gemm import GemmProblem


class Empty(Kernel[Any]):
    """Base of both."""

    backend = "numba"
    algorithm = "empty"
    row = "numba.empty"
    activations = frozenset({"relu"})

    def reject(self, problem: Any) -> str | None:
        if problem.dtype not in FLOATS:
            return f"dtype {named(problem.dtype)}: float32 and float64 only"
        return missing_numba()

    def features(self, problem: Any) -> Features:
        return Features({"call": 1, "bytes": problem.bytes})

    def workspace(self, problem: Any) -> int:
        return np.getbufsize() * 16

    def error(self, problem: Any) -> float:
        return 0.0


class EmptyConv(Empty):
    """The bias everywhere; a gradient of weights has no elements."""

    def reject(self, problem: ConvProblem) -> str | None:
        reason = missing_numba() or (None if problem.weights_wanted else problem.not_forward)
        return reason or ("there are input channels" if problem.icg else super().reject(problem))

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        bias = None if p.weights_wanted else constants[1]

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            out[...] = 0 if bias is None else bias[:, None, None, None]
            if not p.weights_wanted and p.activation == "relu":
                np.maximum(out, 0, out=out)

        return run


class EmptyGemm(Empty):
    """beta * c + bias."""

    def reject(self, problem: GemmProblem) -> str | None:
        return missing_numba() or ("there are products" if problem.k else super().reject(problem))

    def prepare(self, problem: GemmProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p, (_, c, bias) = problem, constants

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            out[...] = 0 if c is None else c
            if c is not None:
                out *= p.out.type(p.beta)
            if bias is not None:
                out += bias
            if p.activation == "relu":
                np.maximum(out, 0, out=out)

        return run


CONVOLUTIONS = (EmptyConv(),)
PRODUCTS = (EmptyGemm(),)
