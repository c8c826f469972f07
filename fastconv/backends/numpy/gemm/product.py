"""Matrix multiplication on NumPy: BLAS for floats, float64 or exact 64-bit sums for integers.

Products that need more than the sum itself (alpha, c, bias, another dtype) are computed in bands of rows, so
that the temporary stays in the L2 cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.common import integers
from fastconv.core.arrays import store_integers
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, epsilon, rounding, summation_error
from fastconv.core.problems.base import is_half
from fastconv.core.problems.gemm import GemmProblem
from fastconv.machines import block_bytes, traffic

BAND = "numpy.gemm.matmul/band"  # of the temporary
SLICE_SECONDS = 0.4  # of one BLAS call, during which signals wait: shorter calls would read the other matrix too often


def product_dtype(p: GemmProblem) -> np.dtype:
    """The dtype of products and sums."""
    if is_half(p.dtype):
        return np.dtype(np.float32)
    if p.dtype.kind in "iu":
        return integers.compute_dtype(p.dtype, p.k)
    return p.dtype


class NumpyGemm(Kernel[GemmProblem]):
    """`numpy.matmul`, with bands where something is added or converted."""

    backend = "numpy"
    algorithm = "matmul"
    row = "numpy.gemm.matmul"
    activations = frozenset({"relu"})

    def reject(self, problem: GemmProblem) -> str | None:
        return None

    def features(self, problem: GemmProblem) -> Features:
        p = problem
        dtype, products = product_dtype(p), max(p.batch, 1)
        converted = dtype != p.dtype
        outputs = products * p.m * p.n if dtype.kind not in "iu" else 0
        work = {"integer": p.flops} if dtype.kind in "iu" else {"multiply": p.flops * dtype.itemsize / 4}
        return Features({
            "call": products,
            "converted_call": products * converted,
            "convert": p.bytes / p.dtype.itemsize * converted,
            **traffic(p.bytes),
            "unsummed": outputs if p.k == 1 else 0,  # BLAS is not used
            "turned": outputs if p.trans_b else 0,
            "finish": outputs * dtype.itemsize * self._passes(p),
            **work,
        })

    @staticmethod
    def _passes(p: GemmProblem) -> int:
        """Passes over finished sums, about."""
        extra = (p.alpha != 1) + 2 * p.c + p.bias + 2 * (p.activation is not None)
        return 1 + extra if extra else 0

    def _rows(self, p: GemmProblem, dtype: np.dtype | None = None) -> int:
        size = integers.scratch_bytes(product_dtype(p) if dtype is None else dtype)
        return max(1, block_bytes(BAND) // max(1, (p.n + p.k) * size))

    def workspace(self, problem: GemmProblem) -> int:
        p = problem
        size = product_dtype(p).itemsize
        converted = product_dtype(p) != p.dtype
        matrices = min(p.batch, 2) * (converted and p.b_batched)  # the previous one is alive while the next one is made
        return min(self._rows(p), p.m) * (p.n + p.k * converted) * size + p.k * p.n * size * matrices

    def error(self, problem: GemmProblem) -> float:
        p = problem
        if p.out.kind in "iu":
            return 0.0
        once = rounding(p.out) if is_half(p.out) else 0.0  # sums are in float32
        return summation_error(epsilon(p.acc), p.k) + once

    def prepare(self, problem: GemmProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p, (b, c, bias) = problem, constants
        if p.out.kind not in "iu":
            return self._in_dtype(p, constants, product_dtype(p))
        columns = b if p.trans_b else b.transpose(0, 2, 1)
        gain = max((integers.gain(matrix) for matrix in columns), default=0.0) if p.n else 0.0
        offset = 0.0 if bias is None else integers.magnitude(bias)
        if c is not None:
            offset += abs(p.beta) * integers.magnitude(c)
        scale = max(abs(p.alpha), 1)  # products are summed before they are scaled
        if p.out.kind == "u" and min(p.alpha.real, p.beta.real) < 0:
            offset = np.inf  # parts of the sum may be negative
        return integers.exactly(
            p,
            product_dtype(p),
            lambda largest: largest * gain * scale + offset,
            lambda dtype: self._in_dtype(p, constants, dtype),
        )

    @staticmethod
    def _rate(dtype: np.dtype) -> float:
        """Approximate FLOP/s of one core."""
        return 1e9 if dtype.kind not in "fc" else 6e10 * 4 / dtype.itemsize / (2 if dtype.kind == "c" else 1)

    def _in_dtype(self, p: GemmProblem, constants: tuple[Any, ...], dtype: np.dtype) -> Run:
        """A run whose products and sums have this `dtype`."""
        b, c, bias = constants
        columns = b.transpose(0, 2, 1) if p.trans_b else b
        shared = None if p.b_batched else columns[0].astype(dtype, copy=False)
        plain = p.alpha == 1 and c is None and bias is None and p.activation is None and dtype == p.out
        slice_rows = max(1, int(self._rate(dtype) * SLICE_SECONDS / max(1, 2 * p.n * p.k)))
        step = min(self._rows(p, dtype), slice_rows)

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            rows = x.transpose(0, 2, 1) if p.trans_a else x
            for i in range(p.batch):
                right = columns[i].astype(dtype, copy=False) if shared is None else shared
                if plain and dtype.kind in "fc":
                    for r in range(0, p.m, slice_rows):
                        np.matmul(rows[i, r : r + slice_rows], right, out=out[i, r : r + slice_rows])
                    continue
                for r in range(0, p.m, step):
                    addend = None if c is None else c[i, r : r + step]
                    acc = rows[i, r : r + step].astype(dtype, copy=False) @ right
                    finish_product(p, acc, addend, bias, out[i, r : r + step])
                    del acc  # or it would be alive while the next one is made

        return run


def finish_product(
    p: GemmProblem, acc: np.ndarray, c: np.ndarray | None, bias: np.ndarray | None, out: np.ndarray
) -> None:
    """alpha, c, bias and activation on finished sums, rounded once into `out`."""
    if p.alpha != 1:
        acc *= p.alpha
    if c is not None:
        acc += p.beta * c.astype(acc.dtype, copy=False)
    if bias is not None:
        acc += bias.astype(acc.dtype, copy=False)
    if p.activation == "relu":
        np.maximum(acc, 0, out=acc)
    if p.out.kind in "iu":
        store_integers(acc, out)
    else:
        out[...] = acc


KERNELS = (NumpyGemm(),)
