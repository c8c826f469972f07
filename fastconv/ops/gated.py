"""Activations with slopes or gates of their own: prelu and glu."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fastconv.core.arrays import as_array, clean
from fastconv.core.problems.activation import elementwise_problem
from fastconv.core.problems.base import as_int
from fastconv.core.problems.gated import glu_halves, prelu_slopes
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, remember
from fastconv.dispatch.repeated import Request, repeated
from fastconv.ops.recipes import flat, reshaped
from fastconv.typing import ArrayLike, Backend


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
