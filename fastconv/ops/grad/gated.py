"""Gradients of prelu and glu."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fastconv.core.arrays import as_array, clean
from fastconv.core.problems.activation import ElementwiseProblem
from fastconv.core.problems.base import as_int
from fastconv.core.problems.gated import glu_halves, prelu_slopes
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, is_planning, remember, submit
from fastconv.ops.grad.activation import elementwise
from fastconv.ops.grad.common import as_incoming, check_differentiable, gradients, sum_to, wanted
from fastconv.ops.recipes import reshaped
from fastconv.typing import ArrayLike, Backend, Gradient


def prelu(
    dy: ArrayLike, input: ArrayLike, weight: ArrayLike, *, need: tuple[bool, bool] | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> tuple[Gradient, Gradient]:  # fmt: skip
    """Gradients of `fastconv.prelu`.

    What is not described here is as in `fastconv.grad.relu`.

    Parameters
    ----------
    weight
        The argument of the forward call.
    need : tuple of 2 bool, optional
        Which gradients to compute.

    Returns
    -------
    dx, dweight : ndarray or None
        Of the shapes and dtypes of `input` and `weight`; None where `need` is False.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.prelu(np.ones((1, 2)), np.array([[-3.0, 1.0]]), np.array([0.5]))
    (array([[0.5, 1. ]]), array([-3.]))
    """
    x, w = as_array(input, "input"), as_array(weight, "weight")
    slopes = prelu_slopes(x, w)
    flags = wanted(need, ("input", "weight"))
    check_differentiable(x.dtype, "input")
    dy, options = as_incoming(dy, x.shape, "prelu"), resolve(backend, None, threads)

    def to_weight() -> Any:
        y = elementwise("prelu_weight", (), dy, (x, slopes), options)
        summed = sum_to(y, slopes.shape, "weight")
        return summed if is_planning() else summed.reshape(w.shape)

    return gradients(flags, lambda: elementwise("prelu", (), dy, (x, slopes), options), to_weight)


def glu(
    dy: ArrayLike, input: ArrayLike, dim: int = -1, *, need: tuple[bool] | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.glu`.

    What is not described here is as in `fastconv.grad.relu`.

    Parameters
    ----------
    dy : array_like
        Gradient of the result, half as long as `input` along `dim`; float32 or float64.
    dim
        The argument of the forward call.

    Examples
    --------
    >>> import fastconv as F
    >>> F.grad.glu([1.0], [4.0, 0.0])
    array([0.5, 1. ])
    """
    x = as_array(input, "input")
    _, shape = glu_halves(x.shape, x.dtype, dim)
    check_differentiable(x.dtype, "input")
    dy = as_incoming(dy, shape, "glu")
    recipe = _glu_recipe(x.shape, x.dtype, as_int(dim, "dim"), dy.dtype, resolve(backend, None, threads))
    return gradients(wanted(need, ("input",)), lambda: submit(recipe, dy, (clean(x, x.dtype).reshape(-1),)))


@remember
def _glu_recipe(shape: tuple[int, ...], dtype: np.dtype, dim: int, incoming: np.dtype, options: Options) -> Recipe:
    axis, result = glu_halves(shape, dtype, dim)
    problem = ElementwiseProblem("glu", (), prod(result), dtype, dtype, "backward", prod(shape[:axis]))
    return reshaped(problem, options, result, incoming, (problem.size,), shape)
