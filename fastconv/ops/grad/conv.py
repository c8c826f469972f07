"""Gradients of convolutions: each is a convolution problem with another `direction`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv.core.arrays import Spec, clean, clean_volume
from fastconv.core.problems.base import as_layout, as_name, freeze, join_batch, split_batch, to_canonical
from fastconv.core.problems.conv import (
    ConvProblem,
    bias_gradient,
    conv_problem,
    conv_transpose_problem,
    input_gradient,
    weight_gradient,
)
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, immediately, is_planning, remember, submit
from fastconv.dispatch.views import canonical_result, images
from fastconv.ops import conv as forward
from fastconv.ops.grad.activation import through
from fastconv.ops.grad.common import as_dtype, as_incoming, check_differentiable, gradients, layer_arrays
from fastconv.typing import (
    Activation,
    ArrayLike,
    Backend,
    Gradient,
    Layout,
    Padding,
    PaddingMode,
    Size,
    TransposedPadding,
    TransposedPaddingMode,
)


def _conv(
    rank: int, transposed: bool, dy: Any, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any,
    groups: Any, output_padding: Any, need: Any, layout: Layout, padding_mode: PaddingMode,
    activation: Activation | None, options: Options,
) -> Any:  # fmt: skip
    flags, x, w, b = layer_arrays(need, x, weight, bias, activation)
    layout = as_layout(layout)
    kind = f"conv{'_transpose' * transposed}{rank}d"
    shared = (rank, x.shape, x.dtype, w.shape, w.dtype, None if b is None else b.shape, None if b is None else b.dtype)
    tail = (layout, as_name(padding_mode, "padding_mode"), as_name(activation, "activation"), is_planning())
    s, p, d = freeze(stride, "stride"), freeze(padding, "padding"), freeze(dilation, "dilation")
    g = freeze(groups, "groups")
    problem: ConvProblem
    if transposed:
        problem = conv_transpose_problem(*shared, s, p, freeze(output_padding, "output_padding"), g, d, *tail)
    else:
        problem = conv_problem(*shared, s, p, d, g, *tail)
    check_differentiable(problem.out, "the result")
    batched = split_batch(x.shape, rank, layout)[0]
    dy = as_incoming(dy, join_batch(batched, problem.n, problem.oc, problem.output[3 - rank :], layout), kind)
    if activation is not None:
        with immediately():
            before = forward.convolve(
                rank, transposed, x, w, b, stride, padding, dilation, groups, output_padding, None, layout,
                padding_mode, None, options,
            )  # fmt: skip
        dy = through(activation, dy, before, options)

    def canonical(a: np.ndarray) -> np.ndarray:
        return clean_volume(to_canonical(a, rank, batched, layout), problem.dtype, layout)

    def run(of: str, like: Any, constants: Callable[[ConvProblem], tuple[Any, ...]]) -> Any:
        recipe, q = _recipe(of, problem, rank, dy.shape, dy.dtype, like.shape, options)
        return as_dtype(submit(recipe, dy, constants(q)), like.dtype)

    return gradients(
        flags,
        lambda: run("input", x, lambda q: (clean(w, q.dtype).reshape(q.w_shape), None)),
        lambda: run("weight", w, lambda q: (canonical(x),)),
        lambda: run("bias", b, lambda q: (_ones(q),)),
    )


PROBLEMS = {"input": input_gradient, "weight": weight_gradient, "bias": bias_gradient}


@remember
def _recipe(
    of: str, problem: ConvProblem, rank: int, dy_shape: tuple[int, ...], dy_dtype: np.dtype, shape: tuple[int, ...],
    options: Options,
) -> tuple[Recipe, ConvProblem]:  # fmt: skip
    """The recipe and the problem of the gradient of the argument named `of`, which has `shape`."""
    q, layout = PROBLEMS[of](problem), problem.layout
    batched = split_batch(dy_shape, rank, layout)[0]
    canonical, view = images(rank, batched, layout, q.dtype, dy_shape, shape if of == "input" else dy_shape)
    if of != "input":
        view = canonical_result(q.w_shape)
    enter = (lambda dy: _as_shape(canonical(dy), q.y_shape)) if of == "bias" else canonical
    return Recipe(q, options, dy_shape, dy_dtype, (shape,), enter, view, dy_dtype == q.dtype), q


def _ones(q: ConvProblem) -> np.ndarray:
    return clean_volume(np.broadcast_to(np.ones((1, 1, *q.output), q.dtype), q.x_shape), q.dtype, q.layout)


def _as_shape(y: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """`y` in canonical `shape`; its problem may have merged all images to one row of pixels, channels last."""
    if y.shape == shape:
        return y
    n, c, *spatial = shape
    return y.transpose(0, 2, 3, 4, 1).reshape(n, *spatial, c).transpose(0, 4, 1, 2, 3)


def conv1d(
    dy: ArrayLike, input: ArrayLike | Spec, weight: ArrayLike | Spec, bias: ArrayLike | Spec | None = None,
    stride: Size = 1, padding: Padding = 0, dilation: Size = 1, groups: int = 1, *,
    need: tuple[bool, bool, bool] | None = None, layout: Layout = "NCHW", padding_mode: PaddingMode = "zeros",
    activation: Activation | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> tuple[Gradient, Gradient, Gradient]:  # fmt: skip
    """Gradients of `fastconv.conv1d`.

    As `fastconv.grad.conv2d`, for `input` of shape (N, C, W) or (C, W) and `weight` of shape (K, C / groups, kw);
    tuples hold 1 int.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> dy, x, w = np.ones((1, 4, 4)), np.ones((1, 2, 6)), np.ones((4, 2, 3))
    >>> dx, dw, db = F.grad.conv1d(dy, x, w, np.zeros(4))
    >>> dx.shape, dw.shape, db.shape
    ((1, 2, 6), (4, 2, 3), (4,))
    """
    return _conv(
        1, False, dy, input, weight, bias, stride, padding, dilation, groups, 0, need, layout, padding_mode, activation,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def conv2d(
    dy: ArrayLike, input: ArrayLike | Spec, weight: ArrayLike | Spec, bias: ArrayLike | Spec | None = None,
    stride: Size = 1, padding: Padding = 0, dilation: Size = 1, groups: int = 1, *,
    need: tuple[bool, bool, bool] | None = None, layout: Layout = "NCHW", padding_mode: PaddingMode = "zeros",
    activation: Activation | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> tuple[Gradient, Gradient, Gradient]:  # fmt: skip
    """Gradients of `fastconv.conv2d`.

    Parameters
    ----------
    dy : array_like
        Gradient of the result, of its shape; float32 or float64.
    input : array_like, shape (N, C, H, W) or (C, H, W)
    weight : array_like, shape (K, C / groups, kh, kw)
    bias : array_like, shape (K,), optional
        Only its dtype is read.
    stride, padding, dilation, groups, layout, padding_mode, activation
        The arguments of the forward call.  With an activation, the forward convolution is computed again.
    need : tuple of 3 bool, optional
        Which gradients to compute; by default those of the arrays that are given.  The values of an array are read for
        the gradients of the others alone: one that none of them needs may be a `fastconv.Spec`.
    backend, algorithm, threads, tol, max_workspace
        See `fastconv.options`.

    Returns
    -------
    dx, dweight, dbias : ndarray or None
        Of the shapes and dtypes of `input`, `weight` and `bias`; None where `need` is False.

    Raises
    ------
    ShapeError, DTypeError, UnsupportedError, ValueError, TypeError
        The message names the argument, its value and what is allowed.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> dy, x, w = np.ones((1, 4, 4, 4)), np.ones((1, 2, 6, 6)), np.ones((4, 2, 3, 3))
    >>> dx, dw, db = F.grad.conv2d(dy, x, w, np.zeros(4))
    >>> dx.shape, dw.shape, db.shape
    ((1, 2, 6, 6), (4, 2, 3, 3), (4,))
    """
    return _conv(
        2, False, dy, input, weight, bias, stride, padding, dilation, groups, 0, need, layout, padding_mode, activation,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def conv3d(
    dy: ArrayLike, input: ArrayLike | Spec, weight: ArrayLike | Spec, bias: ArrayLike | Spec | None = None,
    stride: Size = 1, padding: Padding = 0, dilation: Size = 1, groups: int = 1, *,
    need: tuple[bool, bool, bool] | None = None, layout: Layout = "NCHW", padding_mode: PaddingMode = "zeros",
    activation: Activation | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> tuple[Gradient, Gradient, Gradient]:  # fmt: skip
    """Gradients of `fastconv.conv3d`.

    As `fastconv.grad.conv2d`, for `input` of shape (N, C, D, H, W) or (C, D, H, W) and `weight` of shape (K, C /
    groups, kd, kh, kw); tuples hold 3 ints.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> dy, x, w = np.ones((1, 4, 4, 4, 4)), np.ones((1, 2, 6, 6, 6)), np.ones((4, 2, 3, 3, 3))
    >>> dx, dw, db = F.grad.conv3d(dy, x, w, np.zeros(4))
    >>> dx.shape, dw.shape, db.shape
    ((1, 2, 6, 6, 6), (4, 2, 3, 3, 3), (4,))
    """
    return _conv(
        3, False, dy, input, weight, bias, stride, padding, dilation, groups, 0, need, layout, padding_mode, activation,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def conv_transpose1d(
    dy: ArrayLike, input: ArrayLike | Spec, weight: ArrayLike | Spec, bias: ArrayLike | Spec | None = None,
    stride: Size = 1, padding: TransposedPadding = 0, output_padding: Size = 0, groups: int = 1, dilation: Size = 1, *,
    need: tuple[bool, bool, bool] | None = None, layout: Layout = "NCHW", padding_mode: TransposedPaddingMode = "zeros",
    activation: Activation | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> tuple[Gradient, Gradient, Gradient]:  # fmt: skip
    """Gradients of `fastconv.conv_transpose1d`.

    As `fastconv.grad.conv_transpose2d`, for `input` of shape (N, C, W) or (C, W) and `weight` of shape (C, K / groups,
    kw); tuples hold 1 int.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> dy, x, w = np.ones((1, 4, 8)), np.ones((1, 2, 6)), np.ones((2, 4, 3))
    >>> dx, dw, db = F.grad.conv_transpose1d(dy, x, w, np.zeros(4))
    >>> dx.shape, dw.shape, db.shape
    ((1, 2, 6), (2, 4, 3), (4,))
    """
    return _conv(
        1, True, dy, input, weight, bias, stride, padding, dilation, groups, output_padding, need, layout, padding_mode,
        activation, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def conv_transpose2d(
    dy: ArrayLike, input: ArrayLike | Spec, weight: ArrayLike | Spec, bias: ArrayLike | Spec | None = None,
    stride: Size = 1, padding: TransposedPadding = 0, output_padding: Size = 0, groups: int = 1, dilation: Size = 1, *,
    need: tuple[bool, bool, bool] | None = None, layout: Layout = "NCHW", padding_mode: TransposedPaddingMode = "zeros",
    activation: Activation | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> tuple[Gradient, Gradient, Gradient]:  # fmt: skip
    """Gradients of `fastconv.conv_transpose2d`.

    What is not described here is as in `fastconv.grad.conv2d`.

    Parameters
    ----------
    weight : array_like, shape (C, K / groups, kh, kw)
    output_padding
        The argument of the forward call.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> dy, x, w = np.ones((1, 4, 8, 8)), np.ones((1, 2, 6, 6)), np.ones((2, 4, 3, 3))
    >>> dx, dw, db = F.grad.conv_transpose2d(dy, x, w, np.zeros(4))
    >>> dx.shape, dw.shape, db.shape
    ((1, 2, 6, 6), (2, 4, 3, 3), (4,))
    """
    return _conv(
        2, True, dy, input, weight, bias, stride, padding, dilation, groups, output_padding, need, layout, padding_mode,
        activation, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def conv_transpose3d(
    dy: ArrayLike, input: ArrayLike | Spec, weight: ArrayLike | Spec, bias: ArrayLike | Spec | None = None,
    stride: Size = 1, padding: TransposedPadding = 0, output_padding: Size = 0, groups: int = 1, dilation: Size = 1, *,
    need: tuple[bool, bool, bool] | None = None, layout: Layout = "NCHW", padding_mode: TransposedPaddingMode = "zeros",
    activation: Activation | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> tuple[Gradient, Gradient, Gradient]:  # fmt: skip
    """Gradients of `fastconv.conv_transpose3d`.

    As `fastconv.grad.conv_transpose2d`, for `input` of shape (N, C, D, H, W) or (C, D, H, W) and `weight` of shape (C,
    K / groups, kd, kh, kw); tuples hold 3 ints.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> dy, x, w = np.ones((1, 4, 8, 8, 8)), np.ones((1, 2, 6, 6, 6)), np.ones((2, 4, 3, 3, 3))
    >>> dx, dw, db = F.grad.conv_transpose3d(dy, x, w, np.zeros(4))
    >>> dx.shape, dw.shape, db.shape
    ((1, 2, 6, 6, 6), (2, 4, 3, 3, 3), (4,))
    """
    return _conv(
        3, True, dy, input, weight, bias, stride, padding, dilation, groups, output_padding, need, layout, padding_mode,
        activation, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip
