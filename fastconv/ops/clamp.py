"""Limits of elements, numbers or arrays: clamp."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fastconv.core.arrays import Spec, as_array, clean, stand_in
from fastconv.core.problems.activation import elementwise_problem
from fastconv.core.problems.clamp import are_plain, clamp_bounds, clamp_params
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, remember
from fastconv.dispatch.repeated import Request, repeated
from fastconv.dispatch.views import canonical_result
from fastconv.ops.recipes import flat
from fastconv.typing import ArrayLike, Backend


@remember
def _between_numbers(shape: tuple[int, ...], dtype: np.dtype, low: Any, high: Any, options: Options) -> Recipe:
    lower, upper, _, to = clamp_bounds(stand_in(Spec(shape, dtype), "input"), low, high)
    params = clamp_params(lower, upper, to)
    return flat(elementwise_problem("clamp", params, prod(shape), to), options, shape, dtype, any_order=True)


def clamp(
    input: ArrayLike, min: ArrayLike | None = None, max: ArrayLike | None = None, *, out: np.ndarray | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """x limited to [min, max], as `torch.clamp`; where min exceeds max, the result is max.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point or integer.
    min, max : number or array_like, optional
        At least one.  Arrays broadcast with `input`, and their dtypes promote as NumPy's do.  Numbers and arrays
        without axes take part in the promotion only where they are of a higher kind, such as a float for integers.

    Returns
    -------
    ndarray
        Of the broadcast shape.

    Examples
    --------
    >>> import fastconv as F
    >>> F.clamp([-2.0, 0.5, 3.0], 0, 1)
    array([0. , 0.5, 1. ])
    """
    return _clamp(input, min, max, out, resolve(backend, None, threads))


@repeated
def _clamp(x: Any, min: Any, max: Any, out: Any, options: Options) -> Request:
    x = as_array(x, "input")
    if are_plain(min, max):
        return _between_numbers(x.shape, x.dtype, min, max, options), x, (), out
    low, high, shape, dtype = clamp_bounds(x, min, max)
    size = prod(shape)

    def limit(b: np.ndarray | None) -> np.ndarray | None:
        if b is not None and b.size == 1:
            return np.broadcast_to(clean(b, dtype).reshape(1), (size,))
        return None if b is None else clean(np.broadcast_to(b, shape), dtype).reshape(-1)

    return _between_arrays(x.shape, x.dtype, shape, dtype, options), x, (limit(low), limit(high)), out


@remember
def _between_arrays(
    x_shape: tuple[int, ...], x_dtype: np.dtype, shape: tuple[int, ...], dtype: np.dtype, options: Options
) -> Recipe:
    problem = elementwise_problem("clamp", (), prod(shape), dtype)

    def enter(x: np.ndarray) -> np.ndarray:
        return clean(np.broadcast_to(x, shape), dtype).reshape(-1)

    return Recipe(problem, options, x_shape, x_dtype, (shape,), enter, canonical_result((problem.size,)))
