"""Matrix multiplication: gemm, matmul and linear as one canonical batched problem.

out[b] = activation(alpha * op(a[b]) @ op(b[b or 0]) + beta * c[b] + bias)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastconv.core.problems.base import Problem


@dataclass(frozen=True, slots=True)
class GemmProblem(Problem):
    """One batched product.

    Canonical arrays: a (batch, m, k), or (batch, k, m) if `trans_a`; b (batch or 1, k, n), or
    (batch or 1, n, k) if `trans_b`; c (batch, m, n), a broadcast view; bias (n,); out (batch, m, n).
    Row and column strides are arbitrary; a kernel that wants unit strides copies or packs.

    Attributes
    ----------
    batch, m, n, k : int
    b_batched : bool
        Whether b has one matrix per batch entry; otherwise a single one serves all.
    trans_a, trans_b : bool
    alpha, beta : float
    c : bool
        Whether an addend c is given (beta is 0 otherwise).
    bias : bool
        Whether a row vector is added after alpha and beta.
    dtype, acc, out : numpy.dtype
    activation : str or None
    packed : bool
        Whether b (and bias) are fixed for many runs, so that packing them costs nothing.
    """

    batch: int
    m: int
    n: int
    k: int
    b_batched: bool
    trans_a: bool
    trans_b: bool
    alpha: float
    beta: float
    c: bool
    bias: bool
    dtype: np.dtype
    acc: np.dtype
    out: np.dtype
    activation: str | None
    packed: bool

    @property
    def op(self) -> str:
        return "gemm"

    @property
    def flops(self) -> float:
        return 2.0 * self.batch * self.m * self.n * self.k

    @property
    def bytes(self) -> float:
        b = self.batch if self.b_batched else 1
        read = self.batch * self.m * self.k + b * self.k * self.n + self.c * self.batch * self.m * self.n
        return float(read * self.dtype.itemsize + self.batch * self.m * self.n * self.out.itemsize)

    @property
    def results(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        return (((self.batch, self.m, self.n), self.out),)
