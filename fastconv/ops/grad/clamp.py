"""Gradients of clamp."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.arrays import as_array, clean
from fastconv.core.problems.activation import Function
from fastconv.core.problems.clamp import are_plain, clamp_bounds, clamp_params, is_number
from fastconv.dispatch.options import resolve
from fastconv.ops.grad.activation import elementwise
from fastconv.ops.grad.common import as_dtype, as_incoming, check_differentiable, gradients, sum_to, wanted
from fastconv.typing import ArrayLike, Backend, Gradient


def clamp(
    dy: ArrayLike, input: ArrayLike, min: ArrayLike | None = None, max: ArrayLike | None = None, *,
    need: tuple[bool, ...] | None = None, backend: Backend | None = None, threads: int | None = None,
) -> Gradient | tuple[Gradient, ...]:  # fmt: skip
    """Gradients of `fastconv.clamp`.

    What is not described here is as in `fastconv.grad.relu`.

    Parameters
    ----------
    dy : array_like
        Gradient of the result, of its shape; float32 or float64.
    min, max
        The arguments of the forward call.
    need : tuple of bool, optional
        Which gradients to compute, for x and those bounds that are arrays.

    Returns
    -------
    dx : ndarray
        dy where ``min <= x <= max``, else 0.
    dmin, dmax : ndarray
        One for each bound that is an array.  Where min is larger, all of dy goes to max, as in torch.

    Examples
    --------
    >>> import fastconv as F
    >>> F.grad.clamp([1.0, 1.0, 1.0], [-2.0, 0.5, 3.0], 0, 1)
    array([0., 1., 0.])
    """
    x = as_array(input, "input")
    low, high, shape, _ = clamp_bounds(x, min, max)
    given = [("input", x, "clamp")]
    given += [
        (name, bound, f"clamp_{name}")
        for name, bound, value in (("min", low, min), ("max", high, max))
        if bound is not None and not is_number(value)
    ]
    flags = wanted(need, [name for name, _, _ in given])
    for flag, (name, array, _) in zip(flags, given, strict=True):
        if flag:
            check_differentiable(array.dtype, name)
    dy, options = as_incoming(dy, shape, "clamp"), resolve(backend, None, threads)
    if are_plain(min, max) and x.dtype.kind == "f":
        params = clamp_params(low, high, x.dtype)
        return gradients(flags, lambda: elementwise("clamp", params, dy, (x,), options))
    arrays = (
        x.astype(dy.dtype) if x.dtype.kind != "f" else x,
        np.array(-np.inf, dy.dtype) if low is None else clean(low, dy.dtype),
        np.array(np.inf, dy.dtype) if high is None else clean(high, dy.dtype),
    )

    def one(function: Function, array: np.ndarray, name: str) -> Any:
        y = elementwise(function, (), dy, arrays, options)
        return as_dtype(sum_to(y, array.shape, name), array.dtype)

    return gradients(flags, *(lambda f=f, a=a, n=n: one(f, a, n) for n, a, f in given))
