"""Matrix multiplication by its definition, in float64 or exact integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference, store, summing_dtype
from fastconv.core.kernel import Run
from fastconv.core.problems.gemm import GemmProblem


class ReferenceGemm(Reference):
    """One einsum."""

    def prepare(self, problem: GemmProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        wide = summing_dtype(p.acc)
        b, c, bias = constants
        spec = f"z{'km' if p.trans_a else 'mk'},{'z' if p.b_batched else 'y'}{'nk' if p.trans_b else 'kn'}->zmn"

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            y = np.einsum(spec, x.astype(wide), b.astype(wide)) * p.alpha
            if c is not None:
                y = y + p.beta * c.astype(wide)
            if bias is not None:
                y = y + bias.astype(wide)
            store(y, out)

        return run
