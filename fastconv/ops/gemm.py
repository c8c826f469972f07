"""Matrix multiplication: gemm, matmul, linear."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fastconv.core.arrays import as_array, clean
from fastconv.core.problems.base import as_flag, as_name
from fastconv.core.problems.gemm import as_factor, gemm_problem, linear_shape, matmul_shape
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, View, is_planning, remember, submit
from fastconv.dispatch.repeated import Request, repeated
from fastconv.dispatch.views import canonical_input, canonical_result
from fastconv.typing import Activation, ArrayLike, Backend


def multiply(*operands: Any, **given: Any) -> np.ndarray:
    """The product that `request` describes."""
    return submit(*request(*operands, **given))


def request(
    a: np.ndarray, b: np.ndarray, c: np.ndarray | None, bias: np.ndarray | None, alpha: complex, beta: complex,
    trans_a: bool, trans_b: bool, activation: Activation | None, out: Any, options: Options, shape_a: tuple[int, ...],
    shape: tuple[int, ...] | None = None, names: tuple[str, str] = ("a", "b"),
) -> Request:  # fmt: skip
    """Product of `a`, seen in `shape_a`, and `b`; the result has `shape` if that is given."""
    recipe, right, added, row = _recipe(
        a.shape, a.dtype, shape_a, (b.shape, b.dtype), None if c is None else (c.shape, c.dtype),
        None if bias is None else (bias.shape, bias.dtype), alpha, beta, trans_a, trans_b,
        as_name(activation, "activation"), is_planning(), names, shape, _is_apart(b, trans_b), options,
    )  # fmt: skip
    addend = None if c is None or added is None else added(c)
    return recipe, a, (right(b), addend, None if bias is None else row(bias)), out


def _is_apart(b: np.ndarray, trans_b: bool) -> bool:
    """`GemmProblem.apart`."""
    return not trans_b and b.ndim > 1 and b.strides[-1] != b.itemsize and min(b.shape[-2:]) > 1


@remember
def _recipe(
    x_shape: tuple[int, ...], x_dtype: np.dtype, a_shape: tuple[int, ...], b: tuple[tuple[int, ...], np.dtype],
    c: tuple[tuple[int, ...], np.dtype] | None, bias: tuple[tuple[int, ...], np.dtype] | None, alpha: complex,
    beta: complex, trans_a: bool, trans_b: bool, activation: Activation | None, packed: bool, names: tuple[str, str],
    shape: tuple[int, ...] | None, apart: bool, options: Options,
) -> tuple[Recipe, View, View | None, View]:  # fmt: skip
    """The recipe, and functions that make constants of b, c (None if c is ignored) and bias."""
    p, full = gemm_problem(
        (a_shape, x_dtype), b, c, bias, alpha, beta, trans_a, trans_b, activation, packed, names, apart and not packed
    )  # fmt: skip
    batch, matrix = full[:-2], (p.n, p.k) if trans_b else (p.k, p.n)
    left = (p.k, p.m) if trans_a else (p.m, p.k)
    unread = p.k < a_shape[-2 if trans_a else -1]  # alpha is 0

    def enter(x: np.ndarray) -> np.ndarray:
        x = x.reshape(a_shape)
        if unread:
            x = x[..., :0, :] if trans_a else x[..., :0]
        x = strided(x, p.dtype)
        if p.batch == 1:  # a single product, or a batch that is folded into rows
            return x.reshape(1, *left)
        return np.broadcast_to(x, (*batch, *x.shape[-2:])).reshape(p.batch, *x.shape[-2:])

    def right(w: np.ndarray) -> np.ndarray:
        if unread:
            w = w[..., :0] if trans_b else w[..., :0, :]
        w = strided(w, p.dtype)
        return np.broadcast_to(w, (*batch, *matrix)).reshape(p.batch, *matrix) if p.b_batched else w.reshape(1, *matrix)

    def added(c: np.ndarray) -> np.ndarray:
        return np.broadcast_to(strided(c, p.acc), full).reshape(p.batch, p.m, p.n)

    def row(bias: np.ndarray) -> np.ndarray:
        if bias.shape == (p.n,):
            return clean(bias, p.acc)
        return np.ascontiguousarray(np.broadcast_to(clean(bias, p.acc), (p.n,)))

    recipe = Recipe(
        p, options, x_shape, x_dtype, (full if shape is None else shape,),
        canonical_input((1, *left), p.dtype, enter) if p.batch == 1 and not unread else enter,
        canonical_result((p.batch, p.m, p.n)),
        same_order=x_dtype == p.dtype == p.out and prod(a_shape) == p.batch * p.m * p.k,
    )  # fmt: skip
    whole = right if p.b_batched or unread else canonical_input((1, *matrix), p.dtype, right)
    return recipe, whole, added if p.c else None, row


def strided(a: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """`a` itself if its dtype is right, it is aligned and its strides are whole elements; else a copy."""
    if a.dtype == dtype and a.flags.aligned and all(s % dtype.itemsize == 0 for s in a.strides):
        return a
    return clean(a, dtype)


def gemm(
    a: ArrayLike, b: ArrayLike, c: ArrayLike | None = None, *, alpha: complex = 1.0, beta: complex = 0.0,
    trans_a: bool = False, trans_b: bool = False, bias: ArrayLike | None = None, activation: Activation | None = None,
    out: np.ndarray | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """General matrix product: ``activation(alpha * op(a) @ op(b) + beta * c + bias)``.

    Parameters
    ----------
    a : array_like, shape (..., m, k), or (..., k, m) with `trans_a`
    b : array_like, shape (..., k, n), or (..., n, k) with `trans_b`
        Batch axes of `a` and `b` broadcast.
    c : array_like, broadcast to (..., m, n), optional
        Ignored, NaN included, where ``beta == 0``, as in BLAS.
    alpha, beta : number
        Where ``alpha == 0``, `a` and `b` are ignored, too.
    trans_a, trans_b : bool
    bias : array_like, shape (n,), optional
        Added to every row.
    activation : str, optional
        Function applied to the result: ``"relu"``, ``"gelu"``, ...
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype.  It may overlap an input.
    backend, algorithm, threads, tol, max_workspace
        See `fastconv.options`.

    Returns
    -------
    ndarray, shape (..., m, n)
        Of the promoted dtype of `a` and `b`.  8-bit integers give int32, wider ones 64 bits.  Float16 and bfloat16 are
        summed in float32 and rounded once.

    Raises
    ------
    ShapeError, DTypeError, UnsupportedError, ValueError, TypeError
        The message names the argument, its value and what is allowed.
    OverflowError
        If a sum of integer products does not fit.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.gemm(np.eye(2), [[1.0, 2.0], [3.0, 4.0]], alpha=2, bias=[0.5, -0.5])
    array([[2.5, 3.5],
           [6.5, 7.5]])
    """
    options = resolve(backend, algorithm, threads, tol, max_workspace)
    result: np.ndarray = product(a, b, c, bias, alpha, beta, trans_a, trans_b, activation, out, options)
    return result


@repeated
def product(
    a: Any, b: Any, c: Any, bias: Any, alpha: Any, beta: Any, trans_a: Any, trans_b: Any, activation: Any, out: Any,
    options: Options,
) -> Request:  # fmt: skip
    a, b = as_array(a, "a"), as_array(b, "b")
    c = None if c is None else as_array(c, "c")
    bias = None if bias is None else as_array(bias, "bias")
    return request(
        a, b, c, bias, as_factor(alpha, "alpha"), as_factor(beta, "beta"),
        as_flag(trans_a, "trans_a"), as_flag(trans_b, "trans_b"), activation, out, options, a.shape,
    )  # fmt: skip


def matmul(
    a: ArrayLike, b: ArrayLike, *, out: np.ndarray | None = None, backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Matrix product, as `torch.matmul` and `numpy.matmul`.

    What is not described here is as in `gemm`.

    Parameters
    ----------
    a : array_like, shape (k,) or (..., m, k)
    b : array_like, shape (k,) or (..., k, n)
        A 1-D operand is a row on the left and a column on the right, and its axis is left out of the result.  Batch
        axes broadcast.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.matmul(np.ones((5, 2, 3)), np.ones(3)).shape
    (5, 2)
    """
    result: np.ndarray = _matmul(a, b, out, resolve(backend, algorithm, threads, tol, max_workspace))
    return result


@repeated
def _matmul(a: Any, b: Any, out: Any, options: Options) -> Request:
    a, b = as_array(a, "a"), as_array(b, "b")
    shape = matmul_shape(a, b)
    shape_a = (1, *a.shape) if a.ndim == 1 else a.shape
    right = b[:, None] if b.ndim == 1 else b
    return request(a, right, None, None, 1.0, 0.0, False, False, None, out, options, shape_a, shape)


def linear(
    input: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None, *, activation: Activation | None = None,
    out: np.ndarray | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Fully connected layer: ``x @ weight.T + bias``, as `torch.nn.functional.linear`.

    What is not described here is as in `gemm`.

    Parameters
    ----------
    input : array_like, shape (..., in_features)
    weight : array_like, shape (out_features, in_features) or (in_features,)
        A 1-D weight is a single output feature, whose axis is left out of the result.
    bias : array_like, shape (out_features,), optional

    Returns
    -------
    ndarray, shape (..., out_features)

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.linear(np.ones((2, 3)), np.ones((4, 3)), np.arange(4.0))
    array([[3., 4., 5., 6.],
           [3., 4., 5., 6.]])
    """
    options = resolve(backend, algorithm, threads, tol, max_workspace)
    result: np.ndarray = layer(input, weight, bias, activation, out, options)
    return result


@repeated
def layer(input: Any, weight: Any, bias: Any, activation: Any, out: Any, options: Options) -> Request:
    x, w = as_array(input, "input"), as_array(weight, "weight")
    b = None if bias is None else as_array(bias, "bias")
    shape = linear_shape(x, w, b)
    rows = w[None] if w.ndim == 1 else w
    return request(
        x, rows, None, b, 1.0, 0.0, False, True, activation, out, options, (prod(x.shape[:-1]), x.shape[-1]), shape,
        ("input", "weight"),
    )  # fmt: skip
