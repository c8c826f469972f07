"""Matrix multiplication: gemm, matmul and linear as one canonical batched problem.

out[b] = activation(alpha * op(a[b]) @ op(b[b or 0]) + beta * c[b] + bias)
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite, prod
from typing import Any

import numpy as np

from fastconv.core.caches import keep_few
from fastconv.core.errors import DTypeError, ShapeError, shown
from fastconv.core.problems.activation import check_activation
from fastconv.core.problems.base import (
    NOMINAL_ROWS,
    Problem,
    as_number,
    check_dtype,
    check_size,
    description,
    is_half,
    joint_shape,
    product_dtypes,
)
from fastconv.typing import Activation

FEW_ROWS = 4  # of products that are not those of `linear`


@description
class GemmProblem(Problem):
    """One batched product.

    Canonical arrays: a (batch, m, k), or (batch, k, m) if `trans_a`; b (batch or 1, k, n), or
    (batch or 1, n, k) if `trans_b`; c (batch, m, n), a broadcast view; bias (n,); out (batch, m, n).
    Row and column strides are arbitrary; a kernel that needs unit strides copies or packs.

    Attributes
    ----------
    batch, m, n, k : int
        k is 0 if alpha is: then nothing is multiplied, and NaN in a or b does not count, as in BLAS.
    b_batched : bool
        Whether b has one matrix per batch entry; otherwise a single one serves all.
    trans_a, trans_b : bool
    alpha, beta : float (complex for complex dtypes)
    c : bool
        Whether an addend c is given (beta is 0 otherwise).
    bias : bool
        Whether a row vector is added after alpha and beta.
    dtype, acc, out : numpy.dtype
    activation : str or None
    packed : bool
        Whether b (and bias) are fixed for many runs, so that packing them costs nothing.
    apart : bool
        Whether elements of a row of b are not adjacent, as in a transposed view: kernels that read rows as they lie
        take many times as long then.  It decides among kernels of one order of summation.
    """

    batch: int
    m: int
    n: int
    k: int
    b_batched: bool
    trans_a: bool
    trans_b: bool
    alpha: complex
    beta: complex
    c: bool
    bias: bool
    dtype: np.dtype
    acc: np.dtype
    out: np.dtype
    activation: Activation | None
    packed: bool
    apart: bool = False

    @property
    def op(self) -> str:
        return "gemm"

    @property
    def depth(self) -> int:
        """Products summed into one output value."""
        return self.k

    @property
    def terms(self) -> int:
        return self.k + self.c + self.bias

    @property
    def flops(self) -> float:
        return 2.0 * self.batch * self.m * self.n * self.k

    @property
    def bytes(self) -> float:
        b = self.batch if self.b_batched else 1
        read = self.batch * self.m * self.k + b * self.k * self.n + self.c * self.batch * self.m * self.n
        return float(read * self.dtype.itemsize + self.batch * self.m * self.n * self.out.itemsize)

    def any_rows(self) -> GemmProblem:
        return replace(self, batch=1, m=NOMINAL_ROWS, b_batched=False, apart=False)

    def few_rows(self) -> GemmProblem | None:
        if is_half(self.dtype) and not self.trans_b:
            return None  # what widens a matrix for few rows takes twice as long for many
        rows = 1 if self.trans_b else FEW_ROWS  # a single sample of `linear`
        return replace(self, batch=1, m=rows, b_batched=False, apart=False)

    @property
    def results(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        return (((self.batch, self.m, self.n), self.out),)


Shape = tuple[int, ...]


def as_factor(value: Any, name: str) -> complex:
    """`value`, which must be a number: checked before the cache, which could not hash a list."""
    if type(value) is float:
        return value
    if isinstance(value, (bool, np.timedelta64)) or not isinstance(value, (int, float, complex, np.number)):
        raise TypeError(f"{name} must be a number, got {shown(value)}")
    return value.item() if isinstance(value, np.generic) else value


def _scalar(value: complex, name: str, dtype: np.dtype) -> complex:
    """A factor as a Python number by which `dtype` can be multiplied without a change of its kind."""
    if isinstance(value, complex):
        if dtype.kind != "c":
            raise DTypeError(f"{name} is complex, {shown(value)}; a product of {dtype} needs a real one")
        return value
    if dtype.kind in "iu":
        if not isinstance(value, int) and not (isfinite(value) and value == int(value)):
            raise DTypeError(f"{name} must be a whole number for a product of {dtype}, got {shown(value)}")
        return int(value)
    return as_number(value, name)


@keep_few(1024)
def gemm_problem(
    a: tuple[Shape, np.dtype],
    b: tuple[Shape, np.dtype],
    c: tuple[Shape, np.dtype] | None,
    bias: tuple[Shape, np.dtype] | None,
    alpha: complex,
    beta: complex,
    trans_a: bool,
    trans_b: bool,
    activation: Activation | None,
    packed: bool,
    names: tuple[str, str] = ("a", "b"),
    apart: bool = False,
) -> tuple[GemmProblem, Shape]:
    """Check the operands of a product of matrices, given as (shape, dtype).

    Returns
    -------
    problem : GemmProblem
    shape : tuple of int
        The result's shape, (..., m, n) with the batch axes of both operands broadcast.

    Raises
    ------
    ShapeError, DTypeError, TypeError, ValueError
    """
    (ashape, adtype), (bshape, bdtype) = a, b
    for shape, dtype, name in ((ashape, adtype, names[0]), (bshape, bdtype, names[1])):
        if len(shape) < 2:
            raise ShapeError(f"{name} must have at least 2 axes, got shape {shape}")
        check_dtype(dtype, name)
    m, k = ashape[-2:][::-1] if trans_a else ashape[-2:]
    kb, n = bshape[-2:][::-1] if trans_b else bshape[-2:]
    if k != kb:
        raise ShapeError(
            f"{names[0]} of shape {ashape}{' transposed' * trans_a} and {names[1]} of shape {bshape}"
            f"{' transposed' * trans_b} do not multiply: {k} columns, {kb} rows"
        )
    batch = joint_shape(ashape[:-2], bshape[:-2])
    if batch is None:
        raise ShapeError(
            f"the batch axes of {names[0]} {ashape[:-2]} and of {names[1]} {bshape[:-2]} do not broadcast"
        )
    dtype, acc, out = product_dtypes(adtype, bdtype)
    if c is not None:
        check_dtype(c[1], "c")
        if not np.can_cast(c[1], acc, "same_kind"):
            raise DTypeError(f"c has dtype {c[1]}, which cannot be added to sums of {acc}")
        if joint_shape(c[0], (*batch, m, n)) != (*batch, m, n):
            raise ShapeError(f"c has shape {c[0]}, which does not broadcast to {(*batch, m, n)}")
    if bias is not None:
        check_dtype(bias[1], "bias")
        if not np.can_cast(bias[1], acc, "same_kind"):
            raise DTypeError(f"bias has dtype {bias[1]}, which cannot be added to sums of {acc}")
        if bias[0] not in ((n,), (1,), ()):
            raise ShapeError(f"bias has shape {bias[0]}; it must be ({n},), one value per column")
    alpha, beta = _scalar(alpha, "alpha", acc), _scalar(beta, "beta", acc)
    check_activation(activation, out)
    check_size((*batch, m, n), "the result")
    # One b for every a: the batch adds rows to a single product, if a is stored by rows.
    fold = prod(bshape[:-2]) == 1 and not trans_a and len(ashape) > 2
    problem = GemmProblem(
        batch=1 if fold else prod(batch), m=prod(batch) * m if fold else m, n=n, k=0 if alpha == 0 else k,
        b_batched=prod(bshape[:-2]) != 1, trans_a=trans_a, trans_b=trans_b, alpha=alpha, beta=beta,
        c=c is not None and beta != 0, bias=bias is not None, dtype=dtype, acc=acc, out=out, activation=activation,
        packed=packed, apart=apart,
    )  # fmt: skip
    return problem, (*batch, m, n)


def matmul_shape(a: np.ndarray, b: np.ndarray) -> tuple[int, ...]:
    """Check the operands of `matmul`; the result's shape."""
    return _matmul_shape(a.shape, b.shape)


@keep_few()
def _matmul_shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    for shape, name in ((a, "a"), (b, "b")):
        if not shape:
            raise ShapeError(f"{name} must have at least 1 axis, got a scalar")
    rows = b[-2 if len(b) > 1 else 0]
    if a[-1] != rows:
        raise ShapeError(f"a of shape {a} and b of shape {b} do not multiply: {a[-1]} columns, {rows} rows")
    batch = joint_shape(a[:-2], b[:-2]) or ()  # None, for axes that do not broadcast, is refused by the problem
    return (*batch, *a[-2:-1], *(b[-1:] if len(b) > 1 else ()))


def linear_shape(x: np.ndarray, w: np.ndarray, b: np.ndarray | None) -> tuple[int, ...]:
    """Check the arrays of `linear`; the result's shape."""
    if x.ndim == 0:
        raise ShapeError("input must have at least 1 axis, got a scalar")
    if w.ndim not in (1, 2):
        raise ShapeError(f"weight must have shape (out_features, in_features) or (in_features,), got {w.shape}")
    if x.shape[-1] != w.shape[-1]:
        raise ShapeError(f"input has {x.shape[-1]} features (shape {x.shape}), weight {w.shape[-1]} (shape {w.shape})")
    if b is not None and b.ndim > 1:
        raise ShapeError(f"bias has shape {b.shape}; it must be ({w.shape[0] if w.ndim == 2 else ''},)")
    return (*x.shape[:-1], *w.shape[:-1])
