"""Gradients of flatten, pad, unfold and fold: none of them reads the values of x, which may be a `Spec`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from fastconv.core.arrays import Spec, as_shaped
from fastconv.core.errors import shown
from fastconv.core.problems.base import as_name, freeze
from fastconv.core.problems.shape import (
    FoldProblem,
    PadProblem,
    as_value,
    flat_shape,
    fold_problem,
    pad_problem,
    unfold_problem,
)
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import is_planning, submit
from fastconv.ops.grad.common import as_dtype, as_incoming, check_differentiable, gradients, variant, wanted
from fastconv.ops.recipes import reshaped
from fastconv.typing import ArrayLike, Backend, Extents, Gradient, Number, PadMode, Size


def _gradient(
    p: PadProblem | FoldProblem, given: tuple[int, ...], name: str, dy: Any, x: np.ndarray, shape: tuple[int, ...],
    need: Any, options: Options,
) -> Any:  # fmt: skip
    """Run `p`, which computes the gradient of `x` from that of a result of `shape`, which is `given` canonically."""
    check_differentiable(x.dtype, "input")
    incoming = as_incoming(dy, shape, name)
    recipe = reshaped(p, options, incoming.shape, incoming.dtype, given, x.shape)
    return gradients(wanted(need, ("input",)), lambda: submit(recipe, incoming))


def flatten(
    dy: ArrayLike, input: ArrayLike | Spec, start_dim: int = 0, end_dim: int = -1, *, need: tuple[bool] | None = None,
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.flatten`: a view of `dy` where memory and dtype allow.

    What is not described here is as in `fastconv.grad.pad`.

    Parameters
    ----------
    start_dim, end_dim
        The arguments of the forward call.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.flatten(np.zeros((2, 12)), np.zeros((2, 3, 4)), 1).shape
    (2, 3, 4)
    """
    x = as_shaped(input, "input")
    shape = flat_shape(x.shape, start_dim, end_dim)
    options = resolve(backend, algorithm, threads, tol, max_workspace)
    if is_planning():
        p = variant(pad_problem(x.shape, x.dtype, (), "constant", None)[0], direction="backward")
        return _gradient(p, p.y_shape, "flatten", dy, x, shape, need, options)
    check_differentiable(x.dtype, "input")
    incoming = as_incoming(dy, shape, "flatten")
    return gradients(wanted(need, ("input",)), lambda: as_dtype(incoming.reshape(x.shape), x.dtype))


def pad(
    dy: ArrayLike, input: ArrayLike | Spec, pad: Extents | np.ndarray, mode: PadMode = "constant",
    value: Number | None = None, *, need: tuple[bool] | None = None, backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.pad`: for every element the sum over all its copies, and zero where it was cropped.

    Parameters
    ----------
    dy : array_like
        Gradient of the result, of its shape; float32 or float64.
    input : array_like
        Float32 or float64.  Only its shape and dtype are read: it may be a `fastconv.Spec`.
    pad, mode, value
        The arguments of the forward call.
    need : tuple of 1 bool, optional
        See `fastconv.grad`.
    backend, algorithm, threads, tol, max_workspace
        See `fastconv.options`.

    Returns
    -------
    ndarray
        dx, of the shape and dtype of `input`.

    Raises
    ------
    ShapeError, DTypeError, UnsupportedError, ValueError, TypeError
        The message names the argument, its value and what is allowed.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.pad(np.ones((1, 6)), np.zeros((1, 3)), (2, 1), mode="reflect")
    array([[1., 3., 2.]])
    """
    x = as_shaped(input, "input")
    widths = freeze(pad, "pad")
    if not isinstance(pad, Iterable):
        raise TypeError(f"pad must be a sequence of ints, got {shown(pad)}")
    forward, shape = pad_problem(x.shape, x.dtype, widths, as_name(mode, "mode"), as_value(value))
    p = variant(forward, value=0, direction="backward")  # the gradient does not depend on it
    return _gradient(
        p, p.y_shape, "pad", dy, x, shape, need, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def unfold(
    dy: ArrayLike, input: ArrayLike | Spec, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1,
    *, need: tuple[bool] | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.unfold`, which is `fastconv.fold` of `dy`.

    What is not described here is as in `fastconv.grad.pad`.

    Parameters
    ----------
    dy : array_like, shape (N, C * kh * kw, L) or (C * kh * kw, L)
    input : array_like, shape (N, C, H, W) or (C, H, W)
    kernel_size, dilation, padding, stride
        The arguments of the forward call.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.unfold(np.ones((4, 4)), np.zeros((1, 3, 3)), 2)
    array([[[1., 2., 1.],
            [2., 4., 2.],
            [1., 2., 1.]]])
    """
    x = as_shaped(input, "input")
    forward, shape = unfold_problem(
        x.shape, x.dtype, freeze(kernel_size, "kernel_size"), freeze(dilation, "dilation"),
        freeze(padding, "padding"), freeze(stride, "stride"),
    )  # fmt: skip
    return _gradient(
        variant(forward, kind="fold"), forward.column_shape, "unfold", dy, x, shape, need,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def fold(
    dy: ArrayLike, input: ArrayLike | Spec, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0,
    stride: Size = 1, *, need: tuple[bool] | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.fold`, which is `fastconv.unfold` of `dy`.

    What is not described here is as in `fastconv.grad.unfold`.

    Parameters
    ----------
    dy : array_like, shape (N, C, H, W) or (C, H, W)
    input : array_like, shape (N, C * kh * kw, L) or (C * kh * kw, L)
    output_size
        The argument of the forward call.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.fold(np.arange(4.0).reshape(1, 2, 2), np.ones((2, 2)), 2, (2, 1))
    array([[0., 1.],
           [2., 3.]])
    """
    x = as_shaped(input, "input")
    forward, shape = fold_problem(
        x.shape, x.dtype, freeze(output_size, "output_size"), freeze(kernel_size, "kernel_size"),
        freeze(dilation, "dilation"), freeze(padding, "padding"), freeze(stride, "stride"),
    )  # fmt: skip
    return _gradient(
        variant(forward, kind="unfold"), forward.image_shape, "fold", dy, x, shape, need,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip
