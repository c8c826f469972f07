"""Gradients of softmax, log_softmax and softmin."""

from __future__ import annotations

from typing import Any

from numpy.typing import DTypeLike

from fastconv.core.arrays import as_array, clean, dtype_called
from fastconv.core.problems.softmax import SoftmaxKind, softmax_backward_problem
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import submit
from fastconv.dispatch.repeated import Request, repeated
from fastconv.ops.grad.common import as_dtype, as_incoming, check_differentiable, gradients, wanted
from fastconv.ops.recipes import reshaped
from fastconv.typing import ArrayLike, Backend, Gradient


def _softmax(
    kind: SoftmaxKind, dy: Any, x: Any, dim: Any, dtype: Any, need: Any, backend: str | None, threads: int | None
) -> Any:
    options = resolve(backend, None, threads)
    if need is None and dtype is None:
        return _gradient(kind, dy, x, dim, None, options)
    x = as_array(x, "input")
    given = _request(kind, dy, x, dim, dtype, options)
    return gradients(wanted(need, ("input",)), lambda: as_dtype(submit(*given), x.dtype))


def _request(kind: SoftmaxKind, dy: Any, x: Any, dim: Any, dtype: Any, options: Options) -> Request:
    x = as_array(x, "input")
    check_differentiable(x.dtype, "input")
    to = None if dtype is None else dtype_called(dtype, "dtype")
    p = softmax_backward_problem(kind, x.shape, x.dtype, dim, to)
    check_differentiable(p.dtype, "the result")
    dy = as_incoming(dy, x.shape, kind)
    canonical = (p.outer, p.length, p.inner)
    recipe = reshaped(p, options, dy.shape, dy.dtype, canonical, x.shape)
    return recipe, dy, (clean(x, p.dtype).reshape(canonical),), None


@repeated
def _gradient(kind: SoftmaxKind, dy: Any, x: Any, dim: Any, dtype: Any, options: Options) -> Request:
    return _request(kind, dy, x, dim, dtype, options)


def softmax(
    dy: ArrayLike, input: ArrayLike, dim: int, dtype: DTypeLike | None = None, *, need: tuple[bool] | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.softmax`.

    What is not described here is as in `fastconv.grad.relu`.

    Parameters
    ----------
    dim, dtype
        The arguments of the forward call.

    Examples
    --------
    >>> import fastconv as F
    >>> F.grad.softmax([1.0, 0.0], [0.0, 0.0], 0)
    array([ 0.25, -0.25])
    """
    return _softmax("softmax", dy, input, dim, dtype, need, backend, threads)


def log_softmax(
    dy: ArrayLike, input: ArrayLike, dim: int, dtype: DTypeLike | None = None, *, need: tuple[bool] | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.log_softmax`; parameters, result and errors are as in `fastconv.grad.softmax`.

    Examples
    --------
    >>> import fastconv as F
    >>> F.grad.log_softmax([1.0, 0.0], [0.0, 0.0], 0)
    array([ 0.5, -0.5])
    """
    return _softmax("log_softmax", dy, input, dim, dtype, need, backend, threads)


def softmin(
    dy: ArrayLike, input: ArrayLike, dim: int, dtype: DTypeLike | None = None, *, need: tuple[bool] | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.softmin`; parameters, result and errors are as in `fastconv.grad.softmax`.

    Examples
    --------
    >>> import fastconv as F
    >>> F.grad.softmin([1.0, 0.0], [0.0, 0.0], 0)
    array([-0.25,  0.25])
    """
    return _softmax("softmin", dy, input, dim, dtype, need, backend, threads)
