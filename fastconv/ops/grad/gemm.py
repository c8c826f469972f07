"""Gradients of matrix products, which are matrix products with transposed operands."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fastconv.core.arrays import Spec, as_array
from fastconv.core.problems.base import as_flag, as_name
from fastconv.core.problems.gemm import as_factor, gemm_problem, linear_shape, matmul_shape
from fastconv.dispatch.options import resolve
from fastconv.dispatch.plan import Plan, immediately, is_planning
from fastconv.ops import gemm as forward
from fastconv.ops.grad.activation import through
from fastconv.ops.grad.common import (
    as_dtype,
    as_incoming,
    check_differentiable,
    check_picked,
    gradients,
    layer_arrays,
    refuse_plan,
    sum_to,
    wanted,
)
from fastconv.typing import Activation, ArrayLike, Backend, Gradient


def _op(a: np.ndarray, transposed: bool) -> np.ndarray:
    """The op(a) of BLAS: `a`, or its transpose."""
    return a.swapaxes(-1, -2) if transposed else a


def _rows(a: np.ndarray) -> np.ndarray:
    """(..., m, n) as one matrix of all rows."""
    return a.reshape(prod(a.shape[:-1]), a.shape[-1])


def gemm(
    dy: ArrayLike, a: ArrayLike, b: ArrayLike, c: ArrayLike | None = None, *, alpha: float = 1.0, beta: float = 0.0,
    trans_a: bool = False, trans_b: bool = False, bias: ArrayLike | None = None, activation: Activation | None = None,
    need: tuple[bool, ...] | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> tuple[Gradient, ...]:  # fmt: skip
    """Gradients of `fastconv.gemm`.

    Parameters
    ----------
    dy : array_like, shape (..., m, n)
        Gradient of the result; float32 or float64.
    a, b, c, alpha, beta, trans_a, trans_b, bias, activation
        The arguments of the forward call.  With an activation, the forward product is computed again.
    need : tuple of bool, optional
        Which gradients to compute, for a, b, c and, if it is given, bias; by default those of the arrays that are
        given.
    backend, algorithm, threads, tol, max_workspace
        See `fastconv.options`.

    Returns
    -------
    da, db, dc : ndarray or None
        Of the shapes and dtypes of `a`, `b` and `c`; None where `need` is False.
    dbias : ndarray or None
        Only if a `bias` is given.

    Raises
    ------
    ShapeError, DTypeError, TypeError, ValueError
        The message names the argument, its value and what is allowed.
    UnsupportedError
        For a plan of a gradient that is not a single product with `dy` as its first operand.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> da, db, _ = F.grad.gemm(np.ones((1, 1)), [[1.0, 2.0]], [[3.0], [4.0]])
    >>> da, db
    (array([[3., 4.]]), array([[1.],
           [2.]]))
    """
    a, b = as_array(a, "a"), as_array(b, "b")
    c = None if c is None else as_array(c, "c")
    bias = None if bias is None else as_array(bias, "bias")
    arrays: tuple[Any, ...] = (a, b, c) if bias is None else (a, b, c, bias)
    names = ("a", "b", "c", "bias")[: len(arrays)]
    flags = wanted(need, names, tuple(x is not None for x in arrays))
    check_picked(flags, arrays, names)
    trans_a, trans_b = as_flag(trans_a, "trans_a"), as_flag(trans_b, "trans_b")
    options = resolve(backend, algorithm, threads, tol, max_workspace)
    c_spec, bias_spec = (None if one is None else (one.shape, one.dtype) for one in (c, bias))
    p, shape = gemm_problem(
        (a.shape, a.dtype), (b.shape, b.dtype), c_spec, bias_spec, as_factor(alpha, "alpha"), as_factor(beta, "beta"),
        trans_a, trans_b, as_name(activation, "activation"), False,
    )  # fmt: skip
    check_differentiable(p.out, "the result")
    alpha, beta = p.alpha.real, p.beta.real
    dy = as_incoming(dy, shape, "gemm")
    if activation is not None:
        with immediately():
            before = forward.product(a, b, c, bias, alpha, beta, trans_a, trans_b, None, None, options)
        dy = through(activation, dy, before, options)

    def product(left: np.ndarray, right: np.ndarray, trans_left: bool, trans_right: bool) -> Any:
        return forward.product(left, right, None, None, alpha, 0.0, trans_left, trans_right, None, None, options)

    def to_a() -> Any:
        if trans_a:
            refuse_plan("a, transposed,")
        y = product(b, dy, trans_b, True) if trans_a else product(dy, b, False, not trans_b)
        return as_dtype(sum_to(y, a.shape, "a"), a.dtype)

    def to_b() -> Any:
        left, right = a, dy
        if prod(b.shape[:-2]) == 1:  # one b for the whole batch: the sum over the batch is part of the product
            full = np.broadcast_to(_op(a, trans_a), (*dy.shape[:-1], b.shape[-1 if trans_b else -2]))
            left, right = _rows(full), _rows(dy)
        flip = trans_a and left is a
        if trans_b:
            y = product(right, left, True, flip)
        else:
            refuse_plan("b")
            y = product(left, right, not flip, False)
        if prod(b.shape[:-2]) == 1 and not isinstance(y, Plan):
            y = y.reshape(b.shape)
        return as_dtype(sum_to(y, b.shape, "b"), b.dtype)

    def to_c() -> Any:
        assert c is not None  # else its flag would be False
        refuse_plan("c")
        with np.errstate(all="ignore"):
            scaled = dy * dy.dtype.type(beta)
        return as_dtype(sum_to(scaled, c.shape, "c"), c.dtype)

    def to_bias() -> Any:
        assert bias is not None
        rows = _rows(dy)
        ones = np.ones((rows.shape[0], 1), dy.dtype)
        y = forward.multiply(
            dy, ones, None, None, 1.0, 0.0, True, False, None, None, options, rows.shape, rows.shape[1:]
        )
        return as_dtype(sum_to(y, bias.shape, "bias"), bias.dtype)

    return gradients(flags, to_a, to_b, to_c, *([to_bias] if bias is not None else []))


def matmul(
    dy: ArrayLike, a: ArrayLike, b: ArrayLike, *, need: tuple[bool, bool] | None = None, backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> tuple[Gradient, Gradient]:  # fmt: skip
    """Gradients of `fastconv.matmul`.

    1-D operands and batch axes that broadcast are as in the forward call, all else as in `fastconv.grad.gemm`.

    Returns
    -------
    da, db : ndarray or None
        Of the shapes and dtypes of `a` and `b`; None where `need` is False.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.matmul(2.0, [1.0, 2.0], [3.0, 4.0])
    (array([6., 8.]), array([2., 4.]))
    """
    a, b = as_array(a, "a"), as_array(b, "b")
    flags = wanted(need, ("a", "b"))
    check_picked(flags, (a, b), ("a", "b"))
    dy = as_incoming(dy, matmul_shape(a, b), "matmul")
    left = a[None] if a.ndim == 1 else a
    right = b[:, None] if b.ndim == 1 else b
    if a.ndim == 1:
        dy = dy[..., None, :] if b.ndim > 1 else dy[..., None]
    if b.ndim == 1:
        dy = dy[..., None]
    da, db = _pair(gemm(
        dy, left, right, need=(*flags, False), backend=backend, algorithm=algorithm, threads=threads, tol=tol,
        max_workspace=max_workspace,
    ), flags)  # fmt: skip
    if is_planning():
        if a.ndim == 1 or b.ndim == 1:
            refuse_plan("a product with a vector")
        return da if flags[0] else db
    return None if da is None else da.reshape(a.shape), None if db is None else db.reshape(b.shape)


def _pair(result: Any, flags: tuple[bool, ...]) -> tuple[Any, Any]:
    """The first two gradients of `gemm`, which returns a single plan while planning."""
    if isinstance(result, Plan):
        return (result, None) if flags[0] else (None, result)
    return result[0], result[1]


def linear(
    dy: ArrayLike, input: ArrayLike | Spec, weight: ArrayLike | Spec, bias: ArrayLike | Spec | None = None, *,
    activation: Activation | None = None, need: tuple[bool, bool, bool] | None = None, backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> tuple[Gradient, Gradient, Gradient]:  # fmt: skip
    """Gradients of `fastconv.linear`.

    What is not described here is as in `fastconv.grad.gemm`.

    Parameters
    ----------
    dy : array_like, shape (..., out_features)
        Gradient of the result; float32 or float64.
    input, weight
        The arguments of the forward call.  The values of an array are read for the gradients of the others alone: one
        that none of them needs may be a `fastconv.Spec`.

    Returns
    -------
    dx, dweight, dbias : ndarray or None
        Of the shapes and dtypes of `input`, `weight` and `bias`; None where `need` is False.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> dx, dw, db = F.grad.linear(np.ones((2, 1)), np.eye(2), [[3.0, 4.0]], [0.0])
    >>> dx.tolist(), dw.tolist(), db.tolist()
    ([[3.0, 4.0], [3.0, 4.0]], [[1.0, 1.0]], [2.0])
    """
    flags, x, w, b = layer_arrays(need, input, weight, bias, activation)
    options = resolve(backend, algorithm, threads, tol, max_workspace)
    dy = as_incoming(dy, linear_shape(x, w, b), "linear")
    if activation is not None:
        with immediately():
            before = forward.layer(x, w, b, None, None, options)
        dy = through(activation, dy, before, options)
    count, features = prod(x.shape[:-1]), x.shape[-1]
    outputs = 1 if w.ndim == 1 else w.shape[0]

    def product(right: np.ndarray, transposed: bool, shape: tuple[int, ...], dtype: np.dtype) -> Any:
        y = forward.multiply(
            dy, right, None, None, 1.0, 0.0, transposed, False, None, None, options, (count, outputs), shape
        )
        return as_dtype(y, dtype)

    def to_bias() -> Any:
        return sum_to(product(np.ones((count, 1), dy.dtype), True, (outputs,), b.dtype), b.shape, "bias")

    return gradients(
        flags,
        lambda: product(w.reshape(outputs, features), False, x.shape, x.dtype),
        lambda: product(x.reshape(count, features), True, w.shape, w.dtype),
        to_bias,
    )
