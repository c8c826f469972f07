"""What reference kernels share: the contract of a kernel that accepts everything, exact sums, one rounding."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.arrays import store_integers
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, accumulator, epsilon


def exact_dtype(dtype: np.dtype) -> np.dtype:
    """The widest type of the kind of `dtype`: float64, complex128, int64 or uint64."""
    return np.dtype({"c": np.complex128, "i": np.int64, "u": np.uint64}.get(dtype.kind, np.float64))


class Reference(Kernel[Any]):
    """Base of the reference kernels: they accept every problem, at a high cost."""

    backend = "reference"
    algorithm = "definition"
    row = "reference.definition"

    def reject(self, problem: Any) -> str | None:
        return None

    def features(self, problem: Any) -> Features:
        return Features({"call": 1, "product": problem.flops})

    def workspace(self, problem: Any) -> int:
        return 0

    def error(self, problem: Any) -> float:
        return epsilon(problem.results[0][1])

    def bound(self, problem: Any) -> float:
        acc = accumulator(problem)
        if not problem.terms or acc.kind in "iub" or exact_dtype(acc) == acc:
            return super().bound(problem)
        sums = (problem.terms + 2) * epsilon(exact_dtype(acc)) / 2
        return (sums + epsilon(problem.results[0][1]) / 2) / epsilon(acc)


def summing_dtype(acc: np.dtype) -> np.dtype:
    """A dtype in which sums of products are exact, or good to the last place: Python's integers for 64 bits."""
    return np.dtype(object) if acc.kind in "iu" and acc.itemsize == 8 else exact_dtype(acc)


def store(sums: np.ndarray, out: np.ndarray) -> None:
    """Round once; an integer that does not fit is an OverflowError."""
    if out.dtype.kind in "iu":
        store_integers(sums, out)
        return
    with np.errstate(all="ignore"):
        out[...] = sums.astype(out.dtype)
