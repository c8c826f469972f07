"""Activations with slopes or gates of their own: prelu and glu."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fastconv.core.arrays import as_array, clean
from fastconv.core.errors import DTypeError, ShapeError
from fastconv.core.problems.activation import elementwise_problem
from fastconv.core.problems.base import as_int, check_dtype
from fastconv.core.problems.softmax import as_axis
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, remember
from fastconv.dispatch.repeated import Request, repeated
from fastconv.ops.recipes import flat, reshaped
from fastconv.typing import ArrayLike, Backend


def prelu_slopes(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Check the arguments of `prelu`; the weights in a shape that broadcasts with `x`."""
    check_dtype(x.dtype, "input", "f")
    if w.dtype != x.dtype:
        raise DTypeError(f"weight has dtype {w.dtype}; it must be that of input, {x.dtype}")
    if w.ndim > 1:
        raise ShapeError(f"weight must have shape (), (1,) or (C,), got {w.shape}")
    channels = x.shape[1] if x.ndim > 1 else 1
    if w.size not in (1, channels):
        raise ShapeError(f"weight has {w.size} values, input of shape {x.shape} has {channels} channels")
    return w.reshape(()) if w.size == 1 else w.reshape(-1, *(1,) * (x.ndim - 2))


def prelu(
    input: ArrayLike, weight: ArrayLike, *, out: np.ndarray | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """x where positive, else `weight` times x, with one weight for all or one per channel.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like, shape (N, C, ...) or any
        Floating point.
    weight : array_like, shape (1,), () or (C,)
        Of the dtype of `input`.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.prelu(np.array([[-1.0, -1.0]]), np.array([0.1, 0.5]))
    array([[-0.1, -0.5]])
    """
    return _prelu(input, weight, out, resolve(backend, None, threads))


@repeated
def _prelu(x: Any, weight: Any, out: Any, options: Options) -> Request:
    x, w = as_array(x, "input"), as_array(weight, "weight")
    slopes = clean(prelu_slopes(x, w), x.dtype).reshape(-1)
    return _prelu_recipe(x.shape, x.dtype, slopes.size, options), x, (slopes,), out


@remember
def _prelu_recipe(shape: tuple[int, ...], dtype: np.dtype, channels: int, options: Options) -> Recipe:
    rows = prod(shape[:1]) if channels > 1 else 1
    return flat(elementwise_problem("prelu", (), prod(shape), dtype, rows, channels), options, shape, dtype)


def glu_halves(shape: tuple[int, ...], dtype: np.dtype, dim: Any) -> tuple[int, tuple[int, ...]]:
    """Check the arguments of `glu`: the axis, and the result's shape."""
    check_dtype(dtype, "input", "f")
    if not shape:
        raise ShapeError("input must have at least 1 axis, got a scalar")
    axis = as_axis(dim, len(shape))
    half, odd = divmod(shape[axis], 2)
    if odd:
        raise ShapeError(f"input has extent {shape[axis]} along dim {dim}; it must be even")
    return axis, (*shape[:axis], half, *shape[axis + 1 :])


def glu(
    input: ArrayLike, dim: int = -1, *, out: np.ndarray | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Gated linear unit: the first half of `input` along `dim`, times the sigmoid of the second.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point; its extent along `dim` must be even.
    dim : int
        IndexError if there is no such axis.

    Returns
    -------
    ndarray
        Half as long as `input` along `dim`.

    Examples
    --------
    >>> import fastconv as F
    >>> F.glu([1.0, 2.0, 0.0, 0.0])
    array([0.5, 1. ])
    """
    return _glu(input, dim, out, resolve(backend, None, threads))


@repeated
def _glu(x: Any, dim: Any, out: Any, options: Options) -> Request:
    x = as_array(x, "input")
    return _glu_recipe(x.shape, x.dtype, as_int(dim, "dim"), options), x, (), out


@remember
def _glu_recipe(shape: tuple[int, ...], dtype: np.dtype, dim: int, options: Options) -> Recipe:
    axis, result = glu_halves(shape, dtype, dim)
    problem = elementwise_problem("glu", (), prod(result), dtype, prod(shape[:axis]))
    return reshaped(problem, options, shape, dtype, (2 * problem.size,), result)
